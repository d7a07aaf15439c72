import { describe, expect, it } from 'vitest'
import { warped, type Warp } from './warp.ts'

const picture = Float32Array.from({ length: 3 * 4 * 2 }, (_, index) => index)
const shape = [3, 4, 2] as const
const warp = (kind: Warp['kind'], value: number, direction: Warp['direction'] = 'vertical'): Warp => ({
  kind,
  value,
  direction,
})

describe('warped', () => {
  it.each([warp('translation', 0), warp('scale', 1), warp('rotation', 0), warp('rotation', 360)])(
    'leaves a picture as it is: %j',
    (identity) => {
      expect(warped(picture, shape, identity, 0)).toEqual(picture)
    },
  )

  it('moves by whole pixels exactly, with the edge or a value behind', () => {
    const down = warped(picture, shape, warp('translation', 1), 'edge')
    expect([...down.subarray(0, 8)]).toEqual([...picture.subarray(0, 8)])
    expect([...down.subarray(8)]).toEqual([...picture.subarray(0, 16)])
    const left = warped(picture, shape, warp('translation', -1, 'horizontal'), 9)
    expect([...left.subarray(0, 8)]).toEqual([2, 3, 4, 5, 6, 7, 9, 9])
  })

  it('interpolates between pixels', () => {
    const half = warped(picture, shape, warp('translation', 0.5, 'horizontal'), 'edge')
    expect([...half.subarray(0, 8)]).toEqual([0, 1, 1, 2, 3, 4, 5, 6])
  })

  it('turns a quarter counter-clockwise exactly', () => {
    const square = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect([...warped(square, [3, 3, 1], warp('rotation', 90), 0)]).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7])
  })

  it('scales about the middle', () => {
    const square = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect([...warped(square, [3, 3, 1], warp('scale', 2), 0)]).toEqual([3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7])
    expect([...warped(square, [3, 3, 1], warp('scale', 0.5), 0)]).toEqual([0, 0, 0, 0, 5, 0, 0, 0, 0])
  })
})
