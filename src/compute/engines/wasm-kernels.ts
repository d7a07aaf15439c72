/**
 * Kernels that tfjs's WebAssembly backend lacks or has as plain loops, composed from those that XNNPACK runs fast:
 * the gradients of convolutions as convolutions, products of transposed matrices, the gradient of gather. And three that compute wrongly in
 * tfjs 4.22 (the conformity table shows it): the gradient of max pooling, one-hot rows of floats, 'same' padding with kernels smaller than
 * their stride.
 */
import type { Tensor, Tensor2D, Tensor4D, TensorInfo } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'
import { asTensor, attribute, pairAttribute, replaceKernel, stockKernel, type KernelBody } from './kernel-registry.ts'
import {
  convolutionFilterGradient,
  convolutionInputGradient,
  depthwiseFilterGradient,
  depthwiseInputGradient,
} from './wasm-convolution-gradients.ts'

export const WASM_BACKEND = 'wasm'

/** Part of an engine's identity: change it whenever results may change. */
export const WASM_KERNELS =
  'stock+composed-convolution-gradients+transposed-matmul+segment-sum+max-pool-gradient+one-hot+same-padding'

function exchangeLastAxes(tf: Tfjs, x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis)
  return tf.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2])
}

/** The stock kernel runs transposed products as a scalar loop; here the transposes are made first, of the smaller matrix where there is a choice. */
function transposedMatMul(tf: Tfjs, stock: KernelBody): KernelBody {
  return (call) => {
    const { a, b } = call.inputs as { a: Tensor; b: Tensor }
    const transposeA = call.attrs['transposeA'] === true
    const transposeB = call.attrs['transposeB'] === true
    if (!transposeA && !transposeB) return stock(call)
    const product = (left: Tensor, right: Tensor): Tensor =>
      asTensor(tf, stock({ ...call, inputs: { a: left, b: right }, attrs: { transposeA: false, transposeB: false } }))
    return tf.tidy(() => {
      const rows = a.shape[a.rank - 2] ?? 0
      const columns = b.shape[b.rank - 2] ?? 0
      // A Bᵀ = (B Aᵀ)ᵀ: for few rows it is cheaper to transpose A and the result than a large B.
      if (transposeB && !transposeA && rows < columns && a.rank === b.rank) {
        return exchangeLastAxes(tf, product(b, exchangeLastAxes(tf, a)))
      }
      return product(transposeA ? exchangeLastAxes(tf, a) : a, transposeB ? exchangeLastAxes(tf, b) : b)
    })
  }
}

/** Rows of x added up by their segment: a product with the one-hot matrix of the identifiers. */
function segmentSum(tf: Tfjs): KernelBody {
  return ({ inputs, attrs }) =>
    tf.tidy(() => {
      const { x, segmentIds } = inputs as { x: Tensor; segmentIds: Tensor }
      const segments = attribute<number>(attrs, 'numSegments')
      const rest = x.shape.slice(segmentIds.rank)
      const width = rest.reduce((product, size) => product * size, 1)
      const chosen = tf.oneHot(tf.reshape(segmentIds, [segmentIds.size]).toInt(), segments, 1, 0, 'float32') as Tensor2D
      const rows = tf.reshape(x, [segmentIds.size, width]) as Tensor2D
      return tf.reshape(tf.matMul(chosen, rows, true, false), [segments, ...rest])
    })
}

/** The members of the backend that are used here. Views become invalid when the heap grows, that is, with the next output. */
interface WasmHeap {
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorInfo
  typedArrayFromHeap(tensor: TensorInfo): Float32Array
}

/**
 * The stock kernel loses the signal of windows without a positive value. Here it goes to the first maximum, as in Caffe, tfjs's JavaScript kernels
 * and TensorFlow on the processor; overlapping windows add up.
 */
function maxPoolGradient(tf: Tfjs): KernelBody {
  return ({ inputs, attrs, backend }) => {
    const { input, dy } = inputs as { input: Tensor4D; dy: Tensor4D }
    const heap = backend as WasmHeap
    const info = tf.backend_util.computePool2DInfo(
      input.shape,
      attribute<number>(attrs, 'filterSize'),
      attribute<number>(attrs, 'strides'),
      1,
      attribute<'valid'>(attrs, 'pad'),
      attribute<'floor'>(attrs, 'dimRoundingMode'),
    )
    const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels: channels } = info
    const result = heap.makeOutput(input.shape, 'float32')
    const dx = heap.typedArrayFromHeap(result).fill(0)
    const x = heap.typedArrayFromHeap(input)
    const signal = heap.typedArrayFromHeap(dy)
    let at = 0
    for (let n = 0; n < batchSize; n++) {
      for (let row = 0; row < outHeight; row++) {
        const top = row * info.strideHeight - info.padInfo.top
        const [firstRow, lastRow] = [Math.max(0, top), Math.min(inHeight, top + info.filterHeight)]
        for (let column = 0; column < outWidth; column++) {
          const left = column * info.strideWidth - info.padInfo.left
          const [firstColumn, lastColumn] = [Math.max(0, left), Math.min(inWidth, left + info.filterWidth)]
          for (let c = 0; c < channels; c++, at++) {
            let largest = -Infinity
            let where = ((n * inHeight + firstRow) * inWidth + firstColumn) * channels + c
            for (let i = firstRow; i < lastRow; i++) {
              let cell = ((n * inHeight + i) * inWidth + firstColumn) * channels + c
              for (let j = firstColumn; j < lastColumn; j++, cell += channels) {
                const value = x[cell] ?? NaN
                if (value > largest) {
                  largest = value
                  where = cell
                }
              }
            }
            dx[where] = (dx[where] ?? 0) + (signal[at] ?? 0)
          }
        }
      }
    }
    return result
  }
}

/** The stock kernel writes integers whatever type is asked for. */
function oneHot(tf: Tfjs, stock: KernelBody): KernelBody {
  return (call) => {
    const { dtype } = call.attrs
    if (dtype !== 'float32') return stock(call)
    return tf.tidy(() => tf.cast(asTensor(tf, stock({ ...call, attrs: { ...call.attrs, dtype: 'int32' } })), 'float32'))
  }
}

/** XNNPACK computes 'same' padding that would be negative wrongly: kernels smaller than their stride get the padding explicitly. */
function explicitPadding(tf: Tfjs, stock: KernelBody, depthwise: boolean): KernelBody {
  return (call) => {
    const { x, filter } = call.inputs as { x: Tensor4D; filter: Tensor4D }
    const [strideHeight, strideWidth] = pairAttribute(call.attrs['strides'])
    const small = filter.shape[0] < strideHeight || filter.shape[1] < strideWidth
    if (call.attrs['pad'] !== 'same' || !small) return stock(call)
    const { padInfo } = tf.backend_util.computeConv2DInfo(
      x.shape,
      filter.shape,
      [strideHeight, strideWidth],
      1,
      'same',
      undefined,
      depthwise,
    )
    const vertical = [Math.max(0, padInfo.top), Math.max(0, padInfo.bottom)]
    const horizontal = [Math.max(0, padInfo.left), Math.max(0, padInfo.right)]
    return stock({ ...call, attrs: { ...call.attrs, pad: [[0, 0], vertical, horizontal, [0, 0]] } })
  }
}

/** Call once, after the backend's own kernels are registered. */
export function replaceWasmKernels(tf: Tfjs): void {
  const stock = (kernelName: string): KernelBody => {
    const kernel = stockKernel(tf, WASM_BACKEND, kernelName)
    if (kernel === undefined) throw new Error(`the WebAssembly backend has no ${kernelName} kernel`)
    return kernel
  }
  replaceKernel(tf, WASM_BACKEND, 'Conv2DBackpropFilter', convolutionFilterGradient(tf))
  replaceKernel(tf, WASM_BACKEND, 'Conv2DBackpropInput', convolutionInputGradient(tf))
  replaceKernel(tf, WASM_BACKEND, 'DepthwiseConv2dNativeBackpropFilter', depthwiseFilterGradient(tf))
  replaceKernel(tf, WASM_BACKEND, 'DepthwiseConv2dNativeBackpropInput', depthwiseInputGradient(tf))
  replaceKernel(tf, WASM_BACKEND, 'BatchMatMul', transposedMatMul(tf, stock('BatchMatMul')))
  replaceKernel(tf, WASM_BACKEND, 'UnsortedSegmentSum', segmentSum(tf))
  replaceKernel(tf, WASM_BACKEND, 'MaxPoolGrad', maxPoolGradient(tf))
  replaceKernel(tf, WASM_BACKEND, 'OneHot', oneHot(tf, stock('OneHot')))
  for (const kernelName of ['Conv2D', 'FusedConv2D', 'DepthwiseConv2dNative', 'FusedDepthwiseConv2D']) {
    replaceKernel(
      tf,
      WASM_BACKEND,
      kernelName,
      explicitPadding(tf, stock(kernelName), kernelName.includes('Depthwise')),
    )
  }
}
