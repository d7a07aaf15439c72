import { ConvScopeError } from '../../shared/errors.ts'

export type ArrayValues = Float32Array | Float64Array | Int32Array | Uint8Array

/** A C-order array: `values[((i * shape[1]) + j) * shape[2] + …]`. */
export interface NumberArray {
  readonly shape: readonly number[]
  readonly values: ArrayValues
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

const TYPES = {
  '<f4': { bytes: 4, make: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  '<f8': { bytes: 8, make: (buffer: ArrayBuffer) => new Float64Array(buffer) },
  '<i4': { bytes: 4, make: (buffer: ArrayBuffer) => new Int32Array(buffer) },
  '|u1': { bytes: 1, make: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
} as const

const damaged = (reason: string): ConvScopeError =>
  new ConvScopeError('damaged', `An array file cannot be read: ${reason}`, { remedy: 'Compute it again.' })

/**
 * Reads NumPy's format (versions 1 to 3; little-endian float32, float64, int32 and uint8 in C order).
 * @throws ConvScopeError 'damaged' when the file is malformed, cut off or of another type
 */
export function parseNpy(bytes: Uint8Array): NumberArray {
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw damaged('it does not begin like one')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const long = view.getUint8(6) > 1
  const headerStart = long ? 12 : 10
  const headerEnd = headerStart + (long ? view.getUint32(8, true) : view.getUint16(8, true))
  if (headerEnd > bytes.length) throw damaged('its header is cut off')
  const header = new TextDecoder().decode(bytes.subarray(headerStart, headerEnd))
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1]
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1]
  if (descr === undefined || shapeText === undefined) throw damaged('its header is incomplete')
  if (/'fortran_order':\s*True/.test(header)) throw damaged('it is in Fortran order')
  const type = TYPES[descr as keyof typeof TYPES]
  if (!Object.hasOwn(TYPES, descr)) throw damaged(`values of type ${descr} are not known`)
  const shape = shapeText
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number)
  const count = shape.reduce((product, extent) => product * extent, 1)
  if (!Number.isSafeInteger(count) || count < 0) throw damaged('its shape is impossible')
  const end = headerEnd + count * type.bytes
  if (end > bytes.length) throw damaged('its values are cut off')
  return { shape, values: type.make(bytes.slice(headerEnd, end).buffer) }
}

/** The float32 array as a `.npy` file of version 1. */
export function writeNpy(shape: readonly number[], values: Float32Array): Uint8Array<ArrayBuffer> {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${tuple}), }`
  const headerLength = Math.ceil((10 + text.length + 1) / 64) * 64 - 10
  const bytes = new Uint8Array(10 + headerLength + values.byteLength)
  bytes.set(MAGIC, 0)
  bytes[6] = 1
  new DataView(bytes.buffer).setUint16(8, headerLength, true)
  bytes.set(new TextEncoder().encode(text.padEnd(headerLength - 1) + '\n'), 10)
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 10 + headerLength)
  return bytes
}
