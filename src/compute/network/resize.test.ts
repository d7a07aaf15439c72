import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { resize, type Picture, type ResizeFilter } from './resize.ts'
import { decodeSafetensors, type SafeTensor } from './safetensors.ts'

/** Largest and mean deviation in grey levels. Pillow and OpenCV compute with integers, which round otherwise here and there. */
const FILTERS: readonly (readonly [filter: ResizeFilter, largest: number, mean: number])[] = [
  ['nearest', 0, 1e-9],
  ['pil-bilinear', 1, 0.01],
  ['opencv-linear', 1, 0.15],
  ['caffe', 1e-3, 1e-4],
]

let tensors: ReadonlyMap<string, SafeTensor>
let picture: Picture

beforeAll(async () => {
  tensors = decodeSafetensors(
    await readFile(join(import.meta.dirname, '../../../tests/conformance/resize.safetensors')),
  )
  const stored = tensors.get('picture')
  if (!(stored?.data instanceof Uint8Array)) throw new Error('no picture')
  const [height = 0, width = 0, channels = 0] = stored.shape
  picture = { shape: [height, width, channels], data: stored.data }
})

describe('resize', () => {
  it.each(FILTERS)('is within one grey level of the reference with %s', (filter, largest, mean) => {
    const cases = [...tensors].filter(([name]) => name.startsWith(`${filter}/`))
    expect(cases.length).toBe(5)
    for (const [name, { shape, data }] of cases) {
      const [height = 0, width = 0] = shape
      const resized = resize(picture, height, width, filter)
      expect(resized.shape).toEqual(shape)
      const deviations = resized.data.map((value, index) => Math.abs(value - (data[index] ?? NaN)))
      expect(Math.max(...deviations), name).toBeLessThanOrEqual(largest)
      expect(deviations.reduce((sum, value) => sum + value, 0) / deviations.length, name).toBeLessThan(mean)
    }
  })
})
