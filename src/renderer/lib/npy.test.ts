import { describe, expect, it } from 'vitest'
import { parseNpy, writeNpy } from './npy.ts'

describe('npy', () => {
  it('reads back what it writes', () => {
    const values = new Float32Array([1, -2.5, 3, 0, 5, 6])
    const array = parseNpy(writeNpy([2, 3], values))
    expect(array.shape).toEqual([2, 3])
    expect([...array.values]).toEqual([...values])
  })

  it('writes a one-dimensional shape as a tuple and aligns the values to 64 bytes', () => {
    const bytes = writeNpy([2], new Float32Array([1, 2]))
    expect(new TextDecoder().decode(bytes.subarray(10, 80))).toContain("'shape': (2,)")
    expect((bytes.length - 8) % 64).toBe(0)
  })

  it('reads bytes at an odd offset of a larger buffer', () => {
    const file = writeNpy([3], new Float32Array([7, 8, 9]))
    const larger = new Uint8Array(file.length + 1)
    larger.set(file, 1)
    expect([...parseNpy(larger.subarray(1)).values]).toEqual([7, 8, 9])
  })

  it.each([
    ['nothing', new Uint8Array(0)],
    ['another file', new TextEncoder().encode('this is certainly not an array file')],
    ['a file that is cut off', writeNpy([4], new Float32Array(4)).slice(0, -1)],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseNpy(bytes)).toThrow(/array file/)
  })

  it('refuses types and orders that it does not know', () => {
    const swap = (from: string, to: string): Uint8Array => {
      const text = new TextDecoder('latin1').decode(writeNpy([1], new Float32Array(1))).replace(from, to)
      return Uint8Array.from(text, (letter) => (letter.charCodeAt(0) === 0x201c ? 0x93 : letter.charCodeAt(0)))
    }
    expect(() => parseNpy(swap('<f4', '>f4'))).toThrow(/>f4/)
    expect(() => parseNpy(swap('False', 'True '))).toThrow(/Fortran/)
  })
})
