/**
 * What the engine thread prints goes straight to standard error. Imported first. By way of the other thread, as Node does it,
 * the last lines before a crash would be lost, and those are the ones that matter.
 */
import { writeSync } from 'node:fs'

const STANDARD_ERROR = 2

for (const stream of [process.stdout, process.stderr]) {
  const slowly = stream.write.bind(stream)
  stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    try {
      if (typeof chunk === 'string') writeSync(STANDARD_ERROR, chunk)
      else writeSync(STANDARD_ERROR, chunk)
    } catch {
      // The pipe is full.
      return slowly(chunk)
    }
    const done = rest.find((argument) => typeof argument === 'function')
    if (done) queueMicrotask(() => done(null))
    return true
  }) as typeof stream.write
}
