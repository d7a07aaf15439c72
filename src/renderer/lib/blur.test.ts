import { expect, it } from 'vitest'
import { gaussianBlur } from './blur.ts'

it('spreads a point as a Gaussian and keeps its sum', () => {
  const [width, height, sigma] = [15, 13, 1.5]
  const point = new Float32Array(width * height)
  point[6 * width + 7] = 2
  const blurred = gaussianBlur(point, width, height, sigma)
  expect(blurred.reduce((sum, value) => sum + value, 0)).toBeCloseTo(2, 5)
  const centre = blurred[6 * width + 7] ?? 0
  for (const [rows, columns] of [
    [0, 1],
    [2, 0],
    [1, 2],
    [-3, 1],
  ] as const) {
    const expected = centre * Math.exp(-(rows ** 2 + columns ** 2) / (2 * sigma ** 2))
    expect(blurred[(6 + rows) * width + 7 + columns]).toBeCloseTo(expected, 6)
  }
})

it('lets what lies at the edge fade outwards', () => {
  const blurred = gaussianBlur(new Float32Array(9).fill(1), 3, 3, 1)
  expect(blurred[4]).toBeGreaterThan(blurred[0] ?? 0)
  expect(blurred[0]).toBeCloseTo(blurred[8] ?? 0, 6)
})
