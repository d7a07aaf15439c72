/**
 * IDX, the format of MNIST: two zero bytes, a type code, the number of dimensions, each dimension as a big-endian
 * 32-bit number, then the values, big-endian, last dimension fastest. Also gzipped.
 */
import { constants, gunzipSync } from 'node:zlib'
import { ConvScopeError } from '../../shared/errors.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** Shorts come out as int32, as in safetensors. */
export type IdxValues = Uint8Array | Int8Array | Int32Array | Float32Array | Float64Array

export interface IdxArray {
  readonly shape: readonly number[]
  readonly values: IdxValues
}

export interface IdxOptions {
  /** Named in error messages. */
  readonly name: string
  /** Largest number of bytes of values that are read. */
  readonly maximumBytes?: number
}

const DEFAULT_MAXIMUM_BYTES = 1024 ** 3
const MAXIMUM_DIMENSIONS = 8
/** Enough compressed bytes to hold gzip's own header and the longest IDX header. */
const HEADER_PROBE_BYTES = 4096

const BYTES_PER_VALUE: Readonly<Record<number, number>> = { 0x08: 1, 0x09: 1, 0x0b: 2, 0x0c: 4, 0x0d: 4, 0x0e: 8 }

interface Header {
  readonly type: number
  readonly shape: readonly number[]
  readonly headerBytes: number
  readonly valueBytes: number
}

/**
 * Reads an IDX file, plain or gzipped. The declared size is checked against the limit and against the bytes present
 * before anything of that size is allocated.
 * @throws ConvScopeError 'damaged' for a malformed or truncated file, 'too-large' above `maximumBytes`
 */
export function readIdx(bytes: Uint8Array, options: IdxOptions): IdxArray {
  const { name, maximumBytes = DEFAULT_MAXIMUM_BYTES } = options
  const zipped = bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b
  const start = zipped ? unzipStart(bytes, name) : bytes
  const header = readHeader(start, name, maximumBytes)
  const plain = zipped ? unzip(bytes, header.headerBytes + header.valueBytes, name) : bytes
  const expected = header.headerBytes + header.valueBytes
  if (plain.length !== expected) {
    const difference = plain.length < expected ? 'ends early' : 'has bytes after its end'
    throw damaged(name, `it ${difference}: its header promises ${expected} bytes, there are ${plain.length}`)
  }
  return { shape: header.shape, values: readValues(plain.subarray(header.headerBytes), header.type) }
}

function readHeader(bytes: Uint8Array, name: string, maximumBytes: number): Header {
  if (bytes.length < 4) throw damaged(name, `it is only ${bytes.length} bytes long`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint16(0) !== 0) throw damaged(name, 'it does not begin with two zero bytes, so it is not an IDX file')
  const type = view.getUint8(2)
  const bytesPerValue = BYTES_PER_VALUE[type]
  if (bytesPerValue === undefined)
    throw damaged(name, `0x${type.toString(16).padStart(2, '0')} is not an IDX type code`)
  const dimensions = view.getUint8(3)
  if (dimensions === 0 || dimensions > MAXIMUM_DIMENSIONS) {
    throw damaged(name, `it declares ${dimensions} dimensions; 1 to ${MAXIMUM_DIMENSIONS} are possible`)
  }
  const headerBytes = 4 + 4 * dimensions
  if (bytes.length < headerBytes) throw damaged(name, 'it ends inside its header')
  const shape = Array.from({ length: dimensions }, (_, index) => view.getUint32(4 + 4 * index))
  const valueBytes = bytesPerValue * sizeOf(shape)
  if (valueBytes > maximumBytes) {
    throw new ConvScopeError(
      'too-large',
      `${name} declares ${valueBytes} bytes of values (${shape.join(' × ')}); the limit is ${maximumBytes}`,
      { remedy: 'Split the file, or check that it is what it should be.' },
    )
  }
  return { type, shape, headerBytes, valueBytes }
}

function unzipStart(bytes: Uint8Array, name: string): Uint8Array {
  try {
    return gunzipSync(bytes.subarray(0, HEADER_PROBE_BYTES), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch (error) {
    throw damaged(name, `its gzip data cannot be read (${messageOf(error)})`)
  }
}

function unzip(bytes: Uint8Array, expected: number, name: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(expected, 1) })
  } catch (error) {
    if (error instanceof RangeError)
      throw damaged(name, `its gzip data holds more than the ${expected} bytes that its header promises`)
    throw damaged(name, `its gzip data cannot be read (${messageOf(error)})`)
  }
}

function readValues(bytes: Uint8Array, type: number): IdxValues {
  if (type === 0x08) return bytes
  if (type === 0x09) return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (type === 0x0b) return Int32Array.from({ length: bytes.length / 2 }, (_, index) => view.getInt16(2 * index))
  if (type === 0x0c) return Int32Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(4 * index))
  if (type === 0x0d) return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index))
  return Float64Array.from({ length: bytes.length / 8 }, (_, index) => view.getFloat64(8 * index))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function damaged(name: string, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${name} cannot be read: ${reason}`, { remedy: 'Get the file again.' })
}
