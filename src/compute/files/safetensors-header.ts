/**
 * The header of the safetensors format: 8 bytes little-endian length, then JSON `{ name: { dtype, shape, data_offsets } }`; the data
 * follows. Every size is checked against the length of the file before anything is allocated.
 */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import { sizeOf } from '../../shared/size-of.ts'
import { BYTES_OF_TYPE, type ElementType } from './element-types.ts'

const MAX_HEADER_BYTES = 100_000_000
const LENGTH_BYTES = 8

const size = z.number().int().nonnegative()
const Header = z.record(z.string(), z.unknown())
const Entry = z.strictObject({ dtype: z.string(), shape: z.array(size).max(32), data_offsets: z.tuple([size, size]) })

const TYPES: Readonly<Record<string, ElementType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
}

export interface SafetensorsEntry {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly number[]
  /** Place in the file, in bytes from its beginning. */
  readonly offset: number
  readonly byteLength: number
}

/**
 * @param read gives `length` bytes from `offset` of the file
 * @param source what the messages call the file
 * @throws ConvScopeError 'damaged' for a malformed file, 'unsupported' for an element type that is not read
 */
export function readSafetensorsHeader(
  fileBytes: number,
  read: (offset: number, length: number) => Uint8Array,
  source: string,
): SafetensorsEntry[] {
  const refuse = (reason: string): ConvScopeError =>
    new ConvScopeError('damaged', `${source} cannot be read: ${reason}.`, { remedy: 'Fetch or export the file again.' })
  if (fileBytes === 0) throw refuse('it is empty')
  if (fileBytes < LENGTH_BYTES) throw refuse('it ends within its first 8 bytes')
  const prefix = read(0, LENGTH_BYTES)
  const headerBytes = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true)
  if (headerBytes > BigInt(MAX_HEADER_BYTES))
    throw refuse(`its header claims ${headerBytes} bytes, more than any network needs`)
  if (headerBytes > BigInt(fileBytes - LENGTH_BYTES))
    throw refuse(`its header of ${headerBytes} bytes reaches past the end of the file`)
  const start = LENGTH_BYTES + Number(headerBytes)
  const dataBytes = fileBytes - start

  const entries: SafetensorsEntry[] = []
  for (const [name, value] of Object.entries(parseHeader(read(LENGTH_BYTES, Number(headerBytes)), refuse))) {
    if (name === '__metadata__') continue
    const entry = Entry.safeParse(value)
    if (!entry.success) throw refuse(`the entry of ${name} is not { dtype, shape, data_offsets }`)
    const { dtype, shape, data_offsets } = entry.data
    const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined
    if (type === undefined) {
      throw new ConvScopeError('unsupported', `${source} cannot be read: ${name} has the element type ${dtype}.`, {
        remedy: `Convert it to one of ${Object.keys(TYPES).join(', ')}.`,
      })
    }
    const [from, to] = data_offsets
    if (from > to || to > dataBytes) throw refuse(`${name} lies at bytes ${from} to ${to} of ${dataBytes}`)
    const needed = BYTES_OF_TYPE[type] * sizeOf(shape)
    if (needed !== to - from)
      throw refuse(`${name} of shape [${shape.join(', ')}] needs ${needed} bytes and has ${to - from}`)
    entries.push({ name, type, shape, offset: start + from, byteLength: needed })
  }
  requireSeamless(entries, start, fileBytes, refuse)
  return entries
}

export interface SafetensorsPlan {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly byteLength: number
}

/** The bytes before the data of tensors that follow one another in this order; a multiple of 8, so that data is aligned. */
export function encodeSafetensorsHeader(tensors: readonly SafetensorsPlan[]): Uint8Array {
  const header: Record<string, z.infer<typeof Entry>> = {}
  let offset = 0
  for (const { name, dtype, shape, byteLength } of tensors) {
    header[name] = { dtype, shape: [...shape], data_offsets: [offset, offset + byteLength] }
    offset += byteLength
  }
  const encoded = new TextEncoder().encode(JSON.stringify(header))
  const padded = Math.ceil(encoded.byteLength / LENGTH_BYTES) * LENGTH_BYTES
  const bytes = new Uint8Array(LENGTH_BYTES + padded)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.set(encoded, LENGTH_BYTES)
  bytes.fill(0x20, LENGTH_BYTES + encoded.byteLength)
  return bytes
}

function parseHeader(bytes: Uint8Array, refuse: (reason: string) => ConvScopeError): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw refuse(`its header is not JSON (${error instanceof Error ? error.message : String(error)})`)
  }
  const header = Header.safeParse(parsed)
  if (!header.success || Array.isArray(parsed)) throw refuse('its header is not a JSON object')
  return header.data
}

/** The tensors must cover the data without gap or overlap. */
function requireSeamless(
  entries: readonly SafetensorsEntry[],
  start: number,
  fileBytes: number,
  refuse: (reason: string) => ConvScopeError,
): void {
  let end = start
  for (const { offset, byteLength } of entries.toSorted((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)) {
    if (offset !== end) {
      throw refuse(
        offset < end
          ? 'two tensors overlap'
          : `bytes ${end - start} to ${offset - start} of its data belong to no tensor`,
      )
    }
    end = offset + byteLength
  }
  if (end !== fileBytes) throw refuse(`bytes ${end - start} to ${fileBytes - start} of its data belong to no tensor`)
}
