import type { Progress, ProgressOr } from '../../shared/contract/progress.ts'
import { Bell } from '../jobs/bell.ts'

export type ReportProgress = (progress: Omit<Progress, 'type'>) => void

/**
 * Work that tells of its progress as a stream: the latest progress for who is slow, at last the result. Leaving the stream, or
 * an abort of `watcher`, cancels the work.
 * @throws what the work throws
 */
export async function* progressStream<T>(
  work: (report: ReportProgress, signal: AbortSignal) => Promise<T>,
  watcher?: AbortSignal,
): AsyncGenerator<ProgressOr<T>, void, void> {
  const left = new AbortController()
  const signal = watcher ? AbortSignal.any([watcher, left.signal]) : left.signal
  const bell = new Bell()
  let latest: Omit<Progress, 'type'> | undefined
  let ended = false
  const working = work((progress) => {
    latest = progress
    bell.ring()
  }, signal).finally(() => {
    ended = true
    bell.ring()
  })
  // Awaited below; until then a failure must not count as unhandled.
  working.catch(() => undefined)
  try {
    while (!ended) {
      await bell.wait()
      if (latest === undefined) continue
      const { done, total, unit, secondsLeft } = latest
      latest = undefined
      yield { type: 'progress', done, total, unit, secondsLeft }
    }
    yield { type: 'done', result: await working }
  } finally {
    left.abort()
    await working.catch(() => undefined)
  }
}
