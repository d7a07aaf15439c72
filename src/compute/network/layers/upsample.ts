/**
 * Larger maps by a whole factor: every cell repeated, or bilinear between cell centres (torch's `align_corners=False`, Keras), with the
 * outermost cells continued outside.
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import {
  mapShape,
  only,
  type AxisReach,
  type LayerContext,
  type LayerImplementation,
  type TensorFlow,
} from '../layer.ts'
import { interleave } from '../windows.ts'

export const upsample: LayerImplementation<'upsample'> = {
  outputShape({ factor }, inputShapes) {
    const [height, width, channels] = mapShape(inputShapes)
    return [height * factor[0], width * factor[1], channels]
  },
  receptiveField(spec, inputShapes) {
    const [height, width] = mapShape(inputShapes)
    const axis = spec.method === 'nearest' ? repeated : interpolated
    return { rows: axis(spec.factor[0], height), columns: axis(spec.factor[1], width) }
  },
  parameters: () => [],
  forward(context, inputs) {
    const { tf, spec } = context
    const x = only(inputs) as Tensor4D
    const [down, right] = spec.factor
    if (spec.method === 'nearest') {
      return { output: interleave(tf, new Array<Tensor4D>(down * right).fill(x), down, right) }
    }
    const { rows, columns } = matricesOf(context)
    return { output: resize(tf, x, rows, columns, false) }
  },
  backward(context, signal) {
    const { tf, spec } = context
    const maps = signal as Tensor4D
    if (spec.method === 'nearest') {
      return [tf.mul(tf.avgPool(maps, spec.factor, spec.factor, 'valid'), spec.factor[0] * spec.factor[1])]
    }
    const { rows, columns } = matricesOf(context)
    return [resize(tf, maps, rows, columns, true)]
  },
}

function matricesOf({ tf, spec, inputShapes }: LayerContext<'upsample'>): { rows: Tensor2D; columns: Tensor2D } {
  const [height, width] = mapShape(inputShapes)
  return { rows: interpolation(tf, height, spec.factor[0]), columns: interpolation(tf, width, spec.factor[1]) }
}

/** `[size * factor, size]`: the weights with which input cells make up output cells. */
function interpolation(tf: TensorFlow, size: number, factor: number): Tensor2D {
  const values = new Float32Array(size * factor * size)
  const add = (to: number, from: number, weight: number): void => {
    const place = to * size + Math.min(Math.max(from, 0), size - 1)
    values[place] = (values[place] ?? 0) + weight
  }
  for (let to = 0; to < size * factor; to++) {
    const centre = (to + 0.5) / factor - 0.5
    const low = Math.floor(centre)
    add(to, low, 1 - (centre - low))
    add(to, low + 1, centre - low)
  }
  return tf.tensor2d(values, [size * factor, size])
}

/** Multiplies the rows, then the columns, of `[batch, height, width, channels]` by a matrix (or by its transpose). */
function resize(tf: TensorFlow, x: Tensor4D, rows: Tensor2D, columns: Tensor2D, transposed: boolean): Tensor4D {
  const along = (maps: Tensor4D, matrix: Tensor2D, axes: [number, number, number, number]): Tensor4D => {
    const last = tf.transpose(maps, axes)
    const [a, b, c, d] = last.shape
    const product = tf.matMul(tf.reshape(last, [a * b * c, d]), matrix, false, !transposed)
    return tf.reshape(product, [a, b, c, product.shape[1] ?? 0])
  }
  const high = along(x, rows, [0, 2, 3, 1])
  // high is [batch, width, channels, height].
  const wide = along(high, columns, [0, 3, 2, 1])
  return tf.transpose(wide, [0, 1, 3, 2])
}

function repeated(factor: number): AxisReach {
  return {
    size: 1,
    stride: 1 / factor,
    offset: 0,
    reach: (from, to) => [Math.floor(from / factor), Math.floor((to - 1) / factor) + 1],
  }
}

function interpolated(factor: number, size: number): AxisReach {
  const clip = (row: number): number => Math.min(Math.max(row, 0), size - 1)
  return {
    size: 2,
    stride: 1 / factor,
    offset: 0.5 / factor - 0.5,
    reach: (from, to) => [
      clip(Math.floor((from + 0.5) / factor - 0.5)),
      clip(Math.ceil((to - 0.5) / factor - 0.5)) + 1,
    ],
  }
}
