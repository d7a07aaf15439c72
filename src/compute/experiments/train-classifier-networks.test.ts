import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { TrainClassifierParams } from '../../shared/experiments/train-classifier.ts'
import { MEAN_IMAGE_TENSOR, NetworkSpec } from '../../shared/network/spec.ts'
import type { Engine } from '../engines/engine.ts'
import { startNamed } from '../engines/start-named.ts'
import { architectureNamed } from '../network/architectures/index.ts'
import { initialWeights } from '../network/architectures/initial-weights.ts'
import { buildGraph } from '../network/graph.ts'
import { Network } from '../network/network.ts'
import { decodeSafetensors, encodeSafetensors } from '../network/safetensors.ts'
import { openReader } from '../training/open-reader.ts'
import { finish, TEST_CLASSES, testContext, testSplit, type TestContextOptions } from './testing/test-context.ts'
import { trainClassifier } from './train-classifier.ts'

const RESIDUAL = join(import.meta.dirname, '../../../tests/conformance/training-residual.json')

let engine: Engine
beforeAll(async () => {
  engine = await startNamed('wasm', { threads: 1 })
})

const specOf = (layers: unknown, preprocessing: object): NetworkSpec =>
  NetworkSpec.parse({ format: 'convscope-network', version: 1, name: 'small', title: 'Small', preprocessing, layers })

const train = async (changes: object, options: Omit<TestContextOptions, 'engine'> = {}) => {
  const { context, outputs } = testContext({ engine, count: 20, seed: 5, ...options })
  const params = TrainClassifierParams.parse({ dataset: 'digits', epochs: 2, batchSize: 10, ...changes })
  return { ...(await finish(trainClassifier(params, context))), outputs }
}
type Trained = Awaited<ReturnType<typeof train>>
const tensorsOf = ({ outputs }: Trained, name = 'weights') =>
  decodeSafetensors(outputs.weights.get(name) ?? new Uint8Array(0), name)
const checkpointOf = ({ events }: Trained, place: number): Uint8Array => {
  const checkpoint = events.filter((event) => event.type === 'checkpoint').at(place)
  if (checkpoint?.type !== 'checkpoint') throw new Error('no checkpoint')
  return checkpoint.bytes
}

describe('networks with batch normalisation', () => {
  const residual = async (): Promise<NetworkSpec> => {
    const { network } = JSON.parse(await readFile(RESIDUAL, 'utf8')) as { network: { layers: unknown } }
    const resize = { mode: 'exact', height: 36, width: 36, filter: 'opencv-linear' }
    return specOf(network.layers, { channelOrder: 'rgb', resize, crop: { mode: 'centre', height: 32, width: 32 } })
  }
  const optimiser = { kind: 'momentum', learningRate: 0.05 }

  it('learn, keep their running statistics in weights, snapshots and checkpoints, and are measured with them', async () => {
    const options = { start: { from: 'layers', spec: await residual() }, optimiser, augmentation: { shiftPixels: 2 } }
    const whole = await train({ ...options, epochs: 4, snapshots: [0, 2] })
    const { epochs, parameters, testErrorPercent } = whole.result
    expect(epochs.at(-1)?.trainLoss).toBeLessThan(0.9 * (epochs[0]?.trainLoss ?? 0))
    const means = ['weights-epoch-0', 'weights-epoch-2', 'weights'].map((name) =>
      tensorsOf(whole, name).get('bn1/variance'),
    )
    expect(means[0]?.data.every((value) => value === 1)).toBe(true)
    expect(means[2]?.data).not.toEqual(means[1]?.data)
    // Without the running statistics: 16 normalisations of one or more channels.
    const all = [...tensorsOf(whole).values()].reduce((sum, { data }) => sum + data.length, 0)
    const running = [...tensorsOf(whole)].filter(([name]) => /\/(mean|variance)$/.test(name))
    expect(parameters).toBe(all - running.reduce((sum, [, { data }]) => sum + data.length, 0))

    const rest = await train({ ...options, epochs: 4, snapshots: [0, 2] }, { checkpoint: checkpointOf(whole, 1) })
    for (const name of ['weights', 'weights-epoch-0', 'weights-epoch-2']) {
      expect(rest.outputs.weights.get(name)).toEqual(whole.outputs.weights.get(name))
    }
    const network = Network.load(
      engine.tf,
      NetworkSpec.parse(whole.outputs.json.get('spec')),
      whole.outputs.weights.get('weights') ?? new Uint8Array(0),
    )
    const { images, labels } = await openReader(testSplit('test', 20), network.spec, 20).read(
      new Uint8Array(20).map((_, i) => i),
    )
    const activations = network.forward(engine.tf.tensor4d(images, [20, 32, 32, 3]))
    const predicted = engine.tf.argMax(activations.get('softmax'), 1).dataSync()
    expect(testErrorPercent).toBeCloseTo(5 * predicted.filter((label, index) => label !== labels[index]).length, 6)
    network.dispose()
  })

  it('are refused where they cannot be: one value a channel, L-BFGS', async () => {
    const spec = specOf(
      [
        { name: 'input', type: 'input', shape: [28, 28, 1] },
        { name: 'flatten', type: 'flatten' },
        { name: 'dense', type: 'dense', units: 10 },
        { name: 'norm', type: 'batch-norm' },
      ],
      { channelOrder: 'grey' },
    )
    const start = { from: 'layers', spec }
    await expect(train({ start, batchSize: 1 })).rejects.toThrow('norm would normalise one value')
    await expect(train({ start, optimiser: { kind: 'l-bfgs' } })).rejects.toThrow('batch normalisation (norm)')
  })

  it('as deep as ResNet-18 take a step', async () => {
    const published = architectureNamed('resnet-18').spec({ classes: TEST_CLASSES, inputShape: [32, 32, 3] })
    // An eighth of its filters.
    const layers = published.layers.map((layer) =>
      layer.type === 'conv2d' ? { ...layer, filters: layer.filters / 8 } : layer,
    )
    const start = { from: 'layers', spec: { ...published, layers } }
    const { result } = await train({ start, optimiser, epochs: 1, batchSize: 4, trainCount: 4, testCount: 4 })
    expect(result.epochs[0]?.trainLoss).toBeGreaterThan(0)
  })
})

describe('networks with the pipelines of Caffe', () => {
  const side = 24
  const caffe = specOf(
    [
      { name: 'input', type: 'input', shape: [side, side, 3] },
      { name: 'conv1', type: 'conv2d', filters: 8, kernel: [5, 5], stride: [2, 2] },
      { name: 'relu1', type: 'relu' },
      { name: 'norm1', type: 'lrn', size: 5, alpha: 1e-4, beta: 0.75 },
      { name: 'pool1', type: 'max-pool', kernel: [3, 3], stride: [2, 2], rounding: 'ceil' },
      { name: 'conv2', type: 'conv2d', filters: 8, kernel: [3, 3], groups: 2 },
      { name: 'flatten', type: 'flatten', order: 'chw' },
      { name: 'fc', type: 'dense', units: 10 },
      { name: 'prob', type: 'softmax' },
    ],
    {
      resize: { mode: 'exact', height: 30, width: 30, filter: 'caffe' },
      crop: { mode: 'centre', height: side, width: side },
      channelOrder: 'bgr',
      scale: 1,
      mean: [100, 110, 120],
      meanImage: MEAN_IMAGE_TENSOR,
    },
  )

  it('resize, crop and subtract their mean picture, which stays in their weights', async () => {
    const image = Float32Array.from({ length: side * side * 3 }, (_, index) => 100 + (index % 3) * 10)
    const mean = { dtype: 'F32', shape: [side, side, 3], data: image } as const
    const weights = { ...Object.fromEntries(initialWeights(buildGraph(caffe), 1)), [MEAN_IMAGE_TENSOR]: mean }
    const network = Network.load(engine.tf, caffe, encodeSafetensors(weights))
    const trained = await train(
      {
        start: { from: 'network', name: 'small', weights: 'new' },
        epochs: 4,
        optimiser: { kind: 'momentum', learningRate: 1e-5 },
        augmentation: { shiftPixels: 3, flip: true },
      },
      { network },
    )
    network.dispose()
    const { epochs } = trained.result
    expect(epochs.at(-1)?.trainLoss).toBeLessThan(epochs[0]?.trainLoss ?? 0)
    expect(tensorsOf(trained).get(MEAN_IMAGE_TENSOR)?.data).toEqual(image)
    const spec = NetworkSpec.parse(trained.outputs.json.get('spec'))
    Network.load(engine.tf, spec, trained.outputs.weights.get('weights') ?? new Uint8Array(0)).dispose()
  })
})

describe('pretraining by a sparse autoencoder', () => {
  const code = specOf(
    [
      { name: 'input', type: 'input', shape: [28, 28, 1] },
      { name: 'flatten', type: 'flatten' },
      { name: 'dense1', type: 'dense', units: 20 },
      { name: 'sigmoid1', type: 'sigmoid' },
      { name: 'dense2', type: 'dense', units: 10 },
      { name: 'softmax', type: 'softmax' },
    ],
    { channelOrder: 'grey', scale: 1 / 255 },
  )
  const pretraining = { kind: 'sparse-autoencoder', epochs: 12, batchSize: 10, learningRate: 0.01 }
  const options = { start: { from: 'layers', spec: code }, pretraining, snapshots: [0] }
  const lbfgs = { optimiser: { kind: 'l-bfgs' }, weightDecay: { reading: 'szegedy', lambda: 1e-6 }, epochs: 20 }

  it.each([
    ['by batches', { epochs: 2, weightDecay: { lambda: 0.01 } }],
    ['by L-BFGS', lbfgs],
  ])('learns the first layer, which then stays, and goes on after an interruption (%s)', async (_, changes) => {
    const whole = await train({ ...options, ...changes })
    const losses = whole.events.flatMap((event) =>
      event.type === 'step' ? (event.values['pretrainingLoss'] ?? []) : [],
    )
    expect(losses).toHaveLength(12)
    expect(losses.at(-1)).toBeLessThan(0.95 * (losses[0] ?? 0))
    const activity = whole.events.findLast((event) => event.type === 'step' && 'activity' in event.values)
    expect(activity?.type === 'step' && Math.abs((activity.values['activity'] ?? 1) - 0.1)).toBeLessThan(0.08)
    const [first, last, encoder] = [
      tensorsOf(whole, 'weights-epoch-0'),
      tensorsOf(whole),
      tensorsOf(whole, 'autoencoder'),
    ]
    for (const parameter of ['kernel', 'bias']) {
      expect(last.get(`dense1/${parameter}`)).toEqual(encoder.get(parameter))
      expect(first.get(`dense1/${parameter}`)).toEqual(encoder.get(parameter))
      expect(last.get(`dense2/${parameter}`)).not.toEqual(first.get(`dense2/${parameter}`))
    }
    for (const place of [4, 12]) {
      const rest = await train({ ...options, ...changes }, { checkpoint: checkpointOf(whole, place) })
      expect(rest.outputs.weights.get('weights')).toEqual(whole.outputs.weights.get('weights'))
    }
  })

  it('is refused where the first layer is not that of such an autoencoder', async () => {
    const linear = specOf(
      code.layers.filter(({ type }) => type !== 'sigmoid'),
      { channelOrder: 'grey' },
    )
    await expect(train({ ...options, start: { from: 'layers', spec: linear } })).rejects.toThrow('no sigmoid after it')
    const wide = specOf(code.layers, { channelOrder: 'grey', scale: 1 / 255, mean: [0.5] })
    await expect(train({ ...options, start: { from: 'layers', spec: wide } })).rejects.toThrow('not within 0 and 1')
  })
})
