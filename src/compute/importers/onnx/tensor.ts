/** Constants of an ONNX graph: where their numbers lie and in which order of axes. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { BYTES_OF_TYPE, toFloat32, type ElementType } from '../../files/element-types.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { rearranged, storedValues, valuesInMemory, type StoredValues } from '../assembly/stored-values.ts'
import type { ImportedTensor } from '../imported-network.ts'
import { DATA_TYPES, EXTERNAL, type TensorProto } from './schema.ts'

export interface Constant {
  readonly kind: 'constant'
  /** As stored. */
  readonly shape: readonly number[]
  /** For every axis of the constant, the stored axis. */
  readonly axes: readonly number[]
  readonly values: StoredValues
}

/** Longer lists are weights, not settings. */
const MAX_SETTINGS = 4096

/** Sizes as the graph sees them. */
export function dimsOf({ shape, axes }: Constant): number[] {
  return axes.map((axis) => shape[axis] ?? 1)
}

/** A parameter from a constant, its axes in another order. */
export function parameterOf(constant: Constant, axes: readonly number[]): ImportedTensor {
  return rearranged(
    constant.values,
    constant.shape,
    axes.map((axis) => constant.axes[axis] ?? axis),
  )
}

/** All values in the graph's order. */
export function numbersOf(constant: Constant): Float32Array {
  return rearranged(constant.values, constant.shape, constant.axes).values()
}

/** A short list of settings, such as a shape. @throws RangeError for what is longer */
export function settingsOf(constant: Constant): number[] {
  if (constant.values.count > MAX_SETTINGS) throw new RangeError(`${constant.values.count} values are no settings`)
  return Array.from(numbersOf(constant))
}

/**
 * @param files the files given together, where external weights may lie
 * @throws ConvScopeError 'damaged', 'unsupported' or 'invalid-input' that names the file and the constant
 */
export function constantOf(
  tensor: TensorProto,
  name: string,
  file: SourceFile,
  files: readonly SourceFile[],
): Constant {
  const shape = tensor.dims
  const values = valuesOf(tensor, name, file, files)
  const count = sizeOf(shape)
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0) || count !== values.count) {
    throw damaged(file, `${name} of shape [${shape.join(', ')}] needs ${count} values and has ${values.count}`)
  }
  return { kind: 'constant', shape, axes: shape.map((_, axis) => axis), values }
}

function valuesOf(tensor: TensorProto, name: string, file: SourceFile, files: readonly SourceFile[]): StoredValues {
  const type = DATA_TYPES[tensor.data_type ?? 0]
  if (type === undefined) {
    throw new ConvScopeError('unsupported', `${file.name}: ${name} has the element type ${tensor.data_type ?? 0}.`, {
      remedy: 'Export the network with weights of float32, float16, bfloat16 or float64.',
    })
  }
  if (tensor.data_location === EXTERNAL) return externalValues(tensor, type, name, file, files)
  if (tensor.raw_data !== undefined) {
    return range(file, tensor.raw_data.from, tensor.raw_data.to - tensor.raw_data.from, type, name)
  }
  if (tensor.float_data.length > 0) return storedValues(tensor.float_data)
  if (tensor.double_data.length > 0) return storedValues(tensor.double_data)
  if (type === 'float16' || type === 'bfloat16') {
    // The bits of each value stand in an integer of their own.
    const bits = Uint16Array.from(tensor.int32_data)
    return valuesInMemory(toFloat32(new Uint8Array(bits.buffer), type))
  }
  return valuesInMemory(Float32Array.from(tensor.int64_data.length > 0 ? tensor.int64_data : tensor.int32_data))
}

function externalValues(
  tensor: TensorProto,
  type: ElementType,
  name: string,
  file: SourceFile,
  files: readonly SourceFile[],
): StoredValues {
  const entry = (key: string): string | undefined => tensor.external_data.find((pair) => pair.key === key)?.value
  const location = entry('location') ?? ''
  // Only files that the user gave are read, whatever path the network names.
  const base = location.split(/[/\\]/).at(-1)
  const source = files.find((given) => given.name === base)
  if (source === undefined) {
    throw new ConvScopeError(
      'invalid-input',
      `${file.name} keeps ${name} in another file, ${base || 'without a name'}.`,
      {
        remedy: `Import ${file.name} together with ${base || 'its file of weights'}.`,
      },
    )
  }
  const offset = Number(entry('offset') ?? 0)
  const length = Number(entry('length') ?? source.size - offset)
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > source.size
  ) {
    throw damaged(source, `${name} lies at bytes ${offset} to ${offset + length} of ${source.size}`)
  }
  return range(source, offset, length, type, name)
}

function range(file: SourceFile, offset: number, length: number, type: ElementType, name: string): StoredValues {
  const stride = BYTES_OF_TYPE[type]
  if (length % stride !== 0) throw damaged(file, `${name} has ${length} bytes, no whole number of ${type}`)
  return storedValues([{ file, offset, count: length / stride, type, stride }])
}

function damaged(file: SourceFile, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${file.name} cannot be read: ${reason}.`, {
    remedy: 'Copy, download or export the file again.',
  })
}
