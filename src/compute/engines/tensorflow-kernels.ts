/** What replaces tfjs-node's own kernels on TensorFlow: one guard against memory corruption and cheaper forms of some operations. */
import type { DataType, Tensor, Tensor4D, TensorInfo } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'
import { asTensor, attribute, pairAttribute, replaceKernel, stockKernel } from './kernel-registry.ts'
import {
  filterGradient,
  gainsForFilter,
  gainsForInput,
  geometryOf,
  inputGradient,
  usesOneDnn,
  type ConvolutionGeometry,
} from './tensorflow-convolutions.ts'
import { usesStockKernels } from './stock-kernels.ts'
import {
  CONVOLUTION,
  CONVOLUTION_FILTER_GRADIENT,
  CONVOLUTION_INPUT_GRADIENT,
  gainsFromOwnKernels,
  ownProduct,
  runConvolution,
} from './tensorflow-own-operations.ts'

export const TENSORFLOW_BACKEND = 'tensorflow'

const KERNELS = 'stock+guard-strided-filter-gradient+matmul+activation-gradients'
const CONVOLUTION_KERNELS = `${KERNELS}+convolution-gradients`
const OWN_KERNELS = '+few-rows+walks+sparse+addon'
/** Of all TensorFlow engines on this machine, with what the addon adds. */
export const TENSORFLOW_KERNELS = `${usesOneDnn() ? KERNELS : CONVOLUTION_KERNELS}${OWN_KERNELS}`

/** Part of an engine's identity: change it whenever results may change. `own`: whether the addon's own kernels are there. */
export function tensorflowKernels(cuda: boolean, own: boolean): string {
  if (own) return TENSORFLOW_KERNELS
  return cuda || usesOneDnn() ? KERNELS : CONVOLUTION_KERNELS
}

export interface OperationAttribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

/** What the binding says of a tensor. */
export interface TensorMetadata {
  id: number
  shape: number[]
  dtype: number
}

/** Functions in TensorFlow's context; native/function-calls.cc. */
export interface TensorflowFunctions {
  /**
   * Adds the operations of native/own-kernels.h to the library, with as many threads; false where the processor or the library cannot have them,
   * or has those of another addon. Addons that were built before there were any lack the function.
   */
  ownKernels?(threads: number): boolean
  /** A serialised OpList of every operation of the library. */
  operations(): Uint8Array
  /** Registers a serialised FunctionDef. */
  add(definition: Uint8Array): void
  remove(name: string): void
  call(name: string, inputs: number[], outputs: number, executor: string, config: Uint8Array): TensorMetadata[]
  /** As `call`, on a thread of libuv's pool; inputs may be deleted meanwhile. */
  start(
    name: string,
    inputs: number[],
    outputs: number,
    executor: string,
    config: Uint8Array,
  ): Promise<TensorMetadata[]>
}

/** The addon's binding, as tfjs-node's kernels see it. Tensors are numbers, each used once. */
export interface NodeBinding {
  readonly TF_Version: string
  readonly TF_FLOAT: number
  readonly TF_INT32: number
  readonly TF_ATTR_STRING: number
  readonly TF_ATTR_INT: number
  readonly TF_ATTR_TYPE: number
  readonly TF_ATTR_BOOL: number
  readonly functions: TensorflowFunctions
  isUsingGpuDevice(): boolean
  createTensor(shape: number[], dtype: number, data: unknown): number
  deleteTensor(id: number): void
  tensorDataSync(id: number): unknown
  executeOp(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[]
  runSavedModel(...call: unknown[]): unknown
}

/** The members of tfjs-node's backend that are used here. */
export interface NodeBackend {
  binding: NodeBinding
  /** `values` until they are uploaded, then null. */
  readonly tensorMap: {
    get(dataId: object): TensorMetadata & { values: unknown }
    has(dataId: object): boolean
  }
  executeSingleOutput(name: string, attributes: readonly OperationAttribute[], inputs: readonly Tensor[]): TensorInfo
  createOutputTensor(metadata: TensorMetadata): Tensor
  getInputTensorIds(tensors: readonly Tensor[]): number[]
  getNumOfTFTensors(): number
  move(dataId: object, ...rest: unknown[]): void
  read(dataId: object): Promise<unknown>
  readSync(dataId: object): unknown
  incRef(dataId: object): void
  refCount(dataId: object): number
  disposeData(dataId: object): boolean
}

type Shape4D = [number, number, number, number]

/**
 * TensorFlow with oneDNN (2.18 and 2.21) writes outside its memory in Conv2DBackpropFilter for a 1×1 kernel with a stride of 2 or more.
 * A 1×1 kernel sees only every stride-th row and column, so the input is subsampled first and the stride is 1 afterwards. Other kernels
 * smaller than their stride are cut and padded to the same effect by splitting them into rows and columns of 1×1 kernels.
 */
function guardFilterGradient(tf: Tfjs): void {
  const stock = stockKernel(tf, TENSORFLOW_BACKEND, 'Conv2DBackpropFilter')
  if (stock === undefined) throw new Error('tfjs-node has no Conv2DBackpropFilter kernel')
  replaceKernel(tf, TENSORFLOW_BACKEND, 'Conv2DBackpropFilter', (call) => {
    const x = call.inputs['x'] as Tensor4D
    const dy = call.inputs['dy'] as Tensor4D
    const filterShape = attribute<[number, number, number, number]>(call.attrs, 'filterShape')
    const [strideHeight, strideWidth] = pairAttribute(call.attrs['strides'])
    const [filterHeight, filterWidth, inChannels, outChannels] = filterShape
    if (filterHeight >= strideHeight && filterWidth >= strideWidth) return stock(call)

    const pad = attribute<'valid' | 'same'>(call.attrs, 'pad')
    const { padInfo } = tf.backend_util.computeConv2DInfo(x.shape, filterShape, [strideHeight, strideWidth], 1, pad)
    const [batch, outHeight, outWidth] = dy.shape
    const needHeight = (outHeight - 1) * strideHeight + filterHeight
    const needWidth = (outWidth - 1) * strideWidth + filterWidth
    return tf.tidy(() => {
      const { top, left } = padInfo
      const bottom = Math.max(0, needHeight - x.shape[1] - top)
      const right = Math.max(0, needWidth - x.shape[2] - left)
      const padded =
        top + bottom + left + right > 0
          ? tf.pad(x, [
              [0, 0],
              [top, bottom],
              [left, right],
              [0, 0],
            ])
          : x
      const taps: Tensor[] = []
      for (let row = 0; row < filterHeight; row++) {
        for (let column = 0; column < filterWidth; column++) {
          const end = [batch, row + needHeight - filterHeight + 1, column + needWidth - filterWidth + 1, inChannels]
          const seen = tf.stridedSlice(padded, [0, row, column, 0], end, [1, strideHeight, strideWidth, 1])
          const attrs = { ...call.attrs, strides: [1, 1], pad: 'valid', filterShape: [1, 1, inChannels, outChannels] }
          taps.push(
            tf.reshape(asTensor(tf, stock({ ...call, inputs: { x: seen, dy }, attrs })), [1, inChannels, outChannels]),
          )
        }
      }
      return tf.reshape(tf.concat(taps, 0), filterShape)
    })
  })
}

function typeAttribute(backend: NodeBackend, dtype: DataType): OperationAttribute {
  const { TF_FLOAT, TF_INT32, TF_ATTR_TYPE } = backend.binding
  return { name: 'T', type: TF_ATTR_TYPE, value: dtype === 'float32' ? TF_FLOAT : TF_INT32 }
}

/** tfjs-node runs every product as BatchMatMulV2, whose set-up takes 50 to 80 µs and twice the time for one row. */
function useMatMul(tf: Tfjs, own: boolean): void {
  const stock = stockKernel(tf, TENSORFLOW_BACKEND, 'BatchMatMul')
  if (stock === undefined) throw new Error('tfjs-node has no BatchMatMul kernel')
  replaceKernel(tf, TENSORFLOW_BACKEND, 'BatchMatMul', (call) => {
    const { a, b } = call.inputs as { a: Tensor; b: Tensor }
    if (
      usesStockKernels() ||
      a.shape.length !== 2 ||
      b.shape.length !== 2 ||
      a.dtype !== 'float32' ||
      b.dtype !== 'float32'
    )
      return stock(call)
    const backend = call.backend as NodeBackend
    const [transposeA, transposeB] = [Boolean(call.attrs['transposeA']), Boolean(call.attrs['transposeB'])]
    const result = own ? ownProduct(backend, a, b, transposeA, transposeB) : undefined
    if (result !== undefined) return result
    const boolean = backend.binding.TF_ATTR_BOOL
    const attributes = [
      typeAttribute(backend, 'float32'),
      { name: 'transpose_a', type: boolean, value: transposeA },
      { name: 'transpose_b', type: boolean, value: transposeB },
    ]
    return backend.executeSingleOutput('MatMul', attributes, [a, b])
  })
}

/**
 * tfjs composes the gradients of ReLU (eight kernels), sigmoid and tanh; TensorFlow has one kernel for each. The gradients are registered
 * once for all backends, so they fall back to the composed form where another backend is active.
 */
function useActivationGradients(tf: Tfjs): void {
  const composed: Readonly<Record<string, (dy: Tensor, y: Tensor) => Tensor>> = {
    Relu: (dy, y) => tf.mul(dy, tf.cast(tf.step(y), 'float32')),
    Sigmoid: (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y))),
    Tanh: (dy, y) => tf.mul(tf.sub(1, tf.square(y)), dy),
  }
  for (const [operation, compose] of Object.entries(composed)) {
    const kernelName = `ConvScope${operation}Gradient`
    replaceKernel(tf, TENSORFLOW_BACKEND, kernelName, ({ inputs, backend }) => {
      const { dy, y } = inputs as { dy: Tensor; y: Tensor }
      const node = backend as NodeBackend
      const order = operation === 'Relu' ? [dy, y] : [y, dy]
      return node.executeSingleOutput(`${operation}Grad`, [typeAttribute(node, y.dtype)], order)
    })
    tf.unregisterGradient(operation)
    tf.registerGradient({
      kernelName: operation,
      inputsToSave: [],
      outputsToSave: [true],
      gradFunc: (dy, [y]) => {
        if (Array.isArray(dy) || y === undefined) throw new TypeError(`the gradient of ${operation} takes one tensor`)
        if (usesStockKernels() || tf.getBackend() !== TENSORFLOW_BACKEND) return { x: () => compose(dy, y) }
        return { x: () => tf.engine().runKernel<Tensor>(kernelName, { dy, y }) }
      },
    })
  }
}

/** Call after the guard, whose shapes stay its own. */
function useConvolutions(tf: Tfjs, own: boolean): void {
  const [forward, input, filter] = ['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'].map((name) => {
    const stock = stockKernel(tf, TENSORFLOW_BACKEND, name)
    if (stock === undefined) throw new Error(`tfjs-node has no ${name} kernel`)
    return stock
  })
  if (forward === undefined || input === undefined || filter === undefined) return
  const gainsOwn = (geometry: ConvolutionGeometry): boolean => own && gainsFromOwnKernels(geometry)
  replaceKernel(tf, TENSORFLOW_BACKEND, 'Conv2D', (call) => {
    const { x, filter: weights } = call.inputs as { x: Tensor4D; filter: Tensor4D }
    const dilated = pairAttribute(call.attrs['dilations'] ?? 1).some((dilation) => dilation !== 1)
    const geometry = dilated ? undefined : geometryOf(tf, call.attrs, x.shape, weights.shape)
    if (geometry === undefined || x.dtype !== 'float32' || !gainsOwn(geometry)) return forward(call)
    return runConvolution(call.backend as NodeBackend, CONVOLUTION, [x, weights], geometry, geometry.outputShape)
  })
  replaceKernel(tf, TENSORFLOW_BACKEND, 'Conv2DBackpropInput', (call) => {
    const { dy, filter: weights } = call.inputs as { dy: Tensor4D; filter: Tensor4D }
    const geometry = geometryOf(tf, call.attrs, attribute<Shape4D>(call.attrs, 'inputShape'), weights.shape)
    if (geometry !== undefined && gainsOwn(geometry)) {
      const operation = CONVOLUTION_INPUT_GRADIENT
      return runConvolution(call.backend as NodeBackend, operation, [dy, weights], geometry, geometry.inputShape)
    }
    if (geometry === undefined || !gainsForInput(geometry)) return input(call)
    return inputGradient(tf, call.backend as NodeBackend, dy, weights, geometry)
  })
  replaceKernel(tf, TENSORFLOW_BACKEND, 'Conv2DBackpropFilter', (call) => {
    const { x, dy } = call.inputs as { x: Tensor4D; dy: Tensor4D }
    const geometry = geometryOf(tf, call.attrs, x.shape, attribute<Shape4D>(call.attrs, 'filterShape'))
    if (geometry !== undefined && gainsOwn(geometry)) {
      const operation = CONVOLUTION_FILTER_GRADIENT
      return runConvolution(call.backend as NodeBackend, operation, [x, dy], geometry, geometry.filterShape)
    }
    if (geometry === undefined || !gainsForFilter(geometry)) return filter(call)
    return filterGradient(tf, call.backend as NodeBackend, x, dy, geometry)
  })
}

/** Call once, after tfjs-node's kernels are registered. `own`: whether the addon's own kernels are there. */
export function replaceTensorflowKernels(tf: Tfjs, cuda: boolean, own: boolean): void {
  guardFilterGradient(tf)
  if (!cuda && !usesOneDnn()) useConvolutions(tf, own)
  useMatMul(tf, own)
  useActivationGradients(tf)
}
