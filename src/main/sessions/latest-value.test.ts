import { expect, it } from 'vitest'
import { LatestValue } from './latest-value.ts'

it('gives the present value, then the latest, and ends by its signal', async () => {
  const value = new LatestValue(1)
  const abort = new AbortController()
  const seen: number[] = []
  for await (const current of value.watch(abort.signal)) {
    seen.push(current)
    // Two changes while the watcher is busy: the first is skipped.
    if (current === 1) [2, 3].forEach((next) => value.set(next))
    else abort.abort()
  }
  expect(seen).toEqual([1, 3])
})
