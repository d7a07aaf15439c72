import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Adjuster } from './adjuster.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('sends the first value at once, and of those in between only the newest of each setting', async () => {
  const sent: string[] = []
  const adjuster = new Adjuster(async (path, value) => void sent.push(`${path} ${value}`), 80)
  adjuster.set('decay', 0.1)
  for (const value of [0.2, 0.3, 0.4]) adjuster.set('decay', value)
  adjuster.set('blurSigma', 1)
  expect(sent).toEqual(['decay 0.1'])
  await vi.advanceTimersByTimeAsync(80)
  expect(sent).toEqual(['decay 0.1', 'decay 0.4', 'blurSigma 1'])
  await vi.advanceTimersByTimeAsync(500)
  adjuster.set('decay', 0.5)
  expect(sent).toHaveLength(4)
})

it('drops what waits when it is stopped', async () => {
  const sent: number[] = []
  const adjuster = new Adjuster(async (_, value) => void sent.push(value), 80)
  adjuster.set('decay', 0.1)
  adjuster.set('decay', 0.2)
  adjuster.stop()
  await vi.advanceTimersByTimeAsync(500)
  expect(sent).toEqual([0.1])
})
