/**
 * Every layer kind against itself: the way down against central differences, against the library's tape in training mode, as the
 * transpose of the way up where it is linear, and with many signals over one picture.
 */
import { RandomStream } from '../../random.ts'
import { GRADIENT_RULES } from '../../../shared/network/rules.ts'
import { layerNamed } from '../graph.ts'
import type { Tensor, TensorFlow, Tensors } from '../layer.ts'
import { take } from './case-file.ts'
import { compare, type Row } from './rows.ts'
import { SingleLayer } from './single-layer.ts'

interface GradientCase {
  readonly layer: Readonly<Record<string, unknown>>
  readonly input: readonly number[]
  readonly linear?: boolean
  /** Batch statistics make training another function. */
  readonly sameInTraining?: boolean
}

const CASES: readonly GradientCase[] = [
  {
    layer: { type: 'conv2d', filters: 5, kernel: [3, 3], padding: 'same', bias: false },
    input: [7, 6, 4],
    linear: true,
  },
  { layer: { type: 'conv2d', filters: 4, kernel: [3, 2], padding: [2, 1, 0, 2], dilation: [2, 3] }, input: [9, 8, 3] },
  {
    layer: { type: 'conv2d', filters: 4, kernel: [3, 3], stride: [2, 2], padding: 'same', dilation: [2, 2] },
    input: [9, 8, 4],
  },
  {
    layer: { type: 'conv2d', filters: 6, kernel: [3, 3], padding: 'same', dilation: [2, 2], groups: 2 },
    input: [7, 7, 4],
  },
  { layer: { type: 'conv2d', filters: 4, kernel: [1, 1], stride: [2, 2] }, input: [7, 7, 3] },
  {
    layer: { type: 'conv2d', filters: 6, kernel: [5, 5], stride: [2, 1], padding: [2, 2, 1, 0], groups: 2 },
    input: [9, 8, 4],
  },
  {
    layer: { type: 'conv2d', filters: 8, kernel: [3, 3], stride: [2, 2], padding: 'same', groups: 4 },
    input: [7, 8, 4],
  },
  {
    layer: { type: 'conv2d', filters: 4, kernel: [3, 3], stride: [1, 2], padding: [1, 1, 1, 1], groups: 4 },
    input: [6, 7, 4],
  },
  {
    layer: { type: 'conv2d', filters: 6, kernel: [3, 3], padding: 'same', dilation: [2, 2], groups: 3, bias: false },
    input: [7, 7, 3],
    linear: true,
  },
  { layer: { type: 'conv2d-transpose', filters: 3, kernel: [4, 4], stride: [2, 2] }, input: [4, 5, 2] },
  {
    layer: {
      type: 'conv2d-transpose',
      filters: 2,
      kernel: [5, 3],
      stride: [3, 2],
      padding: [1, 2, 1, 0],
      outputPadding: [2, 1],
      bias: false,
    },
    input: [4, 4, 3],
    linear: true,
  },
  { layer: { type: 'conv2d-transpose', filters: 2, kernel: [2, 2], stride: [3, 3] }, input: [3, 3, 2] },
  { layer: { type: 'relu' }, input: [4, 4, 3] },
  { layer: { type: 'leaky-relu', slope: 0.2 }, input: [4, 4, 3] },
  { layer: { type: 'relu6' }, input: [4, 4, 3] },
  { layer: { type: 'elu', alpha: 1.3 }, input: [4, 4, 3] },
  { layer: { type: 'silu' }, input: [4, 4, 3] },
  { layer: { type: 'gelu' }, input: [4, 4, 3] },
  { layer: { type: 'gelu', approximation: 'tanh' }, input: [4, 4, 3] },
  { layer: { type: 'sigmoid' }, input: [4, 4, 3] },
  { layer: { type: 'tanh' }, input: [6] },
  { layer: { type: 'max-pool', kernel: [2, 2], stride: [2, 2] }, input: [6, 6, 3] },
  { layer: { type: 'max-pool', kernel: [3, 3], stride: [2, 2], padding: 'same' }, input: [7, 8, 2] },
  { layer: { type: 'max-pool', kernel: [3, 3], stride: [2, 2], rounding: 'ceil' }, input: [8, 6, 3] },
  {
    layer: { type: 'max-pool', kernel: [3, 2], stride: [2, 3], rounding: 'ceil', padding: [1, 1, 0, 1] },
    input: [7, 8, 2],
  },
  {
    layer: { type: 'avg-pool', kernel: [3, 3], stride: [2, 2], rounding: 'ceil', padding: [1, 1, 1, 1] },
    input: [8, 7, 2],
    linear: true,
  },
  {
    layer: { type: 'avg-pool', kernel: [3, 2], stride: [1, 3], padding: 'same', divisor: 'valid' },
    input: [6, 7, 2],
    linear: true,
  },
  {
    layer: { type: 'avg-pool', kernel: [2, 2], stride: [3, 3], divisor: 'kernel', padding: [1, 1, 1, 1] },
    input: [8, 8, 2],
    linear: true,
  },
  { layer: { type: 'global-max-pool' }, input: [4, 3, 5] },
  { layer: { type: 'global-avg-pool' }, input: [4, 3, 5], linear: true },
  { layer: { type: 'lrn', size: 5, alpha: 0.3, beta: 0.75, k: 2 }, input: [3, 3, 7] },
  { layer: { type: 'lrn', size: 5, alpha: 0.5, beta: 0.75, convention: 'krizhevsky', k: 2 }, input: [3, 2, 8] },
  { layer: { type: 'lrn', size: 2, alpha: 0.3, beta: 0.75, convention: 'krizhevsky' }, input: [2, 3, 5] },
  { layer: { type: 'lrn', size: 3, alpha: 0.5, beta: 0.75 }, input: [7] },
  { layer: { type: 'lrn', size: 4, alpha: 0.2, beta: 0.5, convention: 'krizhevsky' }, input: [3, 3, 6] },
  { layer: { type: 'batch-norm' }, input: [4, 3, 5], sameInTraining: false },
  { layer: { type: 'batch-norm', scale: false, shift: false }, input: [8], sameInTraining: false },
  { layer: { type: 'dense', units: 7, bias: false }, input: [9], linear: true },
  { layer: { type: 'dense', units: 3 }, input: [5] },
  { layer: { type: 'dropout', rate: 0.5 }, input: [4, 4, 3], linear: true },
  { layer: { type: 'softmax' }, input: [8] },
  { layer: { type: 'softmax' }, input: [3, 2, 5] },
  { layer: { type: 'flatten', order: 'hwc' }, input: [3, 4, 2], linear: true },
  { layer: { type: 'flatten', order: 'chw' }, input: [3, 4, 2], linear: true },
  { layer: { type: 'padding', amounts: [1, 0, 2, 3] }, input: [3, 4, 2], linear: true },
  { layer: { type: 'upsample', factor: [2, 3] }, input: [3, 4, 2], linear: true },
  { layer: { type: 'upsample', factor: [2, 3], method: 'bilinear' }, input: [3, 4, 2], linear: true },
]

const BATCH = 2
const STEP = 1e-2

export async function gradientRows(tf: TensorFlow): Promise<Row[]> {
  const rows: Row[] = []
  for (const [index, gradientCase] of CASES.entries()) rows.push(...(await layerRows(tf, gradientCase, index)))
  return rows
}

async function layerRows(
  tf: TensorFlow,
  { layer, input, linear, sameInTraining = true }: GradientCase,
  index: number,
): Promise<Row[]> {
  const title = `layer ${index}: ${Object.values(layer).map(String).join(' ')}`
  const random = new RandomStream(20_141, 'weights', index)
  const bare = new SingleLayer(tf, layer, input, {})
  const { parameters, shape } = layerNamed(bare.graph, 'layer')
  const weights: Tensors = Object.fromEntries(
    parameters.map(({ name, shape: size }) => [name, tf.tensor(weightValues(random, name, product(size)), [...size])]),
  )
  const masks: Tensors = layer['type'] === 'dropout' ? { layer: tf.ones([BATCH, ...input]) } : {}
  const single = new SingleLayer(tf, layer, input, weights)
  const x = tf.tensor(awayFromKinks(random, BATCH * product(input)), [BATCH, ...input])
  const direction = tf.tensor(
    Float32Array.from({ length: x.size }, () => 2 * random.uniform() - 1),
    x.shape,
  )
  const signal = tf.tensor(normal(random, BATCH * product(shape)), [BATCH, ...shape])

  const walk = single.up(x)
  const down = single.down(walk, signal, GRADIENT_RULES)
  const rows = [await differenceRow(tf, title, single, { x, direction, signal, down })]
  if (linear === true) rows.push(await adjointRow(tf, title, single, { direction, signal, down }))
  if (sameInTraining) {
    const gradients = single.tape(x, signal, masks)
    const expected = { shape: down.shape, data: await down.data() }
    rows.push(compare(title, 'tape and way down', await take(gradients.input), expected, { atolRelativeToMax: 1e-5 }))
    tf.dispose([gradients.weights])
  }
  rows.push(await manySignalsRow(tf, title, single, x))
  tf.dispose([x, direction, signal, down, weights, masks, walk.outputs, walk.saved])
  return rows
}

interface Probe {
  readonly x: Tensor
  readonly direction: Tensor
  readonly signal: Tensor
  readonly down: Tensor
}

/** ⟨(f(x + hv) - f(x - hv)) / 2h, signal⟩ = ⟨v, way down of signal⟩ within 1e-3, where v is small enough not to cross a kink. */
async function differenceRow(
  tf: TensorFlow,
  title: string,
  single: SingleLayer,
  { x, direction, signal, down }: Probe,
): Promise<Row> {
  const at = (step: number) => tf.tidy(() => single.output(tf.add(x, tf.mul(direction, step))))
  const above = at(STEP)
  const below = at(-STEP)
  const difference = (await dot(above, signal)) - (await dot(below, signal))
  tf.dispose([above, below])
  return scalarRow(title, 'central difference', difference / (2 * STEP), await dot(direction, down), 1e-3)
}

/** ⟨Jv, signal⟩ = ⟨v, J'signal⟩ for a layer without constant part. */
async function adjointRow(
  tf: TensorFlow,
  title: string,
  single: SingleLayer,
  { direction, signal, down }: Omit<Probe, 'x'>,
): Promise<Row> {
  const image = single.output(direction)
  const row = scalarRow(title, 'transpose of the way up', await dot(image, signal), await dot(direction, down), 1e-5)
  if (image !== direction) tf.dispose(image)
  return row
}

/** Signals over one picture give the same as each of them over a copy of the picture. */
async function manySignalsRow(tf: TensorFlow, title: string, single: SingleLayer, x: Tensor): Promise<Row> {
  const picture = tf.slice(x, new Array<number>(x.rank).fill(0), [1, ...x.shape.slice(1)])
  const pictures = tf.tile(picture, [3, ...new Array<number>(x.rank - 1).fill(1)])
  const one = single.up(picture)
  const three = single.up(pictures)
  const output = three.outputs['layer'] ?? pictures
  const signal = tf.tensor(normal(new RandomStream(7, 'weights'), output.size), output.shape)
  const together = await take(single.down(one, signal, GRADIENT_RULES))
  const apart = await take(single.down(three, signal, GRADIENT_RULES))
  tf.dispose([picture, pictures, signal, one.outputs, one.saved, three.outputs, three.saved])
  return compare(title, 'many signals over one picture', together, apart, { atolRelativeToMax: 1e-6 })
}

/** Compared in units of both values' size, which may be small where terms cancel. */
function scalarRow(name: string, quantity: string, actual: number, expected: number, tolerance: number): Row {
  const deviation = Math.abs(actual - expected) / Math.max(Math.abs(actual), Math.abs(expected), 1)
  return { name, quantity, pass: deviation <= tolerance, deviation, ratio: deviation / tolerance }
}

/** In float64, so that summing adds no error. */
async function dot(a: Tensor, b: Tensor): Promise<number> {
  const first: ArrayLike<number> = await a.data()
  const second: ArrayLike<number> = await b.data()
  return Array.from(first).reduce((sum, value, index) => sum + value * (second[index] ?? NaN), 0)
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1)
}

function normal(random: RandomStream, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal())
}

function weightValues(random: RandomStream, name: string, count: number): Float32Array {
  return Float32Array.from({ length: count }, () =>
    name === 'variance' ? 0.5 + random.uniform() : 0.5 * random.normal(),
  )
}

/**
 * A shuffled grid from -7 to 7 with no value nearer than 0.02 to 0 or 6: steps of at most 0.01 change no order of two values, no sign and
 * no side of 6.
 */
function awayFromKinks(random: RandomStream, count: number): Float32Array {
  const spacing = 14 / count
  return Float32Array.from(random.permutation(count), (place) => spacing * (place - count / 2 + 0.5))
}
