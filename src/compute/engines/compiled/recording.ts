/** What one run of a step did, as a graph of values. */
import type { Variable } from '@tensorflow/tfjs'
import type { OperationAttribute } from '../tensorflow-kernels.ts'
import type { Origin } from './refusal.ts'

/** TensorFlow's numbers for data types. */
export const TENSORFLOW_TYPES = { float32: 1, int32: 3, string: 7, complex64: 8, bool: 10 } as const
export type DataTypeName = keyof typeof TENSORFLOW_TYPES

export type ConstantData = Float32Array | Int32Array | Uint8Array

/** The `index`-th tensor of the inputs. */
export interface InputValue {
  readonly kind: 'input'
  readonly index: number
  readonly dtype: number
  readonly shape: readonly number[]
}

/** Made from JavaScript values inside the step. */
export interface ConstantValue {
  readonly kind: 'constant'
  readonly index: number
  readonly dtype: number
  readonly shape: readonly number[]
  readonly data: ConstantData
  readonly origin: Origin | undefined
}

/** Made outside the step and not among its inputs. */
export interface CapturedValue {
  readonly kind: 'captured'
  readonly index: number
  readonly dtype: number
  readonly shape: readonly number[]
  readonly dataId: object
  /** Where the data was a variable's when it was first used. */
  readonly variable: Variable | undefined
  readonly origin: Origin | undefined
}

export interface ResultValue {
  readonly kind: 'result'
  readonly node: RecordedNode
  readonly output: number
  readonly dtype: number
  readonly shape: readonly number[]
}

/** A result of an operation on nothing but constants, captured tensors and folded values: it is the same in every call. */
export interface FoldedValue {
  readonly kind: 'folded'
  /** Equal for equal operations on equal values. */
  readonly key: string
  readonly node: RecordedNode
  readonly output: number
  readonly dtype: number
  readonly shape: readonly number[]
}

export type FixedValue = ConstantValue | CapturedValue | FoldedValue
export type Value = InputValue | FixedValue | ResultValue

export interface RecordedNode {
  readonly index: number
  readonly operation: string
  readonly attributes: readonly OperationAttribute[]
  readonly inputs: readonly Value[]
  readonly outputs: readonly { readonly dtype: number; readonly shape: readonly number[] }[]
  readonly origin: Origin | undefined
}

export interface Recording {
  readonly nodes: readonly RecordedNode[]
  readonly constants: readonly ConstantValue[]
  readonly captured: readonly CapturedValue[]
  /** What the step returned, in the order of `tensorsOf`. */
  readonly results: readonly Value[]
  /** Variables that the step assigned, and their last values. */
  readonly writes: readonly { readonly variable: Variable; readonly value: Value }[]
  /** Variables that the step made: optimisers make their moments when they are first used. */
  readonly newVariables: number
}

export function isConstantData(data: unknown): data is ConstantData {
  return data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array
}
