/** Frames per second over the time just past. */
export class FrameRate {
  readonly #windowMs: number
  #times: number[] = []

  constructor(windowMs = 2000) {
    this.#windowMs = windowMs
  }

  /** A frame was shown at `nowMs`. */
  add(nowMs: number): void {
    this.#times = [...this.#times.filter((time) => nowMs - time <= this.#windowMs), nowMs]
  }

  /** Undefined while there are not two frames to measure between. */
  get perSecond(): number | undefined {
    const [first, last] = [this.#times[0], this.#times.at(-1)]
    if (first === undefined || last === undefined || last <= first) return undefined
    return ((this.#times.length - 1) * 1000) / (last - first)
  }

  clear(): void {
    this.#times = []
  }
}
