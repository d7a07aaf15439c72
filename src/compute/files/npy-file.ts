/** NumPy's `.npy` read from a file: C and Fortran order, either byte order, every type of number. */
import { ConvScopeError } from '../../shared/errors.ts'
import { sizeOf } from '../../shared/size-of.ts'
import { BYTES_OF_TYPE, toFloat32, type ElementType } from './element-types.ts'
import { beginsWith } from './file-kind.ts'
import type { SourceFile } from './source-file.ts'
import { gatherStrided } from './strided.ts'

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
const MAX_HEADER_BYTES = 65_536
const MAX_RANK = 32
const TYPES: Readonly<Record<string, ElementType>> = {
  f8: 'float64',
  f4: 'float32',
  f2: 'float16',
  i8: 'int64',
  u8: 'uint64',
  i4: 'int32',
  u4: 'uint32',
  i2: 'int16',
  u2: 'uint16',
  i1: 'int8',
  u1: 'uint8',
  b1: 'bool',
}

export interface NpyFile {
  readonly shape: readonly number[]
  /** Row-major whatever the file's order; read anew at every call. */
  readonly values: () => Float32Array
}

/** Whether it begins like a `.npy` file. */
export function isNpy(file: SourceFile): boolean {
  return beginsWith(file, MAGIC)
}

/** @throws ConvScopeError 'damaged', or 'unsupported' for elements that are no numbers */
export function openNpy(file: SourceFile): NpyFile {
  const refuse = (reason: string): ConvScopeError =>
    new ConvScopeError('damaged', `${file.name} cannot be read: ${reason}.`, {
      remedy: 'Compute, fetch or export it again.',
    })
  if (!isNpy(file)) throw refuse('it does not begin like a .npy file')
  const version = file.read(6, 1)[0] ?? 0
  if (version < 1 || version > 3) throw refuse(`its version ${version} is unknown`)
  const prefix = file.read(8, version === 1 ? 2 : 4)
  const view = new DataView(prefix.buffer, prefix.byteOffset)
  const headerBytes = version === 1 ? view.getUint16(0, true) : view.getUint32(0, true)
  const start = 8 + prefix.length + headerBytes
  if (headerBytes > MAX_HEADER_BYTES || start > file.size) throw refuse(`its header claims ${headerBytes} bytes`)
  const header = new TextDecoder().decode(file.read(8 + prefix.length, headerBytes))
  const [, order, kind] = /'descr'\s*:\s*'([<>|=]?)(\w+)'/.exec(header) ?? []
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1]
  const tuple = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1]
  if (kind === undefined || fortran === undefined || tuple === undefined)
    throw refuse('its header lacks descr, order or shape, or its elements are no numbers')
  const type = Object.hasOwn(TYPES, kind) ? TYPES[kind] : undefined
  if (type === undefined) {
    throw new ConvScopeError('unsupported', `${file.name} cannot be read: its elements are of the type ${kind}.`, {
      remedy: 'Save it as float32.',
    })
  }
  const shape = tuple
    .split(/[,\s]+/)
    .filter(Boolean)
    .map((size) => Number(size.replace(/L$/, '')))
  const bytes = BYTES_OF_TYPE[type] * sizeOf(shape)
  if (shape.length > MAX_RANK || bytes !== file.size - start)
    throw refuse(`its shape [${shape.join(', ')}] needs ${bytes} bytes and it has ${file.size - start}`)
  return {
    shape,
    values: () => {
      const stored = toFloat32(file.read(start, bytes), type, order !== '>')
      return fortran === 'True' && shape.length > 1 ? rowMajor(stored, shape) : stored
    },
  }
}

/** From Fortran order, in which the first index runs fastest. */
function rowMajor(stored: Float32Array, shape: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)))
  return gatherStrided(stored, shape, strides)
}
