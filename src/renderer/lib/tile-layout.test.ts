import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  growTiles,
  layOutTiles,
  moveByKey,
  scrollToTile,
  tileAt,
  tilePlace,
  visibleTiles,
  wholeFactor,
} from './tile-layout.ts'

describe('tile layout', () => {
  const layout = layOutTiles(10, 100, 28, 28, 4)

  it('fits whole columns and counts the rows', () => {
    expect(layout.columns).toBe(3)
    expect(layout.rows).toBe(4)
    expect(layout.contentHeight).toBe(4 * 32 + 4)
  })

  it('has one column where none fits', () => {
    expect(layOutTiles(10, 5, 28, 28, 4).columns).toBe(1)
  })

  it('finds every tile at its own place, whatever the sizes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 20, max: 2000 }),
        fc.integer({ min: 4, max: 90 }),
        fc.integer({ min: 0, max: 9 }),
        (count, width, size, gap) => {
          const any = layOutTiles(count, width, size, size, gap)
          for (let index = 0; index < count; index++) {
            const { left, top } = tilePlace(any, index)
            expect(tileAt(any, count, left, top)).toBe(index)
            expect(tileAt(any, count, left + size - 1, top + size - 1)).toBe(index)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  it('finds nothing in the gaps, beside the grid and after the last tile', () => {
    expect(tileAt(layout, 10, layout.inset + 29, 10)).toBeUndefined()
    expect(tileAt(layout, 10, 0, 10)).toBeUndefined()
    expect(tileAt(layout, 10, layout.inset + 33, 4 + 3 * 32)).toBeUndefined()
  })

  it('lists the tiles in view', () => {
    expect(visibleTiles(layout, 10, 0, 40)).toEqual({ first: 0, end: 6 })
    expect(visibleTiles(layout, 10, 100, 400)).toEqual({ first: 9, end: 10 })
  })

  it('scrolls no further than needed', () => {
    expect(scrollToTile(layout, 0, 50, 60)).toBe(0)
    expect(scrollToTile(layout, 4, 20, 60)).toBe(20)
    expect(scrollToTile(layout, 9, 0, 60)).toBe(4 + 3 * 32 + 28 + 4 - 60)
  })
})

describe('growTiles', () => {
  const room = { width: 450, height: 540 }
  const picture = { width: 24, height: 24 }

  it('enlarges by whole factors until the room is full', () => {
    const size = growTiles(32, room, { width: 48, height: 48 }, picture, 4)
    expect(size).toEqual({ width: 72, height: 72 })
    expect(layOutTiles(32, room.width, size.width, size.height, 4).contentHeight).toBeLessThanOrEqual(room.height)
  })

  it('leaves tiles alone that do not fit, and stops at the largest size', () => {
    expect(growTiles(500, room, { width: 48, height: 48 }, picture, 4)).toEqual({ width: 48, height: 48 })
    expect(growTiles(1, room, { width: 48, height: 48 }, picture, 4)).toEqual({ width: 120, height: 120 })
  })
})

describe('moveByKey', () => {
  it.each([
    ['ArrowRight', 0, 1],
    ['ArrowLeft', 0, 0],
    ['ArrowDown', 1, 4],
    ['ArrowDown', 8, 8],
    ['ArrowUp', 1, 1],
    ['End', 0, 9],
    ['Home', 7, 0],
    ['PageDown', 1, 7],
  ])('%s from %i leads to %i of 10 in 3 columns', (key, from, to) => {
    expect(moveByKey(key, from, 10, 3, 2)).toBe(to)
  })

  it('ignores other keys and empty grids', () => {
    expect(moveByKey('a', 0, 10, 3)).toBeUndefined()
    expect(moveByKey('Home', 0, 0, 3)).toBeUndefined()
  })
})

it('scales by the largest whole factor', () => {
  expect(wholeFactor(28, 28, 180, 200)).toBe(6)
  expect(wholeFactor(224, 224, 100, 100)).toBe(1)
})
