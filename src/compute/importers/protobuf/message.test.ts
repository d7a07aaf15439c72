import { describe, expect, it } from 'vitest'
import { sourceFileOf } from '../../files/source-file.ts'
import { storedValues } from '../assembly/stored-values.ts'
import { embedded, float, integer, MessageType, named, optional, repeated, stored, text } from './message.ts'
import { parseTextFormat } from './text-format.ts'
import { WireReader } from './wire-reader.ts'

const Inner = new MessageType({ size: optional(1, integer) })
const Outer = new MessageType({
  name: optional(1, text),
  inner: repeated(2, embedded(Inner)),
  sizes: repeated(3, integer),
  values: stored(4, 'float32'),
  rate: optional(5, float),
  kind: optional(6, named({ 0: 'NONE', 3: 'SOME' })),
})

function decoded(...bytes: readonly number[]) {
  const reader = new WireReader(sourceFileOf('a.bin', Uint8Array.from(bytes)))
  return Outer.decode(reader, reader.all, 'outer')
}

function decodedText(source: string) {
  const file = sourceFileOf('a.prototxt', new TextEncoder().encode(source))
  return Outer.decodeText(parseTextFormat(file), file.name)
}

const float32 = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)]

describe('messages in the wire format', () => {
  it('reads fields by their numbers and passes over unknown ones', () => {
    const message = decoded(0x0a, 2, 0x68, 0x69, 0x12, 2, 0x08, 7, 0x12, 0, 0x38, 1, 0x30, 3)
    expect(message).toMatchObject({ name: 'hi', inner: [{ size: 7 }, { size: undefined }], kind: 'SOME' })
  })

  it('reads lists packed and one by one, and negative numbers of ten bytes', () => {
    expect(decoded(0x1a, 2, 5, 6, 0x18, 7).sizes).toEqual([5, 6, 7])
    expect(decoded(0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1).sizes).toEqual([-1])
    expect(decoded(0x18, 0x80, 0x80, 0x80, 0x80, 0x10).sizes).toEqual([2 ** 32])
  })

  it('leaves weights where they are, packed or one by one', () => {
    const packed = decoded(0x22, 8, ...float32(1.5), ...float32(-2), 0x25, ...float32(3)).values
    expect(packed).toMatchObject([
      { offset: 2, count: 2, stride: 4 },
      { offset: 11, count: 1 },
    ])
    expect([...storedValues(packed).read(0, 3)]).toEqual([1.5, -2, 3])
    const single = decoded(0x25, ...float32(1), 0x25, ...float32(2), 0x25, ...float32(4)).values
    expect(single).toMatchObject([{ offset: 1, count: 3, stride: 5 }])
    expect([...storedValues(single).read(1, 2)]).toEqual([2, 4])
  })

  it.for([
    { bytes: [0x0a, 0x7f, 0x68], message: 'at byte 0, field 1 of outer claims 127 bytes where 1 are left' },
    { bytes: [0x12, 2, 0x08], message: 'claims 2 bytes where 1 are left' },
    { bytes: [0x12, 2, 0x0a, 9], message: 'at byte 2, field 1 of outer.inner claims 9 bytes where 0 are left' },
    { bytes: [0x22, 3, 0, 0, 0], message: 'no whole number of values' },
    { bytes: [0x0b], message: 'no field where one should begin' },
    { bytes: [0x18, ...new Array<number>(11).fill(0xff)], message: 'longer than 64 bits' },
    { bytes: [0x08, 1], message: 'of another kind (varint)' },
  ])('refuses $message', ({ bytes, message }) => {
    expect(() => decoded(...bytes)).toThrow(message)
  })
})

describe('messages in the text format', () => {
  it('reads nested messages, lists, comments, and both forms of a field', () => {
    const message = decodedText(
      '# a comment\nname: "a" \'b\' inner { size: 4 } inner: < size: 0x10 >; sizes: [1, 2]\nsizes: 3 rate: 1.5e-1f kind: SOME other { deep { x: 1 } }',
    )
    expect(message).toMatchObject({ name: 'ab', inner: [{ size: 4 }, { size: 16 }], sizes: [1, 2, 3], kind: 'SOME' })
    expect(message.rate).toBeCloseTo(0.15)
  })

  it.for([
    { source: 'name: "a"\ninner { size: }', message: 'line 2: size has no value before }' },
    { source: 'inner {\n size: 1', message: 'line 2: the { before it is never closed' },
    { source: '\n\nsizes: one', message: 'line 3: sizes must be a whole number, not one' },
    { source: 'name: "a', message: 'line 1: a quotation mark is never closed' },
    { source: 'inner: 4', message: 'inner must be { … }, not 4' },
    { source: 'a '.repeat(3), message: 'a has no value before a' },
    { source: 'x {'.repeat(100_000), message: 'nested more deeply' },
    { source: 'name: %', message: 'has no meaning here' },
  ])('refuses $message', ({ source, message }) => {
    expect(() => decodedText(source)).toThrow(message)
  })
})
