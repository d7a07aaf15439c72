import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { encodeNpy, encodePng } from './encode-outputs.ts'

describe('encodeNpy', () => {
  it.each([
    [[2, 3], new Float32Array([1, 2, 3, 4, 5, -0.5]), `'<f4'`, '(2, 3)'],
    [[2], new Int32Array([1, -2]), `'<i4'`, '(2,)'],
    [[], new Float64Array([0.1]), `'<f8'`, '()'],
    [[0, 5], new Uint8Array(0), `'|u1'`, '(0, 5)'],
  ])('writes shape %j', (shape, values, type, tuple) => {
    const file = Buffer.from(encodeNpy(shape, values))
    expect(file.subarray(0, 8)).toEqual(Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0]))
    const start = 10 + file.readUInt16LE(8)
    expect(start % 64).toBe(0)
    const header = file.toString('latin1', 10, start)
    expect(header).toMatch(/ *\n$/)
    expect(header.trim()).toBe(`{'descr': ${type}, 'fortran_order': False, 'shape': ${tuple}, }`)
    expect(file.subarray(start)).toEqual(Buffer.from(values.buffer))
  })

  it('writes only the part that a view shows', () => {
    const view = new Float32Array([1, 2, 3, 4]).subarray(1, 3)
    expect(Buffer.from(encodeNpy([2], view)).subarray(-8)).toEqual(Buffer.from(new Float32Array([2, 3]).buffer))
  })

  it('refuses a shape that does not fit', () => {
    expect(() => encodeNpy([2, 2], new Float32Array(3))).toThrow(RangeError)
  })
})

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
