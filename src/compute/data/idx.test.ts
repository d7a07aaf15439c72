import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readIdx } from './idx.ts'

function idx(type: number, shape: readonly number[], values: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(2, type)
  view.setUint8(3, shape.length)
  shape.forEach((extent, index) => view.setUint32(4 + 4 * index, extent))
  bytes.set(values, 4 + 4 * shape.length)
  return bytes
}

const pixels = Uint8Array.from({ length: 24 }, (_, index) => index)
const options = { name: 'digits' }

describe('readIdx', () => {
  it('reads bytes, plain and gzipped', () => {
    const file = idx(0x08, [2, 3, 4], pixels)
    for (const bytes of [file, gzipSync(file)]) {
      const array = readIdx(bytes, options)
      expect(array.shape).toEqual([2, 3, 4])
      expect([...array.values]).toEqual([...pixels])
    }
  })

  it('reads big-endian shorts, integers and floating-point numbers', () => {
    const view = new DataView(new ArrayBuffer(8))
    view.setInt16(0, -2)
    view.setInt16(2, 300)
    expect([...readIdx(idx(0x0b, [2], new Uint8Array(view.buffer, 0, 4)), options).values]).toEqual([-2, 300])
    view.setInt32(0, -70_000)
    expect([...readIdx(idx(0x0c, [1], new Uint8Array(view.buffer, 0, 4)), options).values]).toEqual([-70_000])
    view.setFloat32(0, 0.25)
    expect([...readIdx(idx(0x0d, [1], new Uint8Array(view.buffer, 0, 4)), options).values]).toEqual([0.25])
    view.setFloat64(0, 1 / 3)
    expect([...readIdx(idx(0x0e, [1], new Uint8Array(view.buffer, 0, 8)), options).values]).toEqual([1 / 3])
  })

  it.each([
    ['an empty file', new Uint8Array(0), 'only 0 bytes'],
    ['another format', Uint8Array.from([0x89, 0x50, 0x4e, 0x47]), 'not an IDX file'],
    ['an unknown type', idx(0x07, [1], new Uint8Array(1)), '0x07 is not an IDX type code'],
    ['too many dimensions', Uint8Array.from([0, 0, 8, 200]), '200 dimensions'],
    ['a cut header', idx(0x08, [2, 3, 4], pixels).subarray(0, 10), 'inside its header'],
    ['missing values', idx(0x08, [2, 3, 4], pixels).subarray(0, 30), 'ends early'],
    ['values too many', idx(0x08, [2, 3, 3], pixels), 'after its end'],
    ['gzip that ends early', gzipSync(idx(0x08, [2, 3, 4], pixels)).subarray(0, 30), 'gzip data cannot be read'],
    ['gzip with more than promised', gzipSync(idx(0x08, [2, 3, 3], pixels)), 'more than the 34 bytes'],
  ])('refuses %s and names the file and the reason', (_, bytes, reason) => {
    expect(() => readIdx(bytes, options)).toThrow(expect.objectContaining({ code: 'damaged' }))
    expect(() => readIdx(bytes, options)).toThrow(reason)
    expect(() => readIdx(bytes, options)).toThrow('digits')
  })

  it('refuses a declared size above the limit before it allocates', () => {
    const file = idx(0x0e, [0xffffffff, 0xffffffff], new Uint8Array(0))
    expect(() => readIdx(file, options)).toThrow(expect.objectContaining({ code: 'too-large' }))
    expect(() => readIdx(gzipSync(file), options)).toThrow(expect.objectContaining({ code: 'too-large' }))
    expect(() => readIdx(idx(0x08, [24], pixels), { name: 'digits', maximumBytes: 23 })).toThrow('the limit is 23')
  })
})
