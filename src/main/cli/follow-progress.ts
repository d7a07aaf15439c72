import { ConvScopeError } from '../../shared/errors.ts'
import type { Progress, ProgressOr } from '../../shared/contract/progress.ts'
import { countText, durationText, type Terminal } from './terminal.ts'

/**
 * Shows how far something is, and returns what came of it.
 * @param what such as "Importing alexnet"
 * @throws what the stream throws
 */
export async function followProgress<T>(
  stream: AsyncIterable<ProgressOr<T>>,
  what: string,
  terminal: Terminal,
): Promise<T> {
  for await (const event of stream) {
    if (event.type === 'done') return event.result
    terminal.progress(`${what}: ${progressText(event)}`)
  }
  throw new ConvScopeError('cancelled', `${what} was cancelled`)
}

function progressText({ done, total, unit, secondsLeft }: Progress): string {
  const percent = `${Math.floor((100 * done) / total)} %`
  const text = unit === '%' ? percent : `${percent} (${countText(done, total, unit)})`
  return secondsLeft === undefined ? text : `${text}, ${durationText(secondsLeft)} left`
}
