/**
 * Kernels of the addon that the walks through a network call by name: max pooling with its switches, the way back through them, and the
 * gradient by the input for signals that are mostly zeros. Where an engine lacks them, the walks compute the same of other operations.
 */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'
import { attribute } from './kernel-registry.ts'
import type { ConvolutionGeometry } from './tensorflow-convolutions.ts'
import { usesStockKernels } from './stock-kernels.ts'
import { TENSORFLOW_BACKEND, type NodeBackend } from './tensorflow-kernels.ts'
import { convolutionNumbers, ownAttributes } from './tensorflow-own-operations.ts'

const MAX_POOL = 'ConvScopeMaxPool'
const UNPOOL = 'ConvScopeUnpool'
const SPARSE_INPUT_GRADIENT = 'ConvScopeSparseInputGradient'

/** Of windows over channels-last images, which are cut where the image ends. */
export interface PoolGeometry {
  /** `[batch, height, width, channels]` */
  readonly inputShape: readonly [number, number, number, number]
  /** Windows down and across. */
  readonly windows: readonly [number, number]
  readonly kernel: readonly [number, number]
  readonly strides: readonly [number, number]
  /** Rows above and columns left of the image. */
  readonly before: readonly [number, number]
}

/** Cells for each window of a max pooling from which on most cells are selected by no window. */
export const CELLS_EACH_WINDOW = 3

/** What becomes of signals that meet in one cell; the places are those of `Meeting` in native/pooling-kernels.cc. */
const MEETINGS = ['sum', 'overwrite', 'max'] as const
export type Meeting = (typeof MEETINGS)[number]

/** Call once, where the addon has registered its operations. */
export function registerWalkKernels(tf: Tfjs): void {
  const register = (
    kernelName: string,
    run: (backend: NodeBackend, inputs: Tensor[], numbers: number[]) => Tensor | Tensor[],
  ) =>
    tf.registerKernel({
      kernelName,
      backendName: TENSORFLOW_BACKEND,
      kernelFunc: ({ inputs, attrs, backend }) =>
        run(backend as NodeBackend, Object.values(inputs) as Tensor[], attribute<number[]>(attrs ?? {}, 'numbers')),
    })
  register(MAX_POOL, (backend, inputs, numbers) => {
    const { binding } = backend
    const several = { name: 'M', type: binding.TF_ATTR_INT, value: 2 }
    const attributes = [...ownAttributes(binding, inputs.length, numbers), several]
    return binding
      .executeOp(MAX_POOL, attributes, backend.getInputTensorIds(inputs), 2)
      .map((metadata) => backend.createOutputTensor(metadata))
  })
  for (const name of [UNPOOL, SPARSE_INPUT_GRADIENT]) {
    register(name, (backend, inputs, numbers) => {
      const attributes = ownAttributes(backend.binding, inputs.length, numbers)
      return backend.executeSingleOutput(name, attributes, inputs) as Tensor
    })
  }
}

/**
 * Largest values and switches `[batch, ...windows, channels]` of `x`: the place, row by row in the window, of the first maximum.
 * Undefined where the engine has no such kernel.
 */
export function maxPoolWithSwitches(tf: Tfjs, x: Tensor4D, geometry: PoolGeometry): readonly Tensor4D[] | undefined {
  if (!has(tf, MAX_POOL)) return undefined
  return run<Tensor4D[]>(tf, MAX_POOL, { x }, poolNumbers(geometry, 'sum', geometry.inputShape[0]))
}

/**
 * `signal` `[batch, ...windows, channels]` at the cells that the switches (batch 1 or the signal's) name, 0 elsewhere: `inputShape`.
 * Undefined where the engine has no such kernel.
 */
export function unpoolBySwitches(
  tf: Tfjs,
  signal: Tensor4D,
  switches: Tensor4D,
  geometry: PoolGeometry,
  meeting: Meeting,
): Tensor4D | undefined {
  if (!has(tf, UNPOOL)) return undefined
  return run<Tensor4D>(tf, UNPOOL, { signal, switches }, poolNumbers(geometry, meeting, switches.shape[0]))
}

/**
 * The gradient of a convolution by its input, `inputShape`, in time by the numbers of `signal` that are not zero. Undefined where the engine has
 * no such kernel.
 * @param filter `[filterHeight, filterWidth, inChannels, outChannels]`; an infinite weight that meets a zero adds nothing
 */
export function sparseInputGradient(
  tf: Tfjs,
  signal: Tensor4D,
  filter: Tensor4D,
  geometry: ConvolutionGeometry,
): Tensor4D | undefined {
  if (!has(tf, SPARSE_INPUT_GRADIENT)) return undefined
  const numbers = convolutionNumbers(geometry, geometry.inputShape)
  return tf.tidy(() => run<Tensor4D>(tf, SPARSE_INPUT_GRADIENT, { signal, taps: inBlocks(tf, filter) }, numbers))
}

/** The filter in the arrangement of `SparseTaps` in native/sparse-loops.h. */
function inBlocks(tf: Tfjs, filter: Tensor4D): Tensor {
  const [height, width, channels, filters] = filter.shape
  const length = width * channels
  const blocks = Math.ceil(length / 64)
  const blockWidth = Math.ceil(Math.ceil(length / blocks) / 8) * 8
  const rows = tf.reshape(tf.transpose(filter, [0, 3, 1, 2]), [height, filters, length])
  const padded = tf.pad(rows, [
    [0, 0],
    [0, 0],
    [0, blocks * blockWidth - length],
  ])
  return tf.transpose(tf.reshape(padded, [height, filters, blocks, blockWidth]), [0, 2, 1, 3])
}

function poolNumbers(
  { inputShape, windows, kernel, strides, before }: PoolGeometry,
  meeting: Meeting,
  pictures: number,
): number[] {
  return [...inputShape, ...windows, ...kernel, ...strides, ...before, MEETINGS.indexOf(meeting), pictures]
}

function has(tf: Tfjs, kernelName: string): boolean {
  return !usesStockKernels() && tf.getKernel(kernelName, tf.getBackend()) !== undefined
}

function run<R extends Tensor | Tensor[]>(
  tf: Tfjs,
  kernelName: string,
  inputs: Record<string, Tensor>,
  numbers: number[],
): R {
  return tf.engine().runKernel<R>(kernelName, inputs, { numbers })
}
