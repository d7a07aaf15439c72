import { expect, it } from 'vitest'
import { sliderPlace, sliderValue, SLIDER_STEPS, type SliderRange } from './slider-scale.ts'

const decay: SliderRange = { low: 1e-5, high: 0.99, logarithmic: true, zero: true }
const percent: SliderRange = { low: 0, high: 100 }

it('reaches both ends, and zero where it means off', () => {
  expect([0, 1, SLIDER_STEPS].map((place) => sliderValue(place, decay))).toEqual([0, 1e-5, 0.99])
  expect([0, SLIDER_STEPS].map((place) => sliderValue(place, percent))).toEqual([0, 100])
  expect([0, 1e-5, 0.99, 7].map((value) => sliderPlace(value, decay))).toEqual([0, 1, SLIDER_STEPS, SLIDER_STEPS])
})

it('is even in the logarithm', () => {
  expect(sliderValue(500, { low: 0.01, high: 100, logarithmic: true })).toBe(1)
})

it.each([decay, percent])('finds the place of a value again in %o', (range) => {
  for (const place of [0, 1, 137, 500, 999, SLIDER_STEPS]) {
    expect(Math.abs(sliderPlace(sliderValue(place, range), range) - place)).toBeLessThanOrEqual(1)
  }
})
