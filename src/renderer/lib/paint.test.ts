import { describe, expect, it } from 'vitest'
import { colourMap } from './colour-maps.ts'
import { channelOf, paint, pictureOf, rangeOf, sheetPlace, valuesAt } from './paint.ts'

const grey = { name: 'grey', table: colourMap('grey') }
const pixel = (target: Uint8ClampedArray, at: number): number[] => [...target.subarray(at * 4, at * 4 + 4)]

describe('paint', () => {
  // [2, 2, 2]: channel 0 is 0 1 2 3, channel 1 is 0 -1 -2 -3.
  const values = new Float32Array([0, 0, 1, -1, 2, -2, 3, -3])

  it('takes one channel out of an interleaved array', () => {
    const source = channelOf(values, [2, 2, 2], 1)
    expect(rangeOf(source)).toEqual({ low: -3, high: 0 })
    expect(valuesAt(source, 1, 0)).toEqual([-2])
  })

  it('maps zero to mid-grey and the largest magnitude to an end', () => {
    const target = new Uint8ClampedArray(4 * 4)
    paint(channelOf(values, [2, 2, 2], 1), { low: -3, high: 3 }, grey, target, 2)
    expect(pixel(target, 0)).toEqual([128, 128, 128, 255])
    expect(pixel(target, 3)).toEqual([0, 0, 0, 255])
  })

  it('paints into a place of a sheet and leaves the rest alone', () => {
    const target = new Uint8ClampedArray(4 * 4 * 4)
    paint(channelOf(values, [2, 2, 2], 0), { low: 0, high: 3 }, grey, target, 4, 2, 2)
    expect(pixel(target, 0)).toEqual([0, 0, 0, 0])
    expect(pixel(target, 2 * 4 + 2)).toEqual([0, 0, 0, 255])
    expect(pixel(target, 3 * 4 + 3)).toEqual([255, 255, 255, 255])
  })

  it('keeps colours, and swaps them for networks that read blue first', () => {
    const one = new Float32Array([9, 9, 9, 1, 0, -1])
    const target = new Uint8ClampedArray(4)
    paint(pictureOf(one, [2, 1, 1, 3], 1), { low: -1, high: 1 }, grey, target, 1)
    expect(pixel(target, 0)).toEqual([255, 128, 0, 255])
    paint(pictureOf(one, [2, 1, 1, 3], 1, true), { low: -1, high: 1 }, grey, target, 1)
    expect(pixel(target, 0)).toEqual([0, 128, 255, 255])
  })

  it('finds places on sheets', () => {
    expect(sheetPlace(9, 8, 28, 20)).toEqual({ left: 28, top: 20 })
  })
})
