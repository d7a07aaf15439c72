import { describe, expect, it } from 'vitest'
import { centreFor, nextMagnification, scrollOf } from './magnify.ts'

describe('magnification', () => {
  it('grows by whole factors, comes back to the fit, and stays there', () => {
    const up = [1, 2, 3, 4, 5].reduce<number[]>((list) => [...list, nextMagnification(list.at(-1) ?? 0, 6, 1)], [0])
    expect(up).toEqual([0, 8, 10, 13, 16, 20])
    expect(nextMagnification(8, 6, -1)).toBe(0)
    expect(nextMagnification(7, 6, -1)).toBe(0)
    expect(nextMagnification(0, 6, -1)).toBe(0)
    expect(nextMagnification(64, 6, 1)).toBe(64)
  })

  it('goes on from a factor below the fit', () => {
    expect(nextMagnification(2, 6, -1)).toBe(1)
    expect(nextMagnification(1, 6, -1)).toBe(1)
    expect(nextMagnification(2, 6, 1)).toBe(3)
    expect(nextMagnification(5, 6, 1)).toBe(0)
  })

  it('scrolls to a centre, never past the ends', () => {
    expect(scrollOf(0.5, 1000, 200)).toBe(400)
    expect(scrollOf(0, 1000, 200)).toBe(0)
    expect(scrollOf(1, 1000, 200)).toBe(800)
    expect(scrollOf(0.5, 100, 200)).toBe(0)
  })

  it('keeps the point under the pointer where it is', () => {
    const [fraction, offset, content, room] = [0.3, 50, 1000, 200]
    const scroll = scrollOf(centreFor(fraction, offset, content, room), content, room)
    expect(fraction * content - scroll).toBeCloseTo(offset)
  })
})
