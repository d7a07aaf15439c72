/** One turn of something that is only wanted for the newest request. */
export interface Turn {
  readonly signal: AbortSignal
  /** False once a newer turn has begun or all were cancelled. */
  readonly current: () => boolean
}

/** Only the newest of several overlapping requests counts: beginning a turn aborts the one before it. */
export class Latest {
  #controller: AbortController | undefined

  begin(): Turn {
    this.#controller?.abort()
    const controller = new AbortController()
    this.#controller = controller
    return { signal: controller.signal, current: () => !controller.signal.aborted }
  }

  cancel(): void {
    this.#controller?.abort()
    this.#controller = undefined
  }
}

/** Resolves after the time, or at once when the signal is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
}

/**
 * One task at a time, and of those asked for meanwhile only the newest. A task that takes longer than `patienceMs` is aborted
 * for the newer one; a quicker one may end, so that something is shown while a key is held down.
 */
export class NewestWins {
  readonly #patienceMs: number
  #running: AbortController | undefined
  #startedAt = 0
  #next: ((signal: AbortSignal) => Promise<void>) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(patienceMs = 250) {
    this.#patienceMs = patienceMs
  }

  /** The task handles its own errors; when its signal is aborted, its outcome is not wanted. */
  request(task: (signal: AbortSignal) => Promise<void>): void {
    this.#next = task
    if (!this.#running) {
      void this.#drain()
      return
    }
    clearTimeout(this.#timer)
    const left = this.#startedAt + this.#patienceMs - performance.now()
    const running = this.#running
    this.#timer = setTimeout(() => running.abort(), Math.max(0, left))
  }

  cancel(): void {
    this.#next = undefined
    clearTimeout(this.#timer)
    this.#running?.abort()
  }

  async #drain(): Promise<void> {
    for (let task = this.#next; task; task = this.#next) {
      this.#next = undefined
      const controller = new AbortController()
      this.#running = controller
      this.#startedAt = performance.now()
      await Promise.race([task(controller.signal), aborted(controller.signal)])
      clearTimeout(this.#timer)
    }
    this.#running = undefined
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
