import { expect, it } from 'vitest'
import { FrameRate } from './frame-rate.ts'

it('counts the frames of the last two seconds', () => {
  const rate = new FrameRate()
  expect(rate.perSecond).toBeUndefined()
  rate.add(0)
  expect(rate.perSecond).toBeUndefined()
  for (let time = 100; time <= 3000; time += 100) rate.add(time)
  expect(rate.perSecond).toBeCloseTo(10)
  for (let time = 3050; time <= 6000; time += 50) rate.add(time)
  expect(rate.perSecond).toBeCloseTo(20)
  rate.clear()
  expect(rate.perSecond).toBeUndefined()
})
