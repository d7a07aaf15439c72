import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { encodePng } from './encode-outputs.ts'

describe('encodePng', () => {
  it.each([1, 3, 4] as const)('keeps %i channels and every byte', async (channels) => {
    const pixels = Uint8Array.from({ length: 2 * 3 * channels }, (_, index) => (index * 37) % 256)
    const png = sharp(await encodePng(3, 2, channels, pixels))
    expect(await png.metadata()).toMatchObject({ format: 'png', width: 3, height: 2, channels, depth: 'uchar' })
    // Raw output of a grey picture has three channels unless it is asked to stay grey.
    const data = await png
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer()
    expect([...data]).toEqual([...pixels])
  })
})
