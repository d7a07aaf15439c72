/** Numbers of a parameter that stay in the file until they are asked for, and the change of their layout on the way. */
import { BYTES_OF_TYPE, toFloat32, type ElementType } from '../../files/element-types.ts'
import type { SourceFile } from '../../files/source-file.ts'
import type { ImportedTensor } from '../imported-network.ts'

/** Little-endian numbers at even distances. */
export interface StoredRun {
  readonly file: SourceFile
  /** Byte of the first. */
  readonly offset: number
  readonly count: number
  readonly type: ElementType
  /** Bytes from one to the next. */
  readonly stride: number
}

/** A list of float32 numbers, read piece by piece. */
export interface StoredValues {
  readonly count: number
  /** New or shared; not to be written to. */
  read(from: number, count: number): Float32Array
}

/** Bytes that are read at a time where a layout changes. */
const BLOCK_BYTES = 4_194_304

/** One list of all runs. */
export function storedValues(runs: readonly StoredRun[]): StoredValues {
  const count = runs.reduce((sum, run) => sum + run.count, 0)
  return {
    count,
    read: (from, length) => {
      const [only] = runs
      if (only !== undefined && runs.length === 1) return readRun(only, from, length)
      const values = new Float32Array(length)
      let start = 0
      for (const run of runs) {
        const first = Math.max(from, start)
        const last = Math.min(from + length, start + run.count)
        if (first < last) values.set(readRun(run, first - start, last - first), first - from)
        start += run.count
      }
      return values
    },
  }
}

export function valuesInMemory(values: Float32Array): StoredValues {
  return { count: values.length, read: (from, count) => values.subarray(from, from + count) }
}

/**
 * A parameter in another order of axes.
 * @param shape as stored, row-major
 * @param axes for every axis of the result, the stored axis that it comes from; the stored order when left out
 */
export function rearranged(values: StoredValues, shape: readonly number[], axes?: readonly number[]): ImportedTensor {
  const order = axes ?? shape.map((_, axis) => axis)
  return {
    shape: order.map((axis) => shape[axis] ?? 1),
    values: () => {
      if (values.count === 0) return new Float32Array(0)
      if (order.every((axis, index) => axis === index)) return values.read(0, values.count).slice()
      return rearrange(values, shape, order)
    },
  }
}

/** Reads blocks along the first stored axis, so that only the result and one block are in memory. */
function rearrange(values: StoredValues, shape: readonly number[], axes: readonly number[]): Float32Array {
  const steps = new Array<number>(shape.length).fill(0)
  let step = 1
  for (const axis of [...axes].reverse()) {
    steps[axis] = step
    step *= shape[axis] ?? 1
  }
  const [rows = 1, ...inner] = shape
  const [rowStep = 1, ...innerSteps] = steps
  const places = placesOf(inner, innerSteps)
  const result = new Float32Array(values.count)
  const block = Math.max(1, Math.floor(BLOCK_BYTES / 4 / places.length))
  for (let first = 0; first < rows; first += block) {
    const count = Math.min(block, rows - first)
    const stored = values.read(first * places.length, count * places.length)
    for (let index = 0; index < places.length; index++) {
      let to = (places[index] ?? 0) + first * rowStep
      for (let from = index; from < stored.length; from += places.length) {
        result[to] = stored[from] ?? 0
        to += rowStep
      }
    }
  }
  return result
}

/** Where the values of one row go, in the order in which they are stored. */
function placesOf(shape: readonly number[], steps: readonly number[]): Float64Array {
  let places = new Float64Array(1)
  for (const [axis, size] of shape.entries()) {
    const step = steps[axis] ?? 0
    const wider = new Float64Array(places.length * size)
    for (const [outer, place] of places.entries()) {
      for (let index = 0; index < size; index++) wider[outer * size + index] = place + index * step
    }
    places = wider
  }
  return places
}

function readRun(run: StoredRun, from: number, count: number): Float32Array {
  if (count === 0) return new Float32Array(0)
  const size = BYTES_OF_TYPE[run.type]
  const bytes = run.file.read(run.offset + from * run.stride, (count - 1) * run.stride + size)
  if (run.stride !== size) return toFloat32(gathered(bytes, count, run.stride, size), run.type)
  // A fresh array of its own: no copy needed.
  if (run.type === 'float32' && bytes.byteOffset % 4 === 0)
    return new Float32Array(bytes.buffer, bytes.byteOffset, count)
  return toFloat32(bytes, run.type)
}

function gathered(bytes: Uint8Array, count: number, stride: number, size: number): Uint8Array {
  const values = new Uint8Array(count * size)
  for (let index = 0; index < count; index++) {
    for (let byte = 0; byte < size; byte++) values[index * size + byte] = bytes[index * stride + byte] ?? 0
  }
  return values
}
