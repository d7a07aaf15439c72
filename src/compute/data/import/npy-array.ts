/** `.npy` files with the element types that data sets are saved in; C and Fortran order. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/size-of.ts'

export interface NpyArray {
  readonly shape: readonly number[]
  /** C order. */
  readonly values: ArrayLike<number | bigint>
}

const MAGIC = '\u0093NUMPY'
const MAXIMUM_HEADER_BYTES = 65_536
const MAXIMUM_BYTES = 2 ** 31

type Make = (buffer: ArrayBuffer) => ArrayLike<number | bigint>
const TYPES: Readonly<Record<string, readonly [bytes: number, make: Make]>> = {
  u1: [1, (buffer) => new Uint8Array(buffer)],
  i1: [1, (buffer) => new Int8Array(buffer)],
  u2: [2, (buffer) => new Uint16Array(buffer)],
  i2: [2, (buffer) => new Int16Array(buffer)],
  u4: [4, (buffer) => new Uint32Array(buffer)],
  i4: [4, (buffer) => new Int32Array(buffer)],
  u8: [8, (buffer) => new BigUint64Array(buffer)],
  i8: [8, (buffer) => new BigInt64Array(buffer)],
  f4: [4, (buffer) => new Float32Array(buffer)],
  f8: [8, (buffer) => new Float64Array(buffer)],
}

/** @throws ConvScopeError 'damaged', 'too-large' or 'unsupported' that names the file */
export function readNpy(bytes: Uint8Array, name: string): NpyArray {
  const refuse = (reason: string): ConvScopeError =>
    new ConvScopeError('damaged', `${name} cannot be read as a NumPy array: ${reason}`, { remedy: 'Save it again.' })
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC)
    throw refuse('it does not begin like one')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6] ?? 0
  if (version < 1 || version > 3) throw refuse(`its version ${version} is unknown`)
  const start = (version === 1 ? 10 : 12) + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (start > bytes.length || start > MAXIMUM_HEADER_BYTES) throw refuse('it ends inside its header')
  const header = new TextDecoder().decode(bytes.subarray(version === 1 ? 10 : 12, start))
  const [, order, code] = /'descr'\s*:\s*'([<>|=]?)([a-zA-Z]\d*)'/.exec(header) ?? []
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1]
  const tuple = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1]
  if (fortran === undefined || tuple === undefined || code === undefined) {
    throw refuse(
      /'descr'\s*:\s*'?\|?O/.test(header) ? 'it holds Python objects' : 'its header lacks descr, order or shape',
    )
  }
  const type = TYPES[code]
  if (!type) {
    throw new ConvScopeError('unsupported', `${name} holds elements of the type ${code}`, {
      remedy: 'Save pictures as uint8 and labels as int32 or int64.',
    })
  }
  const shape = tuple
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number)
  const count = sizeOf(shape)
  const needed = count * type[0]
  if (!Number.isSafeInteger(needed) || needed > MAXIMUM_BYTES) {
    throw new ConvScopeError(
      'too-large',
      `${name} declares ${shape.join(' × ')} values; ${MAXIMUM_BYTES} bytes are read`,
      {
        remedy: 'Save it in several arrays.',
      },
    )
  }
  if (needed !== bytes.length - start) {
    throw refuse(`its shape ${shape.join(' × ')} needs ${needed} bytes and it has ${bytes.length - start}`)
  }
  const buffer = new Uint8Array(bytes.subarray(start)).buffer
  if (order === '>') swapBytes(new Uint8Array(buffer), type[0])
  const values = type[1](buffer)
  return { shape, values: fortran === 'True' && shape.length > 1 ? inRowOrder(values, shape, type) : values }
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let place = 0; place < bytes.length; place += width) bytes.subarray(place, place + width).reverse()
}

/** From the first index fastest to the last index fastest. */
function inRowOrder(
  values: ArrayLike<number | bigint>,
  shape: readonly number[],
  [width, make]: readonly [number, Make],
): ArrayLike<number | bigint> {
  const ordered = make(new ArrayBuffer(values.length * width)) as { [index: number]: number | bigint; length: number }
  const steps = shape.map((_, axis) => sizeOf(shape.slice(0, axis)))
  const index = shape.map(() => 0)
  for (let place = 0; place < values.length; place++) {
    ordered[place] = values[index.reduce((sum, at, axis) => sum + at * (steps[axis] ?? 0), 0)] ?? 0
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break
      index[axis] = 0
    }
  }
  return ordered
}
