/**
 * Transposed convolution: `y[i * stride + a - top, …, k] += x[i, …, c] * kernel[a, e, k, c]`, plus the bias. Kernel
 * `[kernelHeight, kernelWidth, filters, inChannels]`. 'same' gives `input * stride` rows, the odd row of padding at the bottom of the
 * forward convolution; explicit padding and `outputPadding` are torch's.
 */
import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs'
import type { LayerOf } from '../../../shared/network/spec.ts'
import {
  mapShape,
  need,
  only,
  type AxisReach,
  type LayerContext,
  type LayerImplementation,
  type ParameterSpec,
} from '../layer.ts'

interface Axis {
  readonly output: number
  readonly kernel: number
  readonly stride: number
  /** Rows cut from the top of the full transposed convolution. */
  readonly before: number
  /** Rows of the full transposed convolution. */
  readonly full: number
}

export const conv2dTranspose: LayerImplementation<'conv2d-transpose'> = {
  outputShape(spec, inputShapes) {
    const [rows, columns] = axesOf(spec, mapShape(inputShapes))
    if (rows.output < 1 || columns.output < 1) throw new RangeError('its padding leaves nothing of the output')
    return [rows.output, columns.output, spec.filters]
  },
  receptiveField(spec, inputShapes) {
    const [rows, columns] = axesOf(spec, mapShape(inputShapes))
    return { rows: reach(rows), columns: reach(columns) }
  },
  parameters(spec, inputShapes): ParameterSpec[] {
    const [, , channels] = mapShape(inputShapes)
    // An output pixel is reached by kernel / stride of the rows and columns.
    const fanIn = channels * Math.ceil(spec.kernel[0] / spec.stride[0]) * Math.ceil(spec.kernel[1] / spec.stride[1])
    const kernel = { name: 'kernel', shape: [...spec.kernel, spec.filters, channels], trainable: true, fanIn }
    return spec.bias ? [kernel, { name: 'bias', shape: [spec.filters], trainable: true, fanIn }] : [kernel]
  },
  forward(context, inputs) {
    const { tf, spec } = context
    const { rows, columns, kernel } = partsOf(context)
    const x = only(inputs) as Tensor4D
    const [batch] = x.shape
    const full: Tensor4D = tf.conv2dTranspose(
      x,
      kernel,
      [batch, rows.full, columns.full, spec.filters],
      spec.stride,
      'valid',
    )
    const height = Math.min(rows.output, rows.full - rows.before)
    const width = Math.min(columns.output, columns.full - columns.before)
    const cut: Tensor4D =
      height === rows.full && width === columns.full
        ? full
        : tf.slice(full, [0, rows.before, columns.before, 0], [batch, height, width, spec.filters])
    const missing: [number, number] = [rows.output - height, columns.output - width]
    const whole =
      missing[0] + missing[1] > 0
        ? tf.pad(cut, [
            [0, 0],
            [0, missing[0]],
            [0, missing[1]],
            [0, 0],
          ])
        : cut
    return { output: spec.bias ? tf.add(whole, need(context.weights, 'bias') as Tensor1D) : whole }
  },
  backward(context, signal) {
    const { tf, spec } = context
    const { rows, columns, kernel } = partsOf(context)
    const height = Math.min(rows.output, rows.full - rows.before)
    const width = Math.min(columns.output, columns.full - columns.before)
    const [batch, , , filters] = (signal as Tensor4D).shape
    const cut: Tensor4D =
      height === rows.output && width === columns.output
        ? (signal as Tensor4D)
        : tf.slice(signal as Tensor4D, [0, 0, 0, 0], [batch, height, width, filters])
    const bottom = rows.full - rows.before - height
    const right = columns.full - columns.before - width
    const margin = rows.before + bottom + columns.before + right
    const full: Tensor4D =
      margin === 0
        ? cut
        : tf.pad(cut, [
            [0, 0],
            [rows.before, bottom],
            [columns.before, right],
            [0, 0],
          ])
    return [tf.conv2d(full, kernel, spec.stride, 'valid')]
  },
}

function partsOf({ spec, inputShapes, weights }: LayerContext<'conv2d-transpose'>): {
  rows: Axis
  columns: Axis
  kernel: Tensor4D
} {
  const [rows, columns] = axesOf(spec, mapShape(inputShapes))
  return { rows, columns, kernel: need(weights, 'kernel') as Tensor4D }
}

function axesOf(spec: LayerOf<'conv2d-transpose'>, [height, width]: readonly [number, number, number]): [Axis, Axis] {
  return [axisOf(height, spec, 0), axisOf(width, spec, 1)]
}

function axisOf(input: number, spec: LayerOf<'conv2d-transpose'>, axis: 0 | 1): Axis {
  const kernel = spec.kernel[axis]
  const stride = spec.stride[axis]
  const full = (input - 1) * stride + kernel
  if (spec.padding === 'same') {
    const output = input * stride + spec.outputPadding[axis]
    return { output, kernel, stride, before: Math.floor(Math.max(full - input * stride, 0) / 2), full }
  }
  const [top, bottom, left, right] = spec.padding === 'valid' ? [0, 0, 0, 0] : spec.padding
  const [before, after] = axis === 0 ? [top, bottom] : [left, right]
  return { output: full - before - after + spec.outputPadding[axis], kernel, stride, before, full }
}

/** Between strides the number of input rows an output row reads varies; `size` and `offset` name the widest, `reach` is exact. */
function reach({ kernel, stride, before }: Axis): AxisReach {
  return {
    size: Math.ceil(kernel / stride),
    stride: 1 / stride,
    offset: (before - kernel + 1) / stride,
    reach: (from, to) => [Math.ceil((from + before - kernel + 1) / stride), Math.floor((to - 1 + before) / stride) + 1],
  }
}
