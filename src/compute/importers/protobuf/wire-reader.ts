/**
 * Protocol Buffers' wire format, field by field over a file: only the block around the place that is read is in memory, and long
 * fields are given as byte ranges. Every declared length is checked against the message that holds it before it is believed.
 */
import { ConvScopeError } from '../../../shared/errors.ts'
import type { SourceFile } from '../../files/source-file.ts'

/** Half-open, in bytes of the file. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

export interface WireField extends ByteRange {
  /** The field's number in its message. */
  readonly number: number
  readonly wire: 'varint' | 'fixed32' | 'fixed64' | 'length'
  /** Where its tag begins. */
  readonly place: number
  /** Of a varint, as a signed 64-bit number (exact to 53 bits); 0 for the others. */
  readonly value: number
}

const BLOCK_BYTES = 65_536
const MAX_STRING_BYTES = 1_048_576
/** Fields read from one file: an honest network of thousands of layers has some 100,000. */
const MAX_FIELDS = 2_000_000
const WIRES = ['varint', 'fixed64', 'length', undefined, undefined, 'fixed32'] as const

export class WireReader {
  readonly file: SourceFile
  #block: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #blockStart = 0
  #fields = 0

  constructor(file: SourceFile) {
    this.file = file
  }

  /** The whole file as one message. */
  get all(): ByteRange {
    return { from: 0, to: this.file.size }
  }

  /**
   * The fields of a message in the order of the file.
   * @param path what messages call it, such as 'layer conv1'
   * @throws ConvScopeError 'damaged' with the byte at which the file stops making sense; 'too-large' for more fields than any network has
   */
  *fields(range: ByteRange, path: string): Generator<WireField, void, undefined> {
    let place = range.from
    while (place < range.to) {
      if (++this.#fields > MAX_FIELDS) {
        throw new ConvScopeError('too-large', `${this.file.name} holds more than ${MAX_FIELDS} fields.`, {
          remedy: 'Import the file of a network; this one is damaged or made to do harm.',
        })
      }
      const tag = this.#varint(place, range.to, path)
      const number = Math.floor(tag.value / 8)
      const wire = WIRES[tag.low & 7]
      if (wire === undefined || tag.value <= 0 || number < 1 || number > 0x1fff_ffff) {
        throw this.damaged(place, `${path} has no field where one should begin`)
      }
      const field = this.#field(place, tag.next, range.to, number, wire, path)
      yield field
      place = field.to
    }
  }

  /** The varints of a packed field. @throws ConvScopeError 'damaged' */
  packedVarints(field: ByteRange, path: string): number[] {
    const values: number[] = []
    for (let place = field.from; place < field.to;) {
      const { value, next } = this.#varint(place, field.to, path)
      values.push(value)
      place = next
      if (++this.#fields > MAX_FIELDS) throw this.damaged(place, `${path} holds more numbers than any network has`)
    }
    return values
  }

  /** @throws ConvScopeError 'damaged' where it is longer than any name */
  text(field: ByteRange, path: string): string {
    const length = field.to - field.from
    if (length > MAX_STRING_BYTES) throw this.damaged(field.from, `${path} is a text of ${length} bytes`)
    return new TextDecoder().decode(this.#bytes(field.from, length))
  }

  float32(place: number): number {
    return this.#reach(place, 4).getFloat32(place - this.#blockStart, true)
  }

  float64(place: number): number {
    return this.#reach(place, 8).getFloat64(place - this.#blockStart, true)
  }

  damaged(place: number, reason: string): ConvScopeError {
    return new ConvScopeError('damaged', `${this.file.name} cannot be read: at byte ${place}, ${reason}.`, {
      remedy: 'Copy or download the file again.',
    })
  }

  #field(place: number, start: number, end: number, number: number, wire: WireField['wire'], path: string): WireField {
    if (wire === 'varint') {
      const { value, next } = this.#varint(start, end, path)
      return { number, wire, place, from: start, to: next, value }
    }
    if (wire === 'length') {
      const { value: length, next } = this.#varint(start, end, path)
      if (length < 0 || length > end - next) {
        throw this.damaged(
          place,
          `field ${number} of ${path} claims ${length < 0 ? 'more than 2^63' : length} bytes where ${end - next} are left`,
        )
      }
      return { number, wire, place, from: next, to: next + length, value: 0 }
    }
    const length = wire === 'fixed32' ? 4 : 8
    if (length > end - start) throw this.damaged(place, `field ${number} of ${path} ends early`)
    return { number, wire, place, from: start, to: start + length, value: 0 }
  }

  #varint(place: number, end: number, path: string): { value: number; low: number; next: number } {
    let low = 0
    let high = 0
    for (let index = 0; index < 10; index++) {
      if (place + index >= end) throw this.damaged(place, `${path} ends within a number`)
      const byte = this.#byte(place + index)
      const bits = byte & 0x7f
      if (index < 4) low |= bits << (7 * index)
      else if (index === 4) {
        low |= bits << 28
        high = bits >> 4
      } else if (index < 9) high |= bits << (7 * index - 32)
      else high |= bits << 31
      // The high half is signed: negative numbers are written as 64 bits of two's complement.
      if (byte < 0x80) return { value: (high | 0) * 2 ** 32 + (low >>> 0), low: low >>> 0, next: place + index + 1 }
    }
    throw this.damaged(place, `${path} has a number longer than 64 bits`)
  }

  #byte(place: number): number {
    if (place < this.#blockStart || place >= this.#blockStart + this.#block.byteLength) this.#reach(place, 1)
    return this.#block[place - this.#blockStart] ?? 0
  }

  #bytes(from: number, length: number): Uint8Array {
    if (length > BLOCK_BYTES) return this.file.read(from, length)
    if (length === 0) return new Uint8Array(0)
    this.#reach(from, length)
    return this.#block.subarray(from - this.#blockStart, from - this.#blockStart + length)
  }

  /** Has the bytes in the block; the view's first byte is `#blockStart` of the file. */
  #reach(from: number, length: number): DataView {
    const inside = from >= this.#blockStart && from + length <= this.#blockStart + this.#block.byteLength
    if (!inside) {
      this.#block = this.file.read(from, Math.max(length, Math.min(BLOCK_BYTES, this.file.size - from)))
      this.#view = new DataView(this.#block.buffer, this.#block.byteOffset, this.#block.byteLength)
      this.#blockStart = from
    }
    return this.#view
  }
}
