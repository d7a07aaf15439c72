import { expect, it } from 'vitest'
import { tileOf } from './draw-pictures.ts'

it('cuts one draw out of the sheet of a search that runs', () => {
  // 2 × 2 tiles of 2 × 1 pixels in colour with gaps of 2 pixels: every value is its pixel's number.
  const [width, height] = [10, 8]
  const values = Uint8Array.from({ length: width * height * 3 }, (_, at) => Math.floor(at / 3))
  const sheet = { values, start: 0, pixelStep: 3, width, height, channels: 3 } as const
  const tile = tileOf(sheet, 4, 3)
  expect({ ...tile, values: [...tile.values] }).toEqual({
    ...{ start: 0, pixelStep: 3, width: 2, height: 1, channels: 3 },
    values: [56, 56, 56, 57, 57, 57],
  })
})
