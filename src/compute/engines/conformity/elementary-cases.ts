/** Products, losses, activations and updates. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { Tfjs } from '../engine.ts'
import { build, get, map, reduce, zip, type Array64 } from './array64.ts'
import type { ConformityCase } from './conformity-case.ts'

/** Keeps values `margin` away from 0, where activations have their kinks. */
const awayFromZero = (noise: number): number => 3 * noise + Math.sign(noise) * 0.05

function matrixProduct(a: Array64, b: Array64, transposeA: boolean, transposeB: boolean): Array64 {
  const rows = a.shape.at(transposeA ? -1 : -2) ?? 0
  const inner = a.shape.at(transposeA ? -2 : -1) ?? 0
  const columns = b.shape.at(transposeB ? -2 : -1) ?? 0
  return build([...a.shape.slice(0, -2), rows, columns], (index) => {
    const batch = index.slice(0, -2)
    const [row = 0, column = 0] = index.slice(-2)
    let sum = 0
    for (let k = 0; k < inner; k++) {
      const left = transposeA ? get(a, ...batch, k, row) : get(a, ...batch, row, k)
      sum += left * (transposeB ? get(b, ...batch, column, k) : get(b, ...batch, k, column))
    }
    return sum
  })
}

function productCase(
  a: readonly number[],
  b: readonly number[],
  transposeA: boolean,
  transposeB: boolean,
): ConformityCase {
  const mark = (transposed: boolean): string => (transposed ? ' transposed' : '')
  return {
    name: `matrix product ${a.join('×')}${mark(transposeA)} by ${b.join('×')}${mark(transposeB)}`,
    shapes: [a, b],
    run: (tf, x, y) => tf.matMul(x, y, transposeA, transposeB),
    reference: (x, y) => matrixProduct(x, y, transposeA, transposeB),
  }
}

function logSoftmax(x: Array64): Array64 {
  const axis = x.shape.length - 1
  const largest = reduce(x, axis, -Infinity, Math.max)
  const shifted = zip(x, largest, (value, top) => value - top)
  const total = reduce(map(shifted, Math.exp), axis, 0, (sum, value) => sum + value)
  return zip(shifted, total, (value, sum) => value - Math.log(sum))
}

/** Label of row n is n modulo the number of classes. */
const isLabel = ([row = 0, column = 0]: readonly number[], classes: number): boolean => row % classes === column

const crossEntropy: ConformityCase = {
  name: 'softmax cross-entropy of 6×10 logits',
  shapes: [[6, 10]],
  values: (_, noise) => 5 * noise,
  run: (tf, logits: Tensor2D) => {
    const labels = tf.tensor2d(Float32Array.from(build([6, 10], (index) => (isLabel(index, 10) ? 1 : 0)).data), [6, 10])
    return tf.losses.softmaxCrossEntropy(labels, logits)
  },
  reference: (logits) => {
    const logProbabilities = logSoftmax(logits)
    let loss = 0
    for (let row = 0; row < 6; row++) loss -= get(logProbabilities, row, row % 10) / 6
    return { shape: [], data: Float64Array.of(loss) }
  },
}

function activationCase(
  name: string,
  run: (tf: Tfjs, x: Tensor) => Tensor,
  reference: (x: number) => number,
  values: (noise: number) => number = awayFromZero,
): ConformityCase {
  return {
    name: `activation ${name}`,
    shapes: [[5, 13]],
    values: (_, noise) => values(noise),
    run,
    reference: (x) => map(x, reference),
  }
}

const positive = (noise: number): number => noise + 1.2

const ACTIVATIONS: readonly ConformityCase[] = [
  activationCase(
    'ReLU',
    (tf, x) => tf.relu(x),
    (x) => Math.max(0, x),
  ),
  activationCase(
    'ReLU6',
    (tf, x) => tf.relu6(x),
    (x) => Math.min(6, Math.max(0, x)),
    (noise) => 9 * noise,
  ),
  activationCase(
    'leaky ReLU',
    (tf, x) => tf.leakyRelu(x, 0.2),
    (x) => (x > 0 ? x : 0.2 * x),
  ),
  activationCase(
    'ELU',
    (tf, x) => tf.elu(x),
    (x) => (x > 0 ? x : Math.expm1(x)),
  ),
  activationCase(
    'sigmoid',
    (tf, x) => tf.sigmoid(x),
    (x) => 1 / (1 + Math.exp(-x)),
  ),
  activationCase('tanh', (tf, x) => tf.tanh(x), Math.tanh),
  activationCase(
    'softplus',
    (tf, x) => tf.softplus(x),
    (x) => Math.log1p(Math.exp(x)),
  ),
  activationCase('exponential', (tf, x) => tf.exp(x), Math.exp),
  activationCase('logarithm', (tf, x) => tf.log(x), Math.log, positive),
  activationCase('square root', (tf, x) => tf.sqrt(x), Math.sqrt, positive),
  activationCase(
    'power 1.5',
    (tf, x) => tf.pow(x, 1.5),
    (x) => x ** 1.5,
    positive,
  ),
  activationCase('absolute value', (tf, x) => tf.abs(x), Math.abs),
  activationCase(
    'clipping to −1 … 1',
    (tf, x) => tf.clipByValue(x, -1, 1),
    (x) => Math.min(1, Math.max(-1, x)),
  ),
]

const arithmetic: ConformityCase = {
  name: 'sum, difference, product and quotient with broadcasting',
  shapes: [
    [4, 3, 5],
    [1, 3, 1],
  ],
  values: (input, noise) => (input === 1 ? noise + 2 : noise),
  run: (tf, a, b) => tf.div(tf.mul(tf.add(a, b), tf.sub(a, b)), b),
  reference: (a, b) => zip(a, b, (x, y) => ((x + y) * (x - y)) / y),
}

const SPREAD = 1e-3

/** Composed as the networks do: moments over batch and places, scale and shift. */
const batchNormalisation: ConformityCase = {
  name: 'batch normalisation in training, composed',
  shapes: [
    [4, 3, 3, 5],
    [1, 1, 1, 5],
    [1, 1, 1, 5],
  ],
  run: (tf, x, scale, shift) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2], true)
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, SPREAD))), scale), shift)
  },
  reference: (x, scale, shift) => {
    const mean = (array: Array64): Array64 =>
      [0, 1, 2].reduce(
        (sum, axis) =>
          map(
            reduce(sum, axis, 0, (a, b) => a + b),
            (value) => value / (sum.shape[axis] ?? 1),
          ),
        array,
      )
    const centred = zip(x, mean(x), (value, middle) => value - middle)
    const variance = mean(map(centred, (value) => value ** 2))
    const normalised = zip(centred, variance, (value, spread) => value / Math.sqrt(spread + SPREAD))
    return zip(
      zip(normalised, scale, (value, factor) => value * factor),
      shift,
      (value, offset) => value + offset,
    )
  },
  tolerance: 3e-5,
}

/** One step of Adam (beta 0.9 and 0.999) on parameters, moments and gradient, step 3. */
const adam: ConformityCase = {
  name: "one step of Adam's update",
  shapes: [
    [7, 5],
    [7, 5],
    [7, 5],
    [7, 5],
  ],
  values: (input, noise) => (input === 2 ? Math.abs(noise) + 0.1 : noise),
  run: (tf, parameter, first, second, gradient) => {
    const m = tf.add(tf.mul(first, 0.9), tf.mul(gradient, 0.1))
    const v = tf.add(tf.mul(second, 0.999), tf.mul(tf.square(gradient), 0.001))
    const step = tf.div(tf.div(m, 1 - 0.9 ** 3), tf.add(tf.sqrt(tf.div(v, 1 - 0.999 ** 3)), 1e-8))
    return tf.sub(parameter, tf.mul(step, 0.01))
  },
  reference: (parameter, first, second, gradient) => {
    const m = zip(first, gradient, (a, g) => 0.9 * a + 0.1 * g)
    const v = zip(second, gradient, (a, g) => 0.999 * a + 0.001 * g * g)
    const step = zip(m, v, (a, b) => a / (1 - 0.9 ** 3) / (Math.sqrt(b / (1 - 0.999 ** 3)) + 1e-8))
    return zip(parameter, step, (value, change) => value - 0.01 * change)
  },
}

export const ELEMENTARY_CASES: readonly ConformityCase[] = [
  productCase([5, 7], [7, 3], false, false),
  productCase([7, 5], [7, 3], true, false),
  productCase([5, 7], [3, 7], false, true),
  productCase([7, 5], [3, 7], true, true),
  productCase([1, 300], [300, 20], false, false),
  productCase([2, 60], [90, 60], false, true),
  productCase([2, 4, 3], [2, 3, 5], false, false),
  {
    name: 'softmax of 6×10 logits',
    shapes: [[6, 10]],
    values: (_, noise) => 5 * noise,
    run: (tf, x) => tf.softmax(x),
    reference: (x) => map(logSoftmax(x), Math.exp),
  },
  {
    name: 'log-softmax of 6×10 logits',
    shapes: [[6, 10]],
    values: (_, noise) => 5 * noise,
    run: (tf, x) => tf.logSoftmax(x),
    reference: logSoftmax,
  },
  crossEntropy,
  ...ACTIVATIONS,
  arithmetic,
  batchNormalisation,
  adam,
]
