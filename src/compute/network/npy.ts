/** The .npy format of numpy, version 1.0 and 2.0: C order, little-endian float32, float64, int32 and uint8. */
import { ConvScopeError } from '../../shared/errors.ts'

export type NpyData = Float32Array | Float64Array | Int32Array | Uint8Array
export interface NpyArray {
  readonly shape: readonly number[]
  readonly data: NpyData
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const
const MAX_HEADER_BYTES = 65_536
const DESCRIPTIONS = { '<f4': 4, '<f8': 8, '<i4': 4, '|u1': 1, '<u1': 1 } as const

/** @throws RangeError when the shape does not hold as many values as there are. */
export function encodeNpy({ shape, data }: NpyArray): Uint8Array {
  if (shape.reduce((product, size) => product * size, 1) !== data.length) {
    throw new RangeError(`an array of shape [${shape.join(', ')}] cannot have ${data.length} values`)
  }
  const tuple = shape.length === 1 ? `(${shape.join('')},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${describe(data)}', 'fortran_order': False, 'shape': ${tuple}, }`
  // Magic, version, header length and header together fill a multiple of 64 bytes; the header ends with a line feed.
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11, ' ')}\n`
  const bytes = new Uint8Array(10 + header.length + data.byteLength)
  bytes.set(MAGIC)
  bytes.set([1, 0, header.length & 0xff, header.length >> 8], 6)
  bytes.set(new TextEncoder().encode(header), 10)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length)
  return bytes
}

/**
 * @param source what the messages call the file
 * @throws ConvScopeError 'damaged' for a malformed file, 'unsupported' for Fortran order and other element types
 */
export function decodeNpy(bytes: Uint8Array, source = 'The .npy file'): NpyArray {
  const refuse = (reason: string): ConvScopeError =>
    new ConvScopeError('damaged', `${source} cannot be read: ${reason}.`, { remedy: 'Fetch or export the file again.' })
  if (bytes.byteLength < 12 || MAGIC.some((byte, index) => bytes[index] !== byte))
    throw refuse('it does not begin like a .npy file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint8(6)
  if (version !== 1 && version !== 2) throw refuse(`its version ${version} is unknown`)
  const start = version === 1 ? 10 : 12
  const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (headerBytes > MAX_HEADER_BYTES || start + headerBytes > bytes.byteLength) {
    throw refuse(`its header claims ${headerBytes} bytes`)
  }
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + headerBytes))
  const description = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1]
  const tuple = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1]
  if (description === undefined || order === undefined || tuple === undefined)
    throw refuse('its header lacks descr, order or shape')
  if (!isRead(description) || (order === 'True' && tuple.split(',').filter((part) => part.trim() !== '').length > 1)) {
    const what = isRead(description) ? 'Fortran order' : `element type ${description}`
    throw new ConvScopeError('unsupported', `${source} cannot be read: it has ${what}.`, {
      remedy: 'Save it in C order as little-endian float32, float64, int32 or uint8.',
    })
  }
  const shape = tuple
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number)
  const count = shape.reduce((product, size) => product * size, 1)
  const room = bytes.byteLength - start - headerBytes
  if (count * DESCRIPTIONS[description] !== room) {
    throw refuse(`its shape [${shape.join(', ')}] needs ${count * DESCRIPTIONS[description]} bytes and it has ${room}`)
  }
  // A copy, so that the elements are aligned.
  return { shape, data: viewOf(description, bytes.slice(start + headerBytes)) }
}

function isRead(description: string): description is keyof typeof DESCRIPTIONS {
  return Object.hasOwn(DESCRIPTIONS, description)
}

function describe(data: NpyData): keyof typeof DESCRIPTIONS {
  if (data instanceof Float32Array) return '<f4'
  if (data instanceof Float64Array) return '<f8'
  return data instanceof Int32Array ? '<i4' : '|u1'
}

function viewOf(description: keyof typeof DESCRIPTIONS, { buffer }: Uint8Array<ArrayBuffer>): NpyData {
  switch (description) {
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
