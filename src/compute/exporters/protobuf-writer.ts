/** Protocol Buffers' wire format, written as parts so that large tensors are made one at a time. */
import { bytesOf, type Part } from './parts.ts'

const VARINT = 0
const LENGTH = 2
const FIXED_32 = 5

/** A whole number, also a negative one (as 64 bits). */
export function varintField(field: number, value: number): Part[] {
  return [new Uint8Array([...varint(key(field, VARINT)), ...varint(BigInt.asUintN(64, BigInt(value)))])]
}

export function floatField(field: number, value: number): Part[] {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value, true)
  return [new Uint8Array([...varint(key(field, FIXED_32)), ...bytes])]
}

export function textField(field: number, text: string): Part[] {
  return messageField(field, [new TextEncoder().encode(text)])
}

/** A message, or bytes. */
export function messageField(field: number, parts: readonly Part[]): Part[] {
  return [new Uint8Array([...varint(key(field, LENGTH)), ...varint(BigInt(bytesOf(parts)))]), ...parts]
}

function key(field: number, type: number): bigint {
  return BigInt(field * 8 + type)
}

function varint(value: bigint): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low | 0x80)
  } while (rest !== 0n)
  return bytes
}
