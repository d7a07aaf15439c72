/** A value that changes, for watchers that want the present one and then the latest: a slow watcher skips what it missed. */
export class LatestValue<T> {
  #value: T
  #changed = Promise.withResolvers<undefined>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    this.#value = value
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve(undefined)
  }

  /** The present value at once, then every change, until the signal is aborted. */
  async *watch(signal?: AbortSignal): AsyncGenerator<T, void, void> {
    const aborted = new Promise<void>((resolve) => {
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
    while (!signal?.aborted) {
      // Taken before the value is handed out: a change while the watcher is busy must not be missed.
      const changed = this.#changed.promise
      yield this.#value
      await Promise.race([changed, aborted])
    }
  }
}
