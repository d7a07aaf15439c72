/** As much of the protocol buffer wire format as FunctionDef, OpList and ConfigProto need. */

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Writes one message: fields in the order of the calls, nested messages as writers of their own. */
export class ProtobufWriter {
  readonly #pieces: Uint8Array[] = []
  #size = 0

  /** Bytes without a field number: packed values, or fields that another writer finished. */
  raw(bytes: Uint8Array): this {
    this.#pieces.push(bytes)
    this.#size += bytes.length
    return this
  }

  varint(value: number | bigint): this {
    let rest = BigInt.asUintN(64, BigInt(value))
    const bytes: number[] = []
    while (rest > 127n) {
      bytes.push(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    return this.raw(Uint8Array.from([...bytes, Number(rest)]))
  }

  integer(field: number, value: number): this {
    return this.varint(field << 3).varint(value)
  }

  float(field: number, value: number): this {
    return this.varint((field << 3) | 5).raw(floatBytes(Float32Array.of(value)))
  }

  bytes(field: number, value: Uint8Array): this {
    return this.varint((field << 3) | 2)
      .varint(value.length)
      .raw(value)
  }

  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value))
  }

  message(field: number, message: ProtobufWriter): this {
    this.varint((field << 3) | 2).varint(message.#size)
    return this.append(message)
  }

  /** The fields of another message after those of this one. */
  append(message: ProtobufWriter): this {
    for (const piece of message.#pieces) this.#pieces.push(piece)
    this.#size += message.#size
    return this
  }

  /** One entry of a map with string keys and messages as values. */
  entry(field: number, key: string, value: ProtobufWriter): this {
    return this.message(field, new ProtobufWriter().string(1, key).message(2, value))
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.#size)
    let at = 0
    for (const piece of this.#pieces) {
      result.set(piece, at)
      at += piece.length
    }
    return result
  }
}

/** Little-endian bytes, whatever the machine. */
export function floatBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [index, value] of values.entries()) view.setFloat32(index * 4, value, true)
  return bytes
}

/** A field as it was read: a number, or the bytes of a string, of a message or of a fixed-size value. */
export interface ProtobufField {
  readonly field: number
  readonly value: number
  readonly bytes: Uint8Array
}

const NO_BYTES = new Uint8Array()

/** The fields of one message in their order. Throws a RangeError for a damaged message. */
export function* protobufFields(message: Uint8Array): Generator<ProtobufField> {
  let at = 0
  const varint = (): number => {
    let result = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++]
      if (byte === undefined) throw new RangeError('a protocol buffer ends in the middle of a number')
      result += (byte & 127) * scale
      if (byte < 128) return result
    }
  }
  while (at < message.length) {
    const tag = varint()
    const field = Math.floor(tag / 8)
    const wire = tag & 7
    if (wire === 0) {
      yield { field, value: varint(), bytes: NO_BYTES }
      continue
    }
    const size = wire === 2 ? varint() : wire === 5 ? 4 : wire === 1 ? 8 : NaN
    if (!(at + size <= message.length)) throw new RangeError('a protocol buffer ends in the middle of a field')
    yield { field, value: 0, bytes: message.subarray(at, at + size) }
    at += size
  }
}

export const protobufText = (bytes: Uint8Array): string => decoder.decode(bytes)
