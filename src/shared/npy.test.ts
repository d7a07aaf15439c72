import { describe, expect, it } from 'vitest'
import { decodeNpy, encodeNpy } from './npy.ts'

describe('encodeNpy', () => {
  it.each([
    [[2, 3], new Float32Array([1, 2, 3, 4, 5, -0.5]), `'<f4'`, '(2, 3)'],
    [[2], new Int32Array([1, -2]), `'<i4'`, '(2,)'],
    [[], new Float64Array([0.1]), `'<f8'`, '()'],
    [[0, 5], new Uint8Array(0), `'|u1'`, '(0, 5)'],
  ])('writes shape %j with the header that numpy writes', (shape, values, type, tuple) => {
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

describe('decodeNpy', () => {
  const good = encodeNpy([2, 2], Float32Array.of(1, 2, 3, 4))
  const edited = (from: string, to: string): Uint8Array => {
    const bytes = Buffer.from(good)
    bytes.write(to, bytes.indexOf(from), 'latin1')
    return bytes
  }

  it.each([
    { shape: [2, 3], values: Float32Array.of(1, -2.5, 3, 4, 5, 6) },
    { shape: [4], values: Float64Array.of(1e300, 2, 3, -0) },
    { shape: [], values: Int32Array.of(-7) },
    { shape: [3, 0], values: new Uint8Array(0) },
  ])('reads what was written: $shape', ({ shape, values }) => {
    expect(decodeNpy(encodeNpy(shape, values))).toEqual({ shape, values })
  })

  it('reads the longer header of versions 2 and 3', () => {
    const header = Buffer.from(good.subarray(10, 128)).toString('latin1').trimEnd().padEnd(115) + '\n'
    for (const version of [2, 3]) {
      const bytes = Buffer.concat([
        good.subarray(0, 6),
        Buffer.from([version, 0, header.length, 0, 0, 0]),
        Buffer.from(header),
        good.subarray(128),
      ])
      expect(decodeNpy(bytes)).toEqual({ shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) })
    }
    expect(() => decodeNpy(Buffer.concat([good.subarray(0, 6), Buffer.from([4]), good.subarray(7)]))).toThrow(
      /version 4/,
    )
  })

  it('reads bytes at an odd offset of a larger buffer', () => {
    const larger = new Uint8Array(good.length + 1)
    larger.set(good, 1)
    expect([...decodeNpy(larger.subarray(1)).values]).toEqual([1, 2, 3, 4])
  })

  it('refuses damaged files and what it cannot read', () => {
    expect(() => decodeNpy(new Uint8Array(0))).toThrow(/does not begin like a .npy file/)
    expect(() => decodeNpy(good.subarray(0, 6))).toThrow(/does not begin like a .npy file/)
    expect(() => decodeNpy(new TextEncoder().encode('certainly not an array'))).toThrow(/does not begin/)
    expect(() => decodeNpy(good.subarray(0, 40))).toThrow(/header claims/)
    expect(() => decodeNpy(good.subarray(0, good.length - 1))).toThrow(/needs 16 bytes and it has 15/)
    expect(() => decodeNpy(edited('(2, 2)', '(9, 9)'))).toThrow(/needs 324 bytes/)
    expect(() => decodeNpy(edited('(2, 2)', '(-2,2'))).toThrow(/lacks descr, order or shape/)
    expect(() => decodeNpy(edited('<f4', '>f4'))).toThrow(/element type >f4/)
    expect(() => decodeNpy(edited('False', 'True '))).toThrow(/Fortran order/)
  })
})
