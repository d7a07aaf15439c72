/**
 * The safetensors format: 8 bytes little-endian header length, a JSON header `{ name: { dtype, shape, data_offsets } }`, raw
 * little-endian data. Every size is checked against the length of the file before anything is allocated.
 */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'

/** As stored; F16 and BF16 are read to float32. */
export type SafeTensorDtype = 'F32' | 'F64' | 'I32' | 'U8'
export type SafeTensorData = Float32Array | Float64Array | Int32Array | Uint8Array
export interface SafeTensor {
  readonly dtype: SafeTensorDtype
  readonly shape: readonly number[]
  readonly data: SafeTensorData
}

const MAX_HEADER_BYTES = 100_000_000
const BYTES_OF = { F32: 4, F64: 8, I32: 4, U8: 1, F16: 2, BF16: 2 } as const
type StoredDtype = keyof typeof BYTES_OF

const size = z.number().int().nonnegative()
const Header = z.record(z.string(), z.unknown())
const Entry = z.strictObject({ dtype: z.string(), shape: z.array(size), data_offsets: z.tuple([size, size]) })

/**
 * @param source what the messages call the file
 * @throws ConvScopeError 'damaged' for a malformed file, 'unsupported' for an element type that is not read
 */
export function decodeSafetensors(bytes: Uint8Array, source = 'The safetensors file'): Map<string, SafeTensor> {
  const refuse = damaged(source)
  if (bytes.byteLength === 0) throw refuse('it is empty')
  if (bytes.byteLength < 8) throw refuse('it ends within its first 8 bytes')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerBytes = view.getBigUint64(0, true)
  if (headerBytes > BigInt(MAX_HEADER_BYTES))
    throw refuse(`its header claims ${headerBytes} bytes, more than any network needs`)
  if (headerBytes > BigInt(bytes.byteLength - 8))
    throw refuse(`its header of ${headerBytes} bytes reaches past the end of the file`)
  const start = 8 + Number(headerBytes)
  const header = parseHeader(bytes.subarray(8, start), refuse)
  const data = bytes.subarray(start)

  const tensors = new Map<string, SafeTensor>()
  const ranges: [number, number][] = []
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const entry = Entry.safeParse(value)
    if (!entry.success) throw refuse(`the entry of ${name} is not { dtype, shape, data_offsets }`)
    const { dtype, shape, data_offsets } = entry.data
    if (!isStored(dtype)) {
      throw new ConvScopeError('unsupported', `${source} cannot be read: ${name} has the element type ${dtype}.`, {
        remedy: `Convert it to one of ${Object.keys(BYTES_OF).join(', ')}.`,
      })
    }
    const [from, to] = data_offsets
    if (from > to || to > data.byteLength) throw refuse(`${name} lies at bytes ${from} to ${to} of ${data.byteLength}`)
    const count = shape.reduce((product, length) => product * length, 1)
    if (count * BYTES_OF[dtype] !== to - from) {
      throw refuse(`${name} of shape [${shape.join(', ')}] needs ${count * BYTES_OF[dtype]} bytes and has ${to - from}`)
    }
    ranges.push([from, to])
    tensors.set(name, read(dtype, shape, data.subarray(from, to)))
  }
  requireSeamless(ranges, data.byteLength, refuse)
  return tensors
}

/** The tensors in the order given, widest elements first so that every one is aligned. */
export function encodeSafetensors(tensors: Readonly<Record<string, SafeTensor>>): Uint8Array {
  const entries = Object.entries(tensors).sort(([, a], [, b]) => BYTES_OF[b.dtype] - BYTES_OF[a.dtype])
  const header: Record<string, z.infer<typeof Entry>> = {}
  let offset = 0
  for (const [name, { dtype, shape, data }] of entries) {
    const count = shape.reduce((product, length) => product * length, 1)
    if (count !== data.length) throw new RangeError(`${name} of shape [${shape.join(', ')}] has ${data.length} values`)
    header[name] = { dtype, shape: [...shape], data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  const text = JSON.stringify(header)
  const encoded = new TextEncoder().encode(text)
  const padded = Math.ceil(encoded.byteLength / 8) * 8
  const bytes = new Uint8Array(8 + padded + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.set(encoded, 8)
  bytes.fill(0x20, 8 + encoded.byteLength, 8 + padded)
  let end = 8 + padded
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), end)
    end += data.byteLength
  }
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

function isStored(dtype: string): dtype is StoredDtype {
  return Object.hasOwn(BYTES_OF, dtype)
}

function read(dtype: StoredDtype, shape: number[], bytes: Uint8Array): SafeTensor {
  if (dtype === 'U8') return { dtype, shape, data: bytes }
  if (dtype === 'F16' || dtype === 'BF16') return { dtype: 'F32', shape, data: widen(dtype, bytes) }
  // Elements must be aligned; the header may have any length.
  const aligned = bytes.byteOffset % BYTES_OF[dtype] === 0 ? bytes : bytes.slice()
  const { buffer, byteOffset } = aligned
  const count = aligned.byteLength / BYTES_OF[dtype]
  if (dtype === 'F32') return { dtype, shape, data: new Float32Array(buffer, byteOffset, count) }
  if (dtype === 'F64') return { dtype, shape, data: new Float64Array(buffer, byteOffset, count) }
  return { dtype, shape, data: new Int32Array(buffer, byteOffset, count) }
}

function widen(dtype: 'F16' | 'BF16', bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float32Array(bytes.byteLength / 2)
  if (dtype === 'F16') {
    for (let index = 0; index < values.length; index++) values[index] = float16(view.getUint16(index * 2, true))
    return values
  }
  // BF16 is the upper half of a float32.
  const words = new Uint32Array(values.buffer)
  for (let index = 0; index < words.length; index++) words[index] = view.getUint16(index * 2, true) << 16
  return values
}

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The tensors must cover the data without gap or overlap. */
function requireSeamless(ranges: [number, number][], length: number, refuse: (reason: string) => ConvScopeError): void {
  let end = 0
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (from !== end)
      throw refuse(from < end ? 'two tensors overlap' : `bytes ${end} to ${from} of its data belong to no tensor`)
    end = to
  }
  if (end !== length) throw refuse(`bytes ${end} to ${length} of its data belong to no tensor`)
}

function damaged(source: string): (reason: string) => ConvScopeError {
  return (reason) =>
    new ConvScopeError('damaged', `${source} cannot be read: ${reason}.`, { remedy: 'Fetch or export the file again.' })
}
