/**
 * Convolution: `y[i, j, k] = bias[k] + sum over a, e, c of x[i * stride + a * dilation - top, …, c] * kernel[a, e, c, k]`, zero padding.
 * Kernel `[kernelHeight, kernelWidth, inChannels / groups, filters]`; group g of the filters sees group g of the input channels.
 */
import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs'
import { sparseInputGradient } from '../../engines/tensorflow-walk-kernels.ts'
import { depthwise, depthwiseInputGradient } from '../depthwise.ts'
import { dilateKernel } from '../dilate.ts'
import {
  mapShape,
  need,
  only,
  type LayerContext,
  type LayerImplementation,
  type ParameterSpec,
  type TensorFlow,
} from '../layer.ts'
import { cropPadding, padForWindows, reachOf, windowsOf, type Windows } from '../windows.ts'

export const conv2d: LayerImplementation<'conv2d'> = {
  outputShape(spec, inputShapes) {
    const [height, width, channels] = mapShape(inputShapes)
    if (channels % spec.groups !== 0 || spec.filters % spec.groups !== 0) {
      throw new RangeError(
        `${channels} input channels and ${spec.filters} filters do not divide into ${spec.groups} groups`,
      )
    }
    const windows = windowsOf(spec, height, width)
    return [windows.rows.output, windows.columns.output, spec.filters]
  },
  receptiveField(spec, inputShapes) {
    const [height, width] = mapShape(inputShapes)
    return reachOf(windowsOf(spec, height, width))
  },
  parameters(spec, inputShapes): ParameterSpec[] {
    const [, , channels] = mapShape(inputShapes)
    const shape = [...spec.kernel, channels / spec.groups, spec.filters]
    const fanIn = (spec.kernel[0] * spec.kernel[1] * channels) / spec.groups
    const kernel = { name: 'kernel', shape, trainable: true, fanIn }
    return spec.bias ? [kernel, { name: 'bias', shape: [spec.filters], trainable: true, fanIn }] : [kernel]
  },
  forward(context, inputs, mode) {
    const { tf, spec } = context
    const { windows, kernel } = partsOf(context)
    const padded = padForWindows(tf, only(inputs), windows, 0)
    const convolved = isDepthwise(context)
      ? depthwise(tf, padded, kernel, windows, mode.training)
      : inGroups(tf, padded, kernel, spec.groups, (x, w) => convolve(tf, x, w, windows, mode.training))
    return { output: spec.bias ? tf.add(convolved, need(context.weights, 'bias') as Tensor1D) : convolved }
  },
  backward(context, signal) {
    const { tf, spec } = context
    const { windows, kernel } = partsOf(context)
    if (isDepthwise(context)) return [depthwiseInputGradient(tf, signal as Tensor4D, kernel, windows, spec.groups)]
    const down = inGroups(tf, signal as Tensor4D, kernel, spec.groups, (y, w) =>
      inputGradient(tf, y, w, windows, context.sparse === true),
    )
    return [cropPadding(tf, down, windows)]
  },
}

function partsOf({ spec, inputShapes, weights }: LayerContext<'conv2d'>): { windows: Windows; kernel: Tensor4D } {
  const [height, width] = mapShape(inputShapes)
  return { windows: windowsOf(spec, height, width), kernel: need(weights, 'kernel') as Tensor4D }
}

function isDepthwise({ spec, inputShapes }: LayerContext<'conv2d'>): boolean {
  return spec.groups > 1 && spec.groups === mapShape(inputShapes)[2]
}

/** Grouped convolution by splitting: the engines have no groups of their own that can be trusted. */
function inGroups(
  tf: TensorFlow,
  maps: Tensor4D,
  kernel: Tensor4D,
  groups: number,
  convolution: (maps: Tensor4D, kernel: Tensor4D) => Tensor4D,
): Tensor4D {
  if (groups === 1) return convolution(maps, kernel)
  const kernels: Tensor4D[] = tf.split(kernel, groups, 3)
  const inputs: Tensor4D[] = tf.split(maps, groups, 3)
  const parts = inputs.map((part, group) => {
    const partKernel = kernels[group]
    if (partKernel === undefined) throw new RangeError(`no kernel for group ${group}`)
    return convolution(part, partKernel)
  })
  return tf.concat(parts, 3)
}

function convolve(
  tf: TensorFlow,
  padded: Tensor4D,
  kernel: Tensor4D,
  windows: Windows,
  differentiable: boolean,
): Tensor4D {
  if (isOneWindow(windows)) {
    const [batch, , , channels] = padded.shape
    const [height, width, , filters] = kernel.shape
    const cells = tf.reshape(tf.slice(padded, [0, 0, 0, 0], [batch, height, width, channels]), [batch, -1])
    return tf.reshape(tf.matMul(cells, tf.reshape(kernel, [-1, filters])), [batch, 1, 1, filters])
  }
  const stride: [number, number] = [windows.rows.stride, windows.columns.stride]
  const dilation: [number, number] = [windows.rows.dilation, windows.columns.dilation]
  const strided = stride[0] > 1 || stride[1] > 1
  const dilated = dilation[0] > 1 || dilation[1] > 1
  // The library has no gradient of a dilated convolution, and none with stride and dilation at once: it gets the kernel with zeros.
  if (dilated && (differentiable || strided)) {
    return tf.conv2d(padded, dilateKernel(tf, kernel, dilation[0], dilation[1]), stride, 'valid')
  }
  return tf.conv2d(padded, kernel, stride, 'valid', 'NHWC', dilation)
}

/** The transpose of `convolve`: `[batch, rows, columns, filters]` → `[batch, padded height, padded width, channels]`. */
function inputGradient(
  tf: TensorFlow,
  signal: Tensor4D,
  kernel: Tensor4D,
  windows: Windows,
  sparse: boolean,
): Tensor4D {
  const { rows, columns } = windows
  if (isOneWindow(windows)) {
    const [batch] = signal.shape
    const [kernelHeight, kernelWidth, channels, filters] = kernel.shape
    const sent = tf.matMul(tf.reshape(signal, [batch, filters]), tf.reshape(kernel, [-1, filters]), false, true)
    return tf.pad(tf.reshape(sent, [batch, kernelHeight, kernelWidth, channels]), [
      [0, 0],
      [0, paddedSize(rows) - kernelHeight],
      [0, paddedSize(columns) - kernelWidth],
      [0, 0],
    ])
  }
  const dilated = dilateKernel(tf, kernel, rows.dilation, columns.dilation)
  const height = paddedSize(rows)
  const width = paddedSize(columns)
  const shape: [number, number, number, number] = [signal.shape[0], height, width, kernel.shape[2]]
  const strides: [number, number] = [rows.stride, columns.stride]
  const geometry = {
    inputShape: shape,
    filterShape: dilated.shape,
    outputShape: signal.shape,
    strides,
    before: [0, 0] as const,
  }
  const own = sparse ? sparseInputGradient(tf, signal, dilated, geometry) : undefined
  return own ?? tf.conv2dTranspose(signal, dilated, shape, strides, 'valid')
}

/** Then the convolution is a product of matrices, several times faster on the engines than their convolutions of one cell. */
function isOneWindow({ rows, columns }: Windows): boolean {
  return rows.output === 1 && columns.output === 1 && rows.dilation === 1 && columns.dilation === 1
}

function paddedSize(axis: Windows['rows']): number {
  return Math.max(axis.before + axis.input, (axis.output - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1)
}
