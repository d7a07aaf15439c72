/** Whole safetensors files in memory; the header and its checks are in `files/safetensors-header.ts`. */
import { ConvScopeError } from '../../shared/errors.ts'
import { toFloat32, type ElementType } from '../files/element-types.ts'
import { encodeSafetensorsHeader, readSafetensorsHeader } from '../files/safetensors-header.ts'

/** As stored; F16 and BF16 are read to float32. */
export type SafeTensorDtype = 'F32' | 'F64' | 'I32' | 'U8'
export type SafeTensorData = Float32Array | Float64Array | Int32Array | Uint8Array
export interface SafeTensor {
  readonly dtype: SafeTensorDtype
  readonly shape: readonly number[]
  readonly data: SafeTensorData
}

const BYTES_OF = { F32: 4, F64: 8, I32: 4, U8: 1 } as const

/**
 * @param source what the messages call the file
 * @throws ConvScopeError 'damaged' for a malformed file, 'unsupported' for an element type that is not read
 */
export function decodeSafetensors(bytes: Uint8Array, source = 'The safetensors file'): Map<string, SafeTensor> {
  // What comes from a file is a Buffer, whose pieces would be Buffers too, and whose `slice` does not copy.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = (offset: number, length: number): Uint8Array => plain.subarray(offset, offset + length)
  return new Map(
    readSafetensorsHeader(bytes.byteLength, read, source).map(({ name, type, shape, offset, byteLength }) => [
      name,
      tensorOf(type, shape, read(offset, byteLength), () => notHeld(source, name, type)),
    ]),
  )
}

/** The tensors in the order given, widest elements first so that every one is aligned. */
export function encodeSafetensors(tensors: Readonly<Record<string, SafeTensor>>): Uint8Array {
  const entries = Object.entries(tensors).sort(([, a], [, b]) => BYTES_OF[b.dtype] - BYTES_OF[a.dtype])
  for (const [name, { shape, data }] of entries) {
    const count = shape.reduce((product, length) => product * length, 1)
    if (count !== data.length) throw new RangeError(`${name} of shape [${shape.join(', ')}] has ${data.length} values`)
  }
  const header = encodeSafetensorsHeader(
    entries.map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, byteLength: data.byteLength })),
  )
  const bytes = new Uint8Array(entries.reduce((sum, [, { data }]) => sum + data.byteLength, header.byteLength))
  bytes.set(header)
  let end = header.byteLength
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), end)
    end += data.byteLength
  }
  return bytes
}

function tensorOf(
  type: ElementType,
  shape: readonly number[],
  bytes: Uint8Array,
  refuse: () => ConvScopeError,
): SafeTensor {
  if (type === 'uint8') return { dtype: 'U8', shape, data: bytes }
  if (type === 'float16' || type === 'bfloat16') return { dtype: 'F32', shape, data: toFloat32(bytes, type) }
  const width = type === 'float64' ? 8 : 4
  // Elements must be aligned; the header may have any length.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % width === 0 ? bytes : bytes.slice()
  if (type === 'float32') return { dtype: 'F32', shape, data: new Float32Array(buffer, byteOffset, byteLength / width) }
  if (type === 'float64') return { dtype: 'F64', shape, data: new Float64Array(buffer, byteOffset, byteLength / width) }
  if (type === 'int32') return { dtype: 'I32', shape, data: new Int32Array(buffer, byteOffset, byteLength / width) }
  throw refuse()
}

function notHeld(source: string, name: string, type: ElementType): ConvScopeError {
  return new ConvScopeError('unsupported', `${source} cannot be read: ${name} has the element type ${type}.`, {
    remedy: 'Convert it to float32.',
  })
}
