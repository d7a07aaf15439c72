/** NumPy's `.npy` format, versions 1 to 3: C order, little-endian float32, float64, int32 and uint8. */
import { ConvScopeError } from './errors.ts'
import { sizeOf } from './size-of.ts'

export type ArrayValues = Float32Array | Float64Array | Int32Array | Uint8Array

/** A C-order array: `values[((i * shape[1]) + j) * shape[2] + …]`. */
export interface NumberArray {
  readonly shape: readonly number[]
  readonly values: ArrayValues
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const
/** Header and data together start the data at a multiple of this. */
const ALIGNMENT_BYTES = 64
const MAX_HEADER_BYTES = 65_536
const VALUE_BYTES = { '<f4': 4, '<f8': 8, '<i4': 4, '|u1': 1, '<u1': 1 } as const
type ValueType = keyof typeof VALUE_BYTES

/**
 * A file of version 1.
 * @throws RangeError when the shape does not hold as many values as there are
 */
export function encodeNpy(shape: readonly number[], values: ArrayValues): Uint8Array<ArrayBuffer> {
  const count = sizeOf(shape)
  if (count !== values.length)
    throw new RangeError(`an array of shape [${shape.join(', ')}] has ${count} values, not ${values.length}`)
  const header = encodeNpyHeader(shape, typeOf(values))
  const file = new Uint8Array(header.length + values.byteLength)
  file.set(header)
  // Every platform that this runs on keeps numbers little-endian, as the header says.
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), header.length)
  return file
}

/** What stands before the values, for files that are written piece by piece: 128 bytes for pictures `[count, height, width, channels]`. */
export function encodeNpyHeader(shape: readonly number[], type: ValueType): Uint8Array<ArrayBuffer> {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${tuple}), }`
  const prefix = MAGIC.length + 4
  const bytes = Math.ceil((prefix + text.length + 1) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
  const header = new Uint8Array(bytes)
  header.set(MAGIC)
  header[MAGIC.length] = 1
  new DataView(header.buffer).setUint16(MAGIC.length + 2, bytes - prefix, true)
  header.set(new TextEncoder().encode(`${text.padEnd(bytes - prefix - 1)}\n`), prefix)
  return header
}

/**
 * A copy of what the file holds.
 * @param source what the messages call the file
 * @throws ConvScopeError 'damaged' for a malformed file, 'unsupported' for Fortran order and other element types
 */
export function decodeNpy(bytes: Uint8Array, source = 'The .npy file'): NumberArray {
  const refuse = (reason: string): ConvScopeError =>
    new ConvScopeError('damaged', `${source} cannot be read: ${reason}.`, {
      remedy: 'Compute, fetch or export it again.',
    })
  if (bytes.byteLength < 12 || MAGIC.some((byte, index) => bytes[index] !== byte))
    throw refuse('it does not begin like a .npy file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint8(MAGIC.length)
  if (version < 1 || version > 3) throw refuse(`its version ${version} is unknown`)
  const headerStart = version === 1 ? 10 : 12
  const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const start = headerStart + headerBytes
  if (headerBytes > MAX_HEADER_BYTES || start > bytes.byteLength) throw refuse(`its header claims ${headerBytes} bytes`)
  const header = new TextDecoder().decode(bytes.subarray(headerStart, start))
  const type = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1]
  const tuple = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1]
  if (type === undefined || order === undefined || tuple === undefined)
    throw refuse('its header lacks descr, order or shape')
  const shape = tuple
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number)
  if (!isRead(type) || (order === 'True' && shape.length > 1)) {
    const what = isRead(type) ? 'Fortran order' : `element type ${type}`
    throw new ConvScopeError('unsupported', `${source} cannot be read: it has ${what}.`, {
      remedy: 'Save it in C order as little-endian float32, float64, int32 or uint8.',
    })
  }
  const needed = sizeOf(shape) * VALUE_BYTES[type]
  const room = bytes.byteLength - start
  if (needed !== room) throw refuse(`its shape [${shape.join(', ')}] needs ${needed} bytes and it has ${room}`)
  // A copy, so that the elements are aligned.
  return { shape, values: viewOf(type, new Uint8Array(bytes.subarray(start)).buffer) }
}

function isRead(type: string): type is ValueType {
  return Object.hasOwn(VALUE_BYTES, type)
}

function typeOf(values: ArrayValues): ValueType {
  if (values instanceof Float32Array) return '<f4'
  if (values instanceof Float64Array) return '<f8'
  return values instanceof Int32Array ? '<i4' : '|u1'
}

function viewOf(type: ValueType, buffer: ArrayBuffer): ArrayValues {
  switch (type) {
    case '<f4':
      return new Float32Array(buffer)
    case '<f8':
      return new Float64Array(buffer)
    case '<i4':
      return new Int32Array(buffer)
    default:
      return new Uint8Array(buffer)
  }
}
