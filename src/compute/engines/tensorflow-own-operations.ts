/** The operations that the addon adds to TensorFlow (native/own-kernels.h): their names, and their lists of numbers. */
import type { Tensor } from '@tensorflow/tfjs'
import type { ConvolutionGeometry } from './tensorflow-convolutions.ts'
import type { NodeBackend, NodeBinding, OperationAttribute } from './tensorflow-kernels.ts'
import { sizeOf } from '../../shared/size-of.ts'

export const ELEMENTWISE = 'ConvScopeElementwise'
export const CONVOLUTION = 'ConvScopeConvolution'
export const CONVOLUTION_INPUT_GRADIENT = 'ConvScopeConvolutionInputGradient'
export const CONVOLUTION_FILTER_GRADIENT = 'ConvScopeConvolutionFilterGradient'
export const FEW_ROWS = 'ConvScopeFewRows'

type ConvolutionOperation = typeof CONVOLUTION | typeof CONVOLUTION_INPUT_GRADIENT | typeof CONVOLUTION_FILTER_GRADIENT

/**
 * What may follow a convolution or its gradient in its kernel, by TensorFlow's names; the places are those of `Activation` in
 * native/vector-loops.h. The gradients have what the activation returned as one input more, behind the bias.
 */
export const ACTIVATIONS: readonly string[] = ['Identity', 'Relu', 'Sigmoid', 'ReluGrad', 'SigmoidGrad']

/** `activation` is a place in ACTIVATIONS. */
export function convolutionNumbers(
  { inputShape, filterShape, outputShape, strides, before }: ConvolutionGeometry,
  resultShape: readonly number[],
  activation = 0,
): number[] {
  const [filterHeight, filterWidth, , filters] = filterShape
  const [, outHeight, outWidth] = outputShape
  const geometry = [...inputShape, filterHeight, filterWidth, filters, ...strides, ...before, outHeight, outWidth]
  return [activation, resultShape.length, ...resultShape, ...geometry]
}

export function ownAttributes(
  { TF_ATTR_INT }: Pick<NodeBinding, 'TF_ATTR_INT'>,
  inputs: number,
  numbers: readonly number[],
): OperationAttribute[] {
  return [
    { name: 'N', type: TF_ATTR_INT, value: inputs },
    { name: 'numbers', type: TF_ATTR_INT, value: numbers },
  ]
}

/**
 * Runs one of the three kernels: on images and filter, on the gradient by what the convolution returned and the filter, or on images and that
 * gradient. `shape` is that of the result, whose numbers are those of the geometry in their order.
 */
export function runConvolution(
  backend: NodeBackend,
  operation: ConvolutionOperation,
  inputs: readonly [Tensor, Tensor],
  geometry: ConvolutionGeometry,
  shape: readonly number[],
): Tensor {
  const attributes = ownAttributes(backend.binding, inputs.length, convolutionNumbers(geometry, shape))
  return backend.executeSingleOutput(operation, attributes, inputs) as Tensor
}

/** Filters up to this size stay in the processor's caches. */
const LARGEST_FILTER = 2 ** 19
/** Images with their frames of one batch, which the gradient by the filter arranges all at once. */
const LARGEST_BATCH = 2 ** 22
/** Rows of both matrices that stay in the caches while each task of a product of columns with columns reads them all again. */
const LARGEST_SHARED_ROWS = 2 ** 18
/** The addon refuses longer sides. */
const LONGEST_SIDE = 2 ** 24

/** Whether the addon's kernels gain over TensorFlow's: batches, with filters that stay in the caches. */
export function gainsFromOwnKernels({ inputShape, filterShape, outputShape }: ConvolutionGeometry): boolean {
  const framed = inputShape[0] * (inputShape[1] + filterShape[0]) * (inputShape[2] + filterShape[1]) * inputShape[3]
  if (sizeOf(inputShape) * sizeOf(outputShape) === 0) return false
  return inputShape[0] >= 16 && sizeOf(filterShape) <= LARGEST_FILTER && framed <= LARGEST_BATCH
}

/** The product of a `[rows, depth]` with a `[depth, columns]` matrix as a convolution of 1×1 images; undefined where it would not gain. */
export function productGeometry(rows: number, depth: number, columns: number): ConvolutionGeometry | undefined {
  if (rows * depth * columns === 0 || depth * columns > LARGEST_FILTER || rows >= LONGEST_SIDE) return undefined
  return {
    inputShape: [rows, 1, 1, depth],
    filterShape: [1, 1, depth, columns],
    outputShape: [rows, 1, 1, columns],
    strides: [1, 1],
    before: [0, 0],
  }
}

/** So many rows gain by one reading of a matrix that fits into no cache. TensorFlow arranges a transposed one, which takes ten times longer. */
const MOST_FEW_ROWS = { plain: 16, transposed: 64 } as const

/**
 * A few rows times a large matrix or the transposed one; undefined where this would not gain. The matrix is `[lines, columns]`.
 * @param leavesOut see native/few-rows-kernel.cc
 */
export function fewRowsNumbers(
  rows: number,
  [lines, columns]: readonly [number, number],
  transposed: boolean,
  leavesOut = false,
): number[] | undefined {
  const most = transposed ? MOST_FEW_ROWS.transposed : MOST_FEW_ROWS.plain
  if (rows === 0 || rows > most || lines * columns <= LARGEST_FILTER || Math.max(lines, columns) >= LONGEST_SIDE)
    return undefined
  return [2, rows, transposed ? lines : columns, rows, lines, columns, transposed ? 1 : 0, leavesOut ? 1 : 0]
}

/** The product of two matrices with the addon's kernels; undefined where they would not gain. */
export function ownProduct(
  backend: NodeBackend,
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
): Tensor | undefined {
  const [first = 0, second = 0] = a.shape
  const columns = (transposeB ? b.shape[0] : b.shape[1]) ?? 0
  if (transposeA) {
    const shared = first * (second + columns) <= LARGEST_SHARED_ROWS
    const geometry = shared && !transposeB ? productGeometry(first, second, columns) : undefined
    return geometry && runConvolution(backend, CONVOLUTION_FILTER_GRADIENT, [a, b], geometry, [second, columns])
  }
  const numbers = fewRowsNumbers(first, b.shape as [number, number], transposeB)
  if (numbers !== undefined) {
    return backend.executeSingleOutput(FEW_ROWS, ownAttributes(backend.binding, 2, numbers), [a, b]) as Tensor
  }
  const geometry = transposeB ? productGeometry(first, columns, second) : productGeometry(first, second, columns)
  const operation = transposeB ? CONVOLUTION_INPUT_GRADIENT : CONVOLUTION
  return geometry && runConvolution(backend, operation, [a, b], geometry, [first, columns])
}
