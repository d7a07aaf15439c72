import { expect, it } from 'vitest'
import { filterPictures, magnitudeOf } from './filters.ts'
import { pictureOf } from './paint.ts'

it('takes every filter of a grey network as a picture', () => {
  // [1, 2, 1, 3]: pixel 0 has 1 2 3, pixel 1 has 4 -9 6.
  const { shape, values } = filterPictures({ shape: [1, 2, 1, 3], values: new Float32Array([1, 2, 3, 4, -9, 6]) })
  expect(shape).toEqual([3, 1, 2, 1])
  expect([...values]).toEqual([1, 4, 2, -9, 3, 6])
  expect(magnitudeOf(pictureOf(values, shape, 1))).toBe(9)
})

it('keeps the three colours together', () => {
  const { shape, values } = filterPictures({ shape: [1, 1, 3, 2], values: new Float32Array([1, 10, 2, 20, 3, 30]) })
  expect(shape).toEqual([2, 1, 1, 3])
  expect([...values]).toEqual([1, 2, 3, 10, 20, 30])
})

it('refuses what is no kernel', () => {
  expect(() => filterPictures({ shape: [10], values: new Float32Array(10) })).toThrow(/kernels/)
})
