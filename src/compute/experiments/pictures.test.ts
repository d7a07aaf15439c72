import { describe, expect, it } from 'vitest'
import { contactSheet, enlarged, largestMagnitude, signedPicture, type SignedMap } from './pictures.ts'

const map = (values: number[], channels: number, channelOrder: SignedMap['channelOrder']): SignedMap => ({
  values: Float32Array.from(values),
  height: 1,
  width: values.length / channels,
  channels,
  channelOrder,
})

describe('signedPicture', () => {
  it('puts zero at mid-grey and the largest magnitude at the end of the range', () => {
    const values = map([0, 2, -4, 4], 1, 'grey')
    expect(largestMagnitude(values.values)).toBe(4)
    expect([...signedPicture(values, 4).pixels]).toEqual([128, 191, 0, 255])
    expect([...signedPicture(values, 8).pixels]).toEqual([128, 159, 64, 191])
  })

  it('is mid-grey where everything is zero', () => {
    expect([...signedPicture(map([0, 0], 1, 'grey'), 0).pixels]).toEqual([128, 128])
  })

  it('shows blue-green-red as red-green-blue, and sums other channels', () => {
    expect([...signedPicture(map([1, 0, -1], 3, 'bgr'), 1).pixels]).toEqual([0, 128, 255])
    expect([...signedPicture(map([1, 0, -1], 3, 'rgb'), 1).pixels]).toEqual([255, 128, 0])
    expect([...signedPicture(map([1, 1, 1, 1], 2, 'rgb'), 2).pixels]).toEqual([255, 255])
  })
})

it('enlarges by a whole factor', () => {
  const large = enlarged({ width: 2, height: 1, channels: 1, pixels: Uint8Array.of(10, 20) })
  expect([large.width, large.height]).toEqual([112, 56])
  expect([large.pixels[0], large.pixels[55], large.pixels[56], large.pixels.at(-1)]).toEqual([10, 10, 20, 20])
  const already = { width: 113, height: 1, channels: 1, pixels: new Uint8Array(113) } as const
  expect(enlarged(already)).toBe(already)
})

it('lays pictures out row by row', () => {
  const sheet = contactSheet(
    [1, 2, 3].map((value) => ({ width: 1, height: 1, channels: 1, pixels: Uint8Array.of(value) })),
  )
  expect([sheet.width, sheet.height]).toEqual([8, 8])
  const at = (row: number, column: number): number | undefined => sheet.pixels[row * 8 + column]
  expect([at(2, 2), at(2, 5), at(5, 2), at(5, 5), at(0, 0)]).toEqual([1, 2, 3, 40, 40])
})
