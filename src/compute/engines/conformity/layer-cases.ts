/** Convolution, pooling and normalisation in the shapes that networks use. */
import type { Tensor4D } from '@tensorflow/tfjs'
import { build, get, type Array64 } from './array64.ts'
import type { ConformityCase } from './conformity-case.ts'
import {
  convolution,
  depthwiseConvolution,
  pooling,
  responseNormalisation,
  transposedConvolution,
  type Padding,
} from './reference-layers.ts'

type Shape4 = readonly [number, number, number, number]

function convolutionCase(x: Shape4, filter: Shape4, stride: number, padding: Padding): ConformityCase {
  return {
    name: `convolution ${filter[0]}×${filter[1]} stride ${stride} ${padding}, ${x.join('×')} to ${filter[3]} channels`,
    shapes: [x, filter],
    run: (tf, a: Tensor4D, b: Tensor4D) => tf.conv2d(a, b, stride, padding),
    reference: (a, b) => convolution(a, b, stride, padding),
  }
}

function transposedCase(y: Shape4, filter: Shape4, out: Shape4, stride: number, padding: Padding): ConformityCase {
  return {
    name: `transposed convolution ${filter[0]}×${filter[1]} stride ${stride} ${padding}, ${y.join('×')} to ${out.join('×')}`,
    shapes: [y, filter],
    run: (tf, a: Tensor4D, b: Tensor4D) => tf.conv2dTranspose(a, b, [...out], stride, padding),
    reference: (a, b) => transposedConvolution(a, b, out, stride, padding),
  }
}

function depthwiseCase(x: Shape4, filter: Shape4, stride: number, padding: Padding): ConformityCase {
  return {
    name: `depthwise convolution ${filter[0]}×${filter[1]} stride ${stride} ${padding}, ${x.join('×')} multiplier ${filter[3]}`,
    shapes: [x, filter],
    run: (tf, a: Tensor4D, b: Tensor4D) => tf.depthwiseConv2d(a, b, stride, padding),
    reference: (a, b) => depthwiseConvolution(a, b, stride, padding),
  }
}

function poolingCase(
  kind: 'max' | 'average',
  x: Shape4,
  size: number,
  stride: number,
  padding: Padding,
): ConformityCase {
  return {
    name: `${kind} pooling ${size}×${size} stride ${stride} ${padding}, ${x.join('×')}`,
    shapes: [x],
    run: (tf, a: Tensor4D) =>
      kind === 'max' ? tf.maxPool(a, size, stride, padding) : tf.avgPool(a, size, stride, padding),
    reference: (a) => pooling(kind, a, size, stride, padding),
  }
}

/** Zeros around an image: rows and columns before and after. */
function framed(x: Array64, before: number, after: number): Array64 {
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape
  const shape = [batch, height + before + after, width + before + after, channels]
  return build(shape, ([n = 0, row = 0, column = 0, c = 0]) => get(x, n, row - before, column - before, c))
}

/** Channels from `start` on, `count` of them, of the last axis. */
function channelsOf(x: Array64, start: number, count: number): Array64 {
  return build([...x.shape.slice(0, -1), count], (index) => get(x, ...index.with(-1, (index.at(-1) ?? 0) + start)))
}

const grouped: ConformityCase = {
  name: 'convolution in two groups by splitting, 2×7×6×4 to 6 channels',
  shapes: [
    [2, 7, 6, 4],
    [3, 3, 2, 6],
  ],
  run: (tf, x: Tensor4D, filter: Tensor4D) => {
    const images: Tensor4D[] = tf.split(x, 2, 3)
    const filters: Tensor4D[] = tf.split(filter, 2, 3)
    return tf.concat(
      images.map((part, group) => tf.conv2d(part, filters[group] ?? filter, 1, 'valid')),
      3,
    )
  },
  reference: (x, filter) => {
    const halves = [0, 1].map((group) =>
      convolution(channelsOf(x, 2 * group, 2), channelsOf(filter, 3 * group, 3), 1, 'valid'),
    )
    const shape = [...(halves[0]?.shape.slice(0, -1) ?? []), 6]
    return build(shape, (index) => {
      const out = index.at(-1) ?? 0
      const half = halves[Math.floor(out / 3)]
      return half === undefined ? 0 : get(half, ...index.with(-1, out % 3))
    })
  },
}

const padded: ConformityCase = {
  name: 'convolution 3×3 stride 2 after explicit padding of 1 before and 2 after',
  shapes: [
    [2, 8, 7, 3],
    [3, 3, 3, 5],
  ],
  run: (tf, x: Tensor4D, filter: Tensor4D) =>
    tf.conv2d(
      tf.pad(x, [
        [0, 0],
        [1, 2],
        [1, 2],
        [0, 0],
      ]) as Tensor4D,
      filter,
      2,
      'valid',
    ),
  reference: (x, filter) => convolution(framed(x, 1, 2), filter, 2, 'valid'),
}

function responseCase(radius: number, bias: number, alpha: number, beta: number): ConformityCase {
  return {
    name: `local response normalisation radius ${radius} bias ${bias} alpha ${alpha} beta ${beta}`,
    shapes: [[2, 3, 4, 8]],
    values: (_, noise) => 20 * noise,
    run: (tf, x: Tensor4D) => tf.localResponseNormalization(x, radius, bias, alpha, beta),
    reference: (x) => responseNormalisation(x, radius, bias, alpha, beta),
  }
}

/** In every stride from 1 to 4, with kernels larger than, equal to and smaller than the stride. */
export const LAYER_CASES: readonly ConformityCase[] = [
  convolutionCase([2, 7, 8, 3], [3, 3, 3, 4], 1, 'same'),
  convolutionCase([1, 9, 9, 8], [5, 5, 8, 16], 1, 'valid'),
  convolutionCase([2, 5, 6, 4], [1, 1, 4, 6], 1, 'valid'),
  convolutionCase([1, 6, 6, 3], [6, 6, 3, 10], 1, 'valid'),
  convolutionCase([1, 8, 8, 64], [3, 3, 64, 64], 1, 'same'),
  convolutionCase([2, 11, 10, 3], [5, 5, 3, 4], 2, 'same'),
  convolutionCase([2, 12, 11, 3], [4, 4, 3, 4], 2, 'same'),
  convolutionCase([2, 12, 11, 3], [3, 3, 3, 4], 2, 'valid'),
  convolutionCase([2, 7, 8, 5], [1, 1, 5, 6], 2, 'same'),
  convolutionCase([2, 7, 8, 5], [1, 1, 5, 6], 2, 'valid'),
  convolutionCase([2, 13, 11, 3], [5, 3, 3, 4], 3, 'valid'),
  convolutionCase([3, 13, 11, 4], [1, 1, 4, 7], 3, 'valid'),
  convolutionCase([2, 11, 14, 3], [2, 2, 3, 4], 3, 'valid'),
  convolutionCase([2, 11, 14, 3], [2, 1, 3, 4], 3, 'same'),
  convolutionCase([2, 12, 12, 3], [2, 2, 3, 4], 3, 'same'),
  convolutionCase([1, 23, 23, 3], [11, 11, 3, 6], 4, 'valid'),
  convolutionCase([1, 17, 18, 3], [5, 5, 3, 4], 4, 'same'),
  grouped,
  padded,
  transposedCase([2, 4, 5, 6], [3, 3, 4, 6], [2, 6, 7, 4], 1, 'valid'),
  transposedCase([2, 4, 4, 6], [5, 5, 3, 6], [2, 8, 8, 3], 2, 'same'),
  transposedCase([1, 4, 4, 6], [4, 4, 3, 6], [1, 10, 10, 3], 2, 'valid'),
  transposedCase([1, 3, 3, 4], [3, 3, 2, 4], [1, 9, 9, 2], 3, 'valid'),
  depthwiseCase([2, 7, 6, 4], [3, 3, 4, 1], 1, 'same'),
  depthwiseCase([2, 8, 7, 3], [3, 3, 3, 2], 2, 'valid'),
  depthwiseCase([1, 9, 9, 3], [1, 1, 3, 1], 2, 'same'),
  poolingCase('max', [2, 9, 9, 3], 3, 2, 'valid'),
  poolingCase('max', [2, 8, 6, 3], 2, 2, 'valid'),
  poolingCase('max', [2, 8, 7, 3], 3, 2, 'same'),
  {
    ...poolingCase('max', [2, 8, 8, 3], 2, 2, 'valid'),
    name: 'max pooling 2×2 of negative values',
    values: (_, noise) => noise - 2,
  },
  {
    ...poolingCase('max', [2, 7, 7, 3], 3, 2, 'same'),
    name: 'max pooling 3×3 same of negative values',
    values: (_, noise) => noise - 2,
  },
  poolingCase('average', [2, 9, 9, 3], 3, 2, 'valid'),
  poolingCase('average', [2, 7, 6, 3], 3, 2, 'same'),
  poolingCase('average', [2, 8, 6, 3], 2, 2, 'valid'),
  poolingCase('average', [1, 6, 6, 5], 6, 1, 'valid'),
  responseCase(2, 1, 1e-4 / 5, 0.75),
  responseCase(2, 2, 0.1, 0.75),
]
