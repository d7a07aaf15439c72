import { pause } from '../../lib/latest.ts'

const INTERVAL_MS = 80

/** Sends values of settings, at most one a setting in 80 ms: of those given meanwhile only the newest goes. */
export class Adjuster {
  readonly #send: (path: string, value: number) => Promise<void>
  readonly #waiting = new Map<string, number>()
  readonly #intervalMs: number
  readonly #stopped = new AbortController()
  #busy = false

  constructor(send: (path: string, value: number) => Promise<void>, intervalMs = INTERVAL_MS) {
    this.#send = send
    this.#intervalMs = intervalMs
  }

  set(path: string, value: number): void {
    this.#waiting.set(path, value)
    if (!this.#busy) void this.#drain()
  }

  /** What still waits is dropped. */
  stop(): void {
    this.#waiting.clear()
    this.#stopped.abort()
  }

  async #drain(): Promise<void> {
    this.#busy = true
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting]
      this.#waiting.clear()
      for (const [path, value] of batch) await this.#send(path, value)
      await pause(this.#intervalMs, this.#stopped.signal)
    }
    this.#busy = false
  }
}
