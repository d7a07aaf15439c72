/**
 * The gradients of convolutions as forward convolutions, which TensorFlow's own kernels (Eigen, without oneDNN) run two to ten times faster
 * for some shapes: their gradients multiply into a matrix of patches and add that up, image by image.
 */
import { readFileSync } from 'node:fs'
import type { NamedAttrMap, Tensor, Tensor4D } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'
import { attribute, pairAttribute } from './kernel-registry.ts'
import { usesStockKernels } from './stock-kernels.ts'
import type { NodeBackend, OperationAttribute } from './tensorflow-kernels.ts'

type Shape4D = [number, number, number, number]

export interface ConvolutionGeometry {
  /** `[batch, height, width, inChannels]` */
  readonly inputShape: Shape4D
  /** `[filterHeight, filterWidth, inChannels, outChannels]` */
  readonly filterShape: Shape4D
  /** `[batch, outHeight, outWidth, outChannels]` */
  readonly outputShape: Shape4D
  readonly strides: readonly [number, number]
  /** Rows above and columns left of the image. */
  readonly before: readonly [number, number]
}

/** Of a convolution of channels-last images. */
export function convolutionGeometry(
  tf: Tfjs,
  inputShape: Shape4D,
  filterShape: Shape4D,
  strides: readonly [number, number],
  pad: 'same' | 'valid',
): ConvolutionGeometry {
  const info = tf.backend_util.computeConv2DInfo(inputShape, filterShape, [...strides], 1, pad)
  return {
    inputShape,
    filterShape,
    outputShape: info.outShape,
    strides,
    before: [info.padInfo.top, info.padInfo.left],
  }
}

/** Of a convolution without dilations, or of its gradients; undefined for explicit padding, and where tfjs-node's own kernels are wanted. */
export function geometryOf(
  tf: Tfjs,
  attrs: NamedAttrMap,
  inputShape: readonly number[],
  filterShape: readonly number[],
): ConvolutionGeometry | undefined {
  const pad = attribute<unknown>(attrs, 'pad')
  if (usesStockKernels() || (pad !== 'same' && pad !== 'valid') || (attrs['dataFormat'] ?? 'NHWC') !== 'NHWC')
    return undefined
  const strides = pairAttribute(attrs['strides'])
  return convolutionGeometry(tf, inputShape as Shape4D, filterShape as Shape4D, strides, pad)
}

/** Features of the processor for which TensorFlow 2.21 turns oneDNN on by itself (tsl/util/onednn_util, Linux on x86 and ARM). */
const ONEDNN_FEATURES = ['avx512_vnni', 'avx512_bf16', 'avx_vnni', 'amx_tile', 'sve']

/** Whether TensorFlow runs convolutions with oneDNN, whose gradients are as fast as its forward convolutions. */
export function usesOneDnn(): boolean {
  const wish = process.env['TF_ENABLE_ONEDNN_OPTS']?.toLowerCase()
  if (process.platform !== 'linux') return false
  if (wish !== undefined && wish !== '') return wish === '1' || wish === 'true'
  const features = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(/\s+/) ?? []
  return ONEDNN_FEATURES.some((feature) => features.includes(feature))
}

/** Cells of the image for each cell that the convolution computes: above this, stride 1 needs many channels to gain. */
const MOST_GROWTH = 1.15
const MANY_CHANNELS = 128

/**
 * Whether the gradient by the input gains, as measured on two cores with AVX2: with stride 1 where there are many channels (2 to 3 times at
 * 112×112 and more, up to 1.7 times below, less than 1 where the image grows much by padding, unless there are so many channels that arranging
 * the filter for each image is what counts); with larger strides where the output is so small that this takes nearly all time (10 times for 2×2
 * outputs).
 */
export function gainsForInput({ inputShape, filterShape, outputShape, strides }: ConvolutionGeometry): boolean {
  const [filterHeight, filterWidth, inChannels, outChannels] = filterShape
  const [batch, outHeight, outWidth] = outputShape
  if (strides[0] !== strides[1] || filterHeight * filterWidth === 1 || inChannels < 32 || outChannels < 32) return false
  if (strides[0] === 1) {
    const grows = (inputShape[1] * inputShape[2]) / (outHeight * outWidth)
    const isWorthIt = grows <= MOST_GROWTH || Math.min(inChannels, outChannels) >= MANY_CHANNELS
    return isWorthIt && batch * outHeight * outWidth >= 144
  }
  return batch >= 16 && outHeight * outWidth <= 9
}

/** Whether the gradient by the filter gains: batches of the size of a training step, by a tenth to two fifths. */
export function gainsForFilter({ filterShape, outputShape }: ConvolutionGeometry): boolean {
  return outputShape[0] >= 64 && filterShape[0] * filterShape[1] > 1
}

function convolve(
  backend: NodeBackend,
  x: Tensor,
  filter: Tensor,
  padding: readonly [number, number, number, number],
  dilations: readonly [number, number] = [1, 1],
): Tensor4D {
  const { TF_ATTR_TYPE, TF_ATTR_INT, TF_ATTR_STRING, TF_ATTR_BOOL, TF_FLOAT } = backend.binding
  const attributes: OperationAttribute[] = [
    { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
    { name: 'strides', type: TF_ATTR_INT, value: [1, 1, 1, 1] },
    { name: 'padding', type: TF_ATTR_STRING, value: 'EXPLICIT' },
    { name: 'explicit_paddings', type: TF_ATTR_INT, value: [0, 0, ...padding, 0, 0] },
    { name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC' },
    { name: 'use_cudnn_on_gpu', type: TF_ATTR_BOOL, value: true },
    { name: 'dilations', type: TF_ATTR_INT, value: [1, ...dilations, 1] },
  ]
  return backend.executeSingleOutput('Conv2D', attributes, [x, filter]) as Tensor4D
}

/**
 * The gradient by the input as one convolution. With stride s, the input's rows and columns fall into s × s phases, each of which sees every
 * s-th row and column of the filter: one convolution computes all phases as channels, and depthToSpace puts them in their places.
 */
export function inputGradient(
  tf: Tfjs,
  backend: NodeBackend,
  dy: Tensor4D,
  filter: Tensor4D,
  { inputShape, filterShape, outputShape, strides, before }: ConvolutionGeometry,
): Tensor4D {
  const [stride] = strides
  const [filterHeight, filterWidth, inChannels, outChannels] = filterShape
  const [batch, height, width] = inputShape
  return tf.tidy(() => {
    if (stride === 1) {
      const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2])
      const [top, left] = [filterHeight - 1 - before[0], filterWidth - 1 - before[1]]
      const bottom = height + filterHeight - 1 - outputShape[1] - top
      const right = width + filterWidth - 1 - outputShape[2] - left
      return convolve(backend, dy, turned, [top, bottom, left, right])
    }
    const [tapsDown, tapsAcross] = [Math.ceil(filterHeight / stride), Math.ceil(filterWidth / stride)]
    const [missingDown, missingAcross] = [tapsDown * stride - filterHeight, tapsAcross * stride - filterWidth]
    const whole =
      missingDown + missingAcross === 0
        ? filter
        : tf.pad(filter, [
            [0, missingDown],
            [0, missingAcross],
            [0, 0],
            [0, 0],
          ])
    const phases = tf.reshape(whole, [tapsDown, stride, tapsAcross, stride, inChannels, outChannels])
    const turned = tf.reshape(tf.transpose(tf.reverse(phases, [0, 2]), [0, 2, 5, 1, 3, 4]), [
      tapsDown,
      tapsAcross,
      outChannels,
      stride * stride * inChannels,
    ])
    const padding = [tapsDown - 1, tapsDown - 1, tapsAcross - 1, tapsAcross - 1] as const
    const full = tf.depthToSpace(convolve(backend, dy, turned, padding), stride, 'NHWC')
    // Behind the last window of a 'valid' convolution there may be rows and columns that nothing has seen.
    const unseenDown = Math.max(0, before[0] + height - full.shape[1])
    const unseenAcross = Math.max(0, before[1] + width - full.shape[2])
    const covered =
      unseenDown + unseenAcross === 0
        ? full
        : tf.pad(full, [
            [0, 0],
            [0, unseenDown],
            [0, unseenAcross],
            [0, 0],
          ])
    return tf.slice(covered, [0, before[0], before[1], 0], [batch, height, width, inChannels])
  })
}

/** The gradient by the filter as one convolution of the images with `dy` for a filter: channels are the batch and the batch is the channels. */
export function filterGradient(
  tf: Tfjs,
  backend: NodeBackend,
  x: Tensor4D,
  dy: Tensor4D,
  { inputShape, filterShape, outputShape, strides, before }: ConvolutionGeometry,
): Tensor4D {
  const [filterHeight, filterWidth, inChannels, outChannels] = filterShape
  const reach = (axis: 0 | 1): number => {
    const [out, window, size] = [outputShape[axis + 1] ?? 0, filterShape[axis], inputShape[axis + 1] ?? 0]
    return Math.max(0, strides[axis] * (out - 1) + window - size - before[axis])
  }
  return tf.tidy(() => {
    const padding = [before[0], reach(0), before[1], reach(1)] as const
    const images = tf.transpose(x, [3, 1, 2, 0])
    const signals = tf.transpose(dy, [1, 2, 0, 3])
    const full = convolve(backend, images, signals, padding, strides)
    const taps = tf.slice(full, [0, 0, 0, 0], [inChannels, filterHeight, filterWidth, outChannels])
    return tf.transpose(taps, [1, 2, 0, 3])
  })
}
