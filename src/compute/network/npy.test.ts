import { describe, expect, it } from 'vitest'
import { decodeNpy, encodeNpy } from './npy.ts'

describe('npy', () => {
  it.each([
    { shape: [2, 3], data: Float32Array.of(1, -2.5, 3, 4, 5, 6) },
    { shape: [4], data: Float64Array.of(1e300, 2, 3, -0) },
    { shape: [], data: Int32Array.of(-7) },
    { shape: [3, 0], data: new Uint8Array(0) },
  ])('reads what it wrote: $shape', (array) => {
    expect(decodeNpy(encodeNpy(array))).toEqual(array)
  })

  it('writes the header that numpy writes', () => {
    const bytes = encodeNpy({ shape: [3], data: Float32Array.of(0, 1, 2) })
    expect(bytes.byteLength).toBe(128 + 12)
    const header = Buffer.from(bytes.subarray(0, 128)).toString('latin1')
    expect(header.slice(1, 6)).toBe('NUMPY')
    expect(header.slice(10).trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }")
    expect(header.endsWith('\n')).toBe(true)
  })

  it('refuses damaged files and what it cannot read', () => {
    const good = encodeNpy({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) })
    const edited = (from: string, to: string) => {
      const bytes = Buffer.from(good)
      bytes.write(to, bytes.indexOf(from), 'latin1')
      return bytes
    }
    expect(() => decodeNpy(good.subarray(0, 6))).toThrow(/does not begin like a .npy file/)
    expect(() => decodeNpy(good.subarray(0, 40))).toThrow(/header claims/)
    expect(() => decodeNpy(good.subarray(0, good.length - 1))).toThrow(/needs 16 bytes and it has 15/)
    expect(() => decodeNpy(edited('(2, 2)', '(9, 9)'))).toThrow(/needs 324 bytes/)
    expect(() => decodeNpy(edited('<f4', '>f4'))).toThrow(/element type >f4/)
    expect(() => decodeNpy(edited('False', 'True '))).toThrow(/Fortran order/)
    expect(() => encodeNpy({ shape: [3], data: new Float32Array(2) })).toThrow(RangeError)
  })
})
