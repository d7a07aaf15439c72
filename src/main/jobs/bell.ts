/** Wakes one waiting reader. A ring while nobody waits is remembered, so that no change is missed. */
export class Bell {
  #rung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /** Resolves at the next ring, or at once after one that nobody heard. */
  async wait(): Promise<void> {
    if (!this.#rung) {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      this.#wake = () => resolve(undefined)
      await promise
    }
    this.#wake = undefined
    this.#rung = false
  }
}

/**
 * A generator that can be ended from outside while it waits: by `signal`, or by `return()`, which a plain generator would
 * only answer after its next value. `generate` looks at `closed()` whenever the bell has rung.
 */
export function closable<T>(
  bell: Bell,
  signal: AbortSignal | undefined,
  generate: (closed: () => boolean) => AsyncGenerator<T, void, void>,
): AsyncIterableIterator<T, void, void> {
  let isClosed = signal?.aborted ?? false
  const close = () => {
    isClosed = true
    bell.ring()
  }
  signal?.addEventListener('abort', close, { once: true })
  const generator = generate(() => isClosed)
  const iterator: AsyncIterableIterator<T, void, void> = {
    next: () => generator.next(),
    return: async () => {
      signal?.removeEventListener('abort', close)
      close()
      return generator.return()
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
