/** Streams of the services on their way out. */

/**
 * Passes on what `open` yields, until it ends or the watcher is gone. A source that does not look at its signal is left
 * behind all the same: it is told to return, but not waited for.
 * @param open gets a signal that is aborted when the watcher goes away in any way, a failed send included
 */
export async function* relay<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  watcher: AbortSignal | undefined,
): AsyncGenerator<T, void, void> {
  const stop = new AbortController()
  const onWatcherGone = (): void => stop.abort(watcher?.reason)
  if (watcher?.aborted) return
  watcher?.addEventListener('abort', onWatcherGone, { once: true })
  const source = open(stop.signal)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const step = await nextUnlessAborted(source, stop.signal)
      if (step === undefined || step.done) return
      yield step.value
    }
  } finally {
    watcher?.removeEventListener('abort', onWatcherGone)
    stop.abort()
    // An asynchronous generator returns only after its pending `next`, which may never come. Its failure concerns nobody.
    void source.return?.().catch(() => undefined)
  }
}

async function nextUnlessAborted<T>(
  source: AsyncIterator<T>,
  signal: AbortSignal,
): Promise<IteratorResult<T> | undefined> {
  if (signal.aborted) return undefined
  // Not Promise.race: a race against one lasting promise keeps a reaction for every event until the stream ends.
  const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T> | undefined>()
  const onAbort = (): void => resolve(undefined)
  signal.addEventListener('abort', onAbort, { once: true })
  source.next().then(resolve, (error: unknown) => (signal.aborted ? resolve(undefined) : reject(error)))
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
