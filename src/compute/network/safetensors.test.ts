import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConvScopeError } from '../../shared/errors.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'

/** A file with the given header text (or claimed header length) and data. */
function file(
  header: string,
  data: Uint8Array = new Uint8Array(0),
  claimed = BigInt(Buffer.byteLength(header)),
): Uint8Array {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(claimed)
  return new Uint8Array(Buffer.concat([length, Buffer.from(header), data]))
}

function entry(dtype: string, shape: readonly unknown[], from: number, to: number): string {
  return JSON.stringify({ a: { dtype, shape, data_offsets: [from, to] } })
}

describe('safetensors', () => {
  it('reads what it wrote, whatever the order of the element types', () => {
    const tensors = {
      bytes: { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) },
      kernel: { dtype: 'F32', shape: [1, 2], data: Float32Array.of(-1.5, 2 ** -140) },
      trace: { dtype: 'F64', shape: [], data: Float64Array.of(Math.PI) },
      places: { dtype: 'I32', shape: [2, 0], data: new Int32Array(0) },
    } as const
    const bytes = encodeSafetensors(tensors)
    expect(Object.fromEntries(decodeSafetensors(bytes))).toEqual(tensors)
    // Also where the bytes do not lie at an aligned place.
    const shifted = new Uint8Array(bytes.byteLength + 1)
    shifted.set(bytes, 1)
    expect(Object.fromEntries(decodeSafetensors(shifted.subarray(1)))).toEqual(tensors)
  })

  it('leaves out the metadata', () => {
    expect(decodeSafetensors(file('{"__metadata__":{"format":"pt"}}')).size).toBe(0)
  })

  it('reads half precision to float32', () => {
    const halves = Uint16Array.of(0x3c00, 0xc500, 0x0001, 0x7c00, 0xfbff)
    const half = decodeSafetensors(file(entry('F16', [5], 0, 10), new Uint8Array(halves.buffer)))
    expect([...(half.get('a')?.data ?? [])]).toEqual([1, -5, 2 ** -24, Infinity, -65504])
    const brains = Uint16Array.of(0x3f80, 0xc0a0, 0xff80)
    const brain = decodeSafetensors(file(entry('BF16', [3], 0, 6), new Uint8Array(brains.buffer)))
    expect([...(brain.get('a')?.data ?? [])]).toEqual([1, -5, -Infinity])
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /is empty/],
    ['a stump', new Uint8Array(5), /first 8 bytes/],
    ['a huge header', file('{}', undefined, 2n ** 60n), /claims 1152921504606846976 bytes/],
    ['a header beyond the file', file('{}', undefined, 1000n), /past the end/],
    ['no JSON', file('not json'), /not JSON/],
    ['no object', file('[1]'), /not a JSON object/],
    ['invalid UTF-8', file('\\x80').fill(0xff, 8), /not JSON/],
    ['a malformed entry', file('{"a":{"dtype":"F32"}}'), /entry of a/],
    ['a negative size', file(entry('F32', [-1], 0, 0)), /entry of a/],
    ['a fractional size', file(entry('F32', [0.5], 0, 2), new Uint8Array(2)), /entry of a/],
    ['offsets beyond the file', file(entry('F32', [2], 0, 8), new Uint8Array(4)), /bytes 0 to 8 of 4/],
    ['reversed offsets', file(entry('F32', [0], 4, 0), new Uint8Array(4)), /bytes 4 to 0 of 4/],
    [
      'a shape that needs more bytes',
      file(entry('F32', [2 ** 40, 2 ** 40], 0, 4), new Uint8Array(4)),
      /needs .* bytes and has 4/,
    ],
    ['a gap', file(entry('F32', [1], 4, 8), new Uint8Array(8)), /belong to no tensor/],
    ['trailing bytes', file(entry('F32', [1], 0, 4), new Uint8Array(8)), /belong to no tensor/],
    [
      'an overlap',
      file(
        JSON.stringify({
          a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
          b: { dtype: 'F32', shape: [1], data_offsets: [2, 6] },
        }),
        new Uint8Array(6),
      ),
      /overlap/,
    ],
  ])('refuses %s', (_title, bytes, reason) => {
    expect(() => decodeSafetensors(bytes)).toThrow(reason)
    expect(() => decodeSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  it('says which element types it reads', () => {
    expect(() => decodeSafetensors(file(entry('F12', [2], 0, 3), new Uint8Array(3)))).toThrow(
      expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('F12') as unknown }),
    )
  })

  it('gives plain arrays of what a file is read into, wherever that begins', () => {
    const whole = encodeSafetensors({
      values: { dtype: 'F32', shape: [2], data: new Float32Array([1, 2]) },
      bytes: { dtype: 'U8', shape: [3], data: new Uint8Array([3, 4, 5]) },
    })
    const buffer = Buffer.concat([Buffer.alloc(1), whole]).subarray(1)
    const tensors = decodeSafetensors(buffer)
    expect(tensors.get('values')?.data).toEqual(new Float32Array([1, 2]))
    expect(tensors.get('bytes')?.data).toEqual(new Uint8Array([3, 4, 5]))
    expect(tensors.get('bytes')?.data.constructor).toBe(Uint8Array)
  })

  it('never fails in another way, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, plausible) => {
        if (plausible && bytes.length >= 8) bytes.set([bytes.length - 8, 0, 0, 0, 0, 0, 0, 0])
        try {
          decodeSafetensors(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ConvScopeError)
        }
      }),
    )
  })
})
