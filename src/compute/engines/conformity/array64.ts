/** Arrays in double precision and the plain loops that the engines are compared with. Nothing here is fast; everything is obvious. */
import { sizeOf } from '../../../shared/size-of.ts'

export interface Array64 {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

export function zeros(shape: readonly number[]): Array64 {
  return { shape, data: new Float64Array(sizeOf(shape)) }
}

/** Position of `index` in row-major order; outside the array undefined. */
export function offsetOf(shape: readonly number[], index: readonly number[]): number | undefined {
  let offset = 0
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis] ?? 0
    const at = index[axis] ?? 0
    if (at < 0 || at >= size) return undefined
    offset = offset * size + at
  }
  return offset
}

/** Element at `index`, 0 outside the array: zero padding for free. */
export function get(array: Array64, ...index: number[]): number {
  const offset = offsetOf(array.shape, index)
  return offset === undefined ? 0 : (array.data[offset] ?? 0)
}

export function add(array: Array64, index: readonly number[], value: number): void {
  const offset = offsetOf(array.shape, index)
  if (offset !== undefined) array.data[offset] = (array.data[offset] ?? 0) + value
}

export function map(array: Array64, each: (value: number) => number): Array64 {
  return { shape: array.shape, data: array.data.map(each) }
}

/** All indices of a shape in row-major order. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const total = sizeOf(shape)
  for (let flat = 0; flat < total; flat++) {
    const index: number[] = []
    let rest = flat
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1
      index.unshift(rest % size)
      rest = Math.floor(rest / size)
    }
    yield index
  }
}

/** An array of `shape` whose element at each index is given by a function. */
export function build(shape: readonly number[], value: (index: readonly number[]) => number): Array64 {
  const result = zeros(shape)
  let flat = 0
  for (const index of indices(shape)) result.data[flat++] = value(index)
  return result
}

/** Reduces one axis to size 1. */
export function reduce(
  array: Array64,
  axis: number,
  start: number,
  combine: (sum: number, value: number) => number,
): Array64 {
  const shape = array.shape.map((size, at) => (at === axis ? 1 : size))
  return build(shape, (index) => {
    let result = start
    for (let at = 0; at < (array.shape[axis] ?? 0); at++) result = combine(result, get(array, ...index.with(axis, at)))
    return result
  })
}

/** Elementwise with the second array's axes of size 1 repeated. */
export function zip(a: Array64, b: Array64, combine: (a: number, b: number) => number): Array64 {
  return build(a.shape, (index) =>
    combine(get(a, ...index), get(b, ...index.map((at, axis) => (b.shape[axis] === 1 ? 0 : at)))),
  )
}
