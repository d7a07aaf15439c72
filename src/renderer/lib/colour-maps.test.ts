import { describe, expect, it } from 'vitest'
import { COLOUR_MAP_NAMES, colourMap, limitsOf, mapEntry } from './colour-maps.ts'

const luminance = (map: Uint8Array, entry: number): number =>
  0.2126 * map[entry * 3]! + 0.7152 * map[entry * 3 + 1]! + 0.0722 * map[entry * 3 + 2]!

describe('colour maps', () => {
  it.each(['grey', 'diverging'] as const)('%s has zero at mid-grey', (name) => {
    const entry = mapEntry(0, { low: -3, high: 3 })
    expect([...colourMap(name).subarray(entry * 3, entry * 3 + 3)]).toEqual([128, 128, 128])
  })

  it.each(COLOUR_MAP_NAMES)('%s grows lighter from end to end', (name) => {
    const map = colourMap(name)
    for (let entry = 8; entry < 256; entry += 8) {
      expect(luminance(map, entry)).toBeGreaterThan(luminance(map, entry - 8))
    }
  })

  it('reaches both ends of grey', () => {
    const map = colourMap('grey')
    expect(map[mapEntry(-2, { low: -2, high: 2 }) * 3]).toBe(0)
    expect(map[mapEntry(2, { low: -2, high: 2 }) * 3]).toBe(255)
    expect(mapEntry(-9, { low: -2, high: 2 })).toBe(0)
    expect(mapEntry(9, { low: -2, high: 2 })).toBe(255)
  })

  it('finds limits around zero, from zero, and never empty', () => {
    expect(limitsOf(-2, 5)).toEqual({ low: -5, high: 5 })
    expect(limitsOf(0, 5)).toEqual({ low: 0, high: 5 })
    expect(limitsOf(0, 0)).toEqual({ low: 0, high: 1 })
    expect(mapEntry(2.5, limitsOf(0, 5))).toBe(128)
  })
})
