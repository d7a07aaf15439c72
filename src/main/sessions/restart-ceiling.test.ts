import { expect, it } from 'vitest'
import { RestartCeiling } from './restart-ceiling.ts'

it('is reached by so many ends within the window, and forgets older ones', () => {
  let now = 0
  const ceiling = new RestartCeiling({ count: 3, windowMs: 100 }, () => now)
  expect([ceiling.record(), ceiling.record()]).toEqual([true, true])
  now = 100
  expect([ceiling.record(), ceiling.record(), ceiling.record()]).toEqual([true, true, false])
  ceiling.reset()
  expect(ceiling.record()).toBe(true)
})
