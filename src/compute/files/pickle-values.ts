/** Numbers, texts and bytes as pickles write them down. */
import type { ConvScopeError } from '../../shared/errors.ts'
import type { ByteCursor } from './byte-cursor.ts'

export const NO_LITERAL = Symbol('no literal')
const MAX_LONG_BYTES = 1024

export class PickleValues {
  readonly #cursor: ByteCursor
  readonly #damaged: (reason: string) => ConvScopeError

  constructor(cursor: ByteCursor, damaged: (reason: string) => ConvScopeError) {
    this.#cursor = cursor
    this.#damaged = damaged
  }

  /** The value that an operation code writes down, or `NO_LITERAL` for a code that does something else. */
  literal(code: number): unknown {
    const cursor = this.#cursor
    switch (code) {
      case 0x4e: // NONE
        return null
      case 0x88: // NEWTRUE
        return true
      case 0x89: // NEWFALSE
        return false
      case 0x4a: // BININT
        return cursor.view(4).getInt32(0, true)
      case 0x4b: // BININT1
        return cursor.byte()
      case 0x4d: // BININT2
        return cursor.view(2).getUint16(0, true)
      case 0x49: // INT
        return this.textNumber()
      case 0x4c: // LONG
        return this.#integer(cursor.line().replace(/L$/, ''))
      case 0x8a: // LONG1
        return this.#long(cursor.byte())
      case 0x8b: // LONG4
        return this.#long(cursor.view(4).getInt32(0, true))
      case 0x46: // FLOAT
        return Number(cursor.line())
      case 0x47: // BINFLOAT
        return cursor.view(8).getFloat64(0, false)
      case 0x53: // STRING
        return cursor.line().replace(/^(['"])(.*)\1$/, '$2')
      case 0x56: // UNICODE
        return cursor.line()
      case 0x54: // BINSTRING
        return this.#oldText(cursor.view(4).getInt32(0, true))
      case 0x55: // SHORT_BINSTRING
        return this.#oldText(cursor.byte())
      case 0x58: // BINUNICODE
        return this.#text(this.length(4))
      case 0x8c: // SHORT_BINUNICODE
        return this.#text(this.length(1))
      case 0x8d: // BINUNICODE8
        return this.#text(this.length(8))
      case 0x42: // BINBYTES
        return cursor.take(this.length(4)).slice()
      case 0x43: // SHORT_BINBYTES
        return cursor.take(this.length(1)).slice()
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return cursor.take(this.length(8)).slice()
      default:
        return NO_LITERAL
    }
  }

  /** Unsigned. */
  length(width: 1 | 4 | 8): number {
    const view = this.#cursor.view(width)
    if (width === 1) return view.getUint8(0)
    if (width === 4) return view.getUint32(0, true)
    return Number(view.getBigUint64(0, true))
  }

  #text(length: number): string {
    return new TextDecoder().decode(this.#cursor.take(length))
  }

  /** Python 2 wrote bytes as text; short ones are names, long ones data. */
  #oldText(length: number): string | Uint8Array {
    if (length < 0) throw this.#damaged('a text has a negative length')
    const bytes = this.#cursor.take(length).slice()
    return bytes.every((byte) => byte < 0x80) ? new TextDecoder().decode(bytes) : bytes
  }

  /** A whole number on a line of its own. */
  textNumber(): number {
    const line = this.#cursor.line()
    // Protocol 0 writes True and False so.
    if (line === '00' || line === '01') return Number(line)
    return Number(this.#integer(line))
  }

  #integer(text: string): number | bigint {
    if (!/^[+-]?\d{1,1000}$/.test(text)) throw this.#damaged(`${text.slice(0, 40)} is not a whole number`)
    const number = Number(text)
    return Number.isSafeInteger(number) ? number : BigInt(text)
  }

  /** Little-endian two's complement. */
  #long(length: number): number | bigint {
    if (length < 0 || length > MAX_LONG_BYTES) throw this.#damaged(`a number claims ${length} bytes`)
    const bytes = this.#cursor.take(length)
    let value = 0n
    for (let index = length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index] ?? 0)
    const signed = BigInt.asIntN(Math.max(length * 8, 1), value)
    const number = Number(signed)
    return Number.isSafeInteger(number) ? number : signed
  }
}
