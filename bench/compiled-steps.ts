/**
 * Compiled steps against the same steps operation by operation, on TensorFlow on this processor.
 *
 *   node bench/compiled-steps.ts [--seconds N] [--threads N] [work …]
 *
 * Operation by operation means tfjs-node's own kernels. The variants of one work take turns within one run, so that a busy machine slows all
 * of them. Prints a Markdown table of medians with the best run in brackets, and the load of the machine.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import {
  autoencoderState,
  autoencoderStep,
  type AutoencoderForm,
} from '../src/compute/engines/compiled/testing/autoencoder.ts'
import { eagerStep } from '../src/compute/engines/eager-step.ts'
import { disposeTensors, startEngine, type Engine, type Step, type TensorTree } from '../src/compute/engines/index.ts'
import { withStockKernels } from '../src/compute/engines/tensorflow-kernels.ts'

interface Work {
  readonly inputs: TensorTree
  readonly step: Step<TensorTree, TensorTree>
}

const noise = (engine: Engine, shape: number[], scale: number, seed: number): Tensor =>
  engine.tf.randomUniform(shape, -scale, scale, 'float32', seed)

function autoencoder(engine: Engine): Work {
  const { tf } = engine
  const form: AutoencoderForm = { channels: [32, 48, 64, 64], kernel: 4 }
  const scalars = { rate: tf.scalar(1e-3), first: tf.scalar(0.1), second: tf.scalar(0.001) }
  const images = tf.tidy(() => tf.abs(noise(engine, [128, 32, 32, 3], 1, 1)))
  const inputs = { state: autoencoderState(tf, 2, form), images, scalars }
  return { inputs, step: autoencoderStep(tf) as unknown as Work['step'] }
}

type Layer =
  | readonly ['conv', kernel: number, channels: number, stride: number, groups: number]
  | readonly ['pool', number, number]
  | readonly ['dense', number]

const CAFFENET: readonly Layer[] = [
  ['conv', 11, 96, 4, 1],
  ['pool', 3, 2],
  ['conv', 5, 256, 1, 2],
  ['pool', 3, 2],
  ['conv', 3, 384, 1, 1],
  ['conv', 3, 384, 1, 2],
  ['conv', 3, 256, 1, 2],
  ['pool', 3, 2],
  ['dense', 4096],
  ['dense', 4096],
  ['dense', 1000],
]
const VGG: readonly Layer[] = [
  ...[
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ].flatMap(([channels = 0, count = 0]): Layer[] => [
    ...Array.from({ length: count }, (): Layer => ['conv', 3, channels, 1, 1]),
    ['pool', 2, 2],
  ]),
  ['dense', 4096],
  ['dense', 4096],
  ['dense', 1000],
]

/** Forward through the layers with ReLU between them, and the gradient of one score by the picture. */
function inputGradient(engine: Engine, size: number, layers: readonly Layer[]): Work {
  const { tf } = engine
  const weights: Tensor[] = []
  const shape = { size, channels: 3, flat: false }
  for (const [index, layer] of layers.entries()) {
    if (layer[0] === 'pool') {
      shape.size = Math.floor((shape.size - layer[1]) / layer[2]) + 1
    } else if (layer[0] === 'conv') {
      const [, kernel, channels, stride, groups] = layer
      const fan = (kernel * kernel * shape.channels) / groups
      weights.push(noise(engine, [kernel, kernel, shape.channels / groups, channels], Math.sqrt(6 / fan), index))
      shape.size = stride === 1 ? shape.size : Math.floor((shape.size - kernel) / stride) + 1
      shape.channels = channels
    } else {
      const fan = shape.flat ? shape.channels : shape.size * shape.size * shape.channels
      weights.push(noise(engine, [fan, layer[1]], Math.sqrt(6 / fan), index))
      Object.assign(shape, { channels: layer[1], flat: true })
    }
  }
  const score = (picture: Tensor): Tensor => {
    let x = picture
    let next = 0
    for (const layer of layers) {
      if (layer[0] === 'pool') x = tf.maxPool(x as Tensor4D, layer[1], layer[2], 'valid')
      else if (layer[0] === 'conv')
        x = tf.relu(grouped(engine, x as Tensor4D, weights[next++] as Tensor4D, layer[3], layer[4]))
      else x = tf.matMul(x.rank === 2 ? (x as Tensor2D) : tf.reshape(x, [1, -1]), weights[next++] as Tensor2D)
      if (layer[0] === 'dense' && next < weights.length) x = tf.relu(x)
    }
    return tf.sum(tf.slice(x, [0, 3], [1, 1]))
  }
  const inputs = { picture: noise(engine, [1, size, size, 3], 50, 99) }
  return { inputs, step: ((given: typeof inputs) => tf.grad(score)(given.picture)) as unknown as Work['step'] }
}

function grouped(engine: Engine, x: Tensor4D, filter: Tensor4D, stride: number, groups: number): Tensor4D {
  const { tf } = engine
  const pad = stride === 1 ? 'same' : 'valid'
  if (groups === 1) return tf.conv2d(x, filter, stride, pad)
  const filters = tf.split(filter, groups, 3)
  const parts = tf
    .split(x, groups, 3)
    .map((part, index) => tf.conv2d<Tensor4D>(part as Tensor4D, filters[index] as Tensor4D, stride, pad))
  return tf.concat(parts, 3)
}

/** 784-100-100-10 with sigmoids: the loss and its gradient by the pictures. */
function dense(engine: Engine, batch: number): Work {
  const { tf } = engine
  const sizes = [784, 100, 100, 10]
  const weights = sizes
    .slice(1)
    .map((size, index) => noise(engine, [sizes[index] ?? 0, size], 0.1, index)) as Tensor2D[]
  const biases = sizes.slice(1).map((size, index) => noise(engine, [size], 0.1, 10 + index))
  const loss = (labels: Tensor, pictures: Tensor): Tensor => {
    let x = pictures as Tensor2D
    for (const [index, weight] of weights.entries()) {
      const sums = tf.add(tf.matMul(x, weight), biases[index] ?? 0)
      x = (index < 2 ? tf.sigmoid(sums) : sums) as Tensor2D
    }
    return tf.losses.softmaxCrossEntropy(labels, x)
  }
  const inputs = {
    pictures: noise(engine, [batch, 784], 1, 3),
    labels: tf.oneHot(tf.zeros([batch], 'int32'), 10, 1, 0, 'float32'),
  }
  const step = (given: typeof inputs): TensorTree => ({
    ...tf.valueAndGrad((x) => loss(given.labels, x as Tensor))(given.pictures),
  })
  return { inputs, step: step as unknown as Work['step'] }
}

const WORKS: Readonly<Record<string, (engine: Engine) => Work>> = {
  'CIFAR autoencoder, batch 128, Adam': autoencoder,
  'CaffeNet-size forward + input gradient': (engine) => inputGradient(engine, 227, CAFFENET),
  'VGG-16-size forward + input gradient': (engine) => inputGradient(engine, 224, VGG),
  '784-100-100-10 loss + input gradient, batch 1': (engine) => dense(engine, 1),
  '784-100-100-10 loss + input gradient, batch 32': (engine) => dense(engine, 32),
  '784-100-100-10 loss + input gradient, batch 256': (engine) => dense(engine, 256),
}

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, threads: { type: 'string' } },
  allowPositionals: true,
})
const { engine } = await startEngine(
  'tensorflow',
  values.threads === undefined ? {} : { threads: Number(values.threads) },
)
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')
print(`${engine.identity.version}, ${engine.identity.device}, ${engine.identity.threads} threads, load ${load()}\n`)
print('| work | eager, ms | compiled, own kernels, ms | compiled, ms | compiled against eager | capture, ms |')
print('|---|---|---|---|---|---|')
for (const [name, make] of Object.entries(WORKS)) {
  if (positionals.length > 0 && !positionals.some((part) => name.includes(part))) continue
  const { inputs, step } = make(engine)
  const plain = eagerStep(engine.tf, engine.tf.getBackend(), step)
  const compiled = engine.compile(step)
  const exact = engine.compile(step, { exact: true })
  const variants = [
    (): Promise<TensorTree> => withStockKernels(() => plain.run(inputs)),
    () => exact.run(inputs),
    () => compiled.run(inputs),
  ]
  const times: number[][] = variants.map(() => [])
  const end = performance.now() + 1000 * Number(values.seconds)
  for (let round = 0; round < 8 || performance.now() < end; round++) {
    for (const [index, run] of variants.entries()) {
      // Several small calls at a time, so that each variant works with its own memory in the caches.
      for (let again = 0; again < 5; again++) {
        const started = performance.now()
        disposeTensors(await run())
        // The first calls of a variant capture it and let TensorFlow prepare it.
        if (round > 0 && again > 0) times[index]?.push(performance.now() - started)
      }
    }
  }
  const sorted = times.map((list) => list.sort((a, b) => a - b))
  const median = sorted.map((list) => list[Math.floor(list.length / 2)] ?? NaN)
  const cells = sorted.map((list, index) => `${digits(median[index] ?? NaN)} (${digits(list[0] ?? NaN)})`)
  const ratio = (median[0] ?? NaN) / (median[2] ?? NaN)
  print(
    `| ${name} | ${cells.join(' | ')} | ${ratio.toFixed(2)}× | ${digits(compiled.stats().variants[0]?.captureMs ?? NaN)} |`,
  )
  compiled.dispose()
  exact.dispose()
}
print(`\nLoad at the end ${load()}`)
await engine.dispose()
process.exit(0)

function digits(value: number): string {
  return String(Number(value.toPrecision(3)))
}
