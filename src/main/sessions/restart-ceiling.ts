/** Counts ends of a worker: after `count` within `windowMs` it is not started again by itself. */
export interface RestartLimit {
  readonly count: number
  readonly windowMs: number
}

export class RestartCeiling {
  readonly limit: RestartLimit
  readonly #now: () => number
  #times: number[] = []

  constructor(limit: RestartLimit, now: () => number = () => performance.now()) {
    this.limit = limit
    this.#now = now
  }

  /** Notes one end; false when the ceiling is reached. */
  record(): boolean {
    const now = this.#now()
    this.#times = [...this.#times.filter((time) => now - time < this.limit.windowMs), now]
    return this.#times.length < this.limit.count
  }

  reset(): void {
    this.#times = []
  }
}
