import { beforeAll, describe, expect, it } from 'vitest'
import { TrainClassifierParams } from '../../shared/experiments/train-classifier.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import type { Engine } from '../engines/engine.ts'
import { startNamed } from '../engines/start-named.ts'
import { Network } from '../network/network.ts'
import { finish, testContext, type TestContextOptions } from './testing/test-context.ts'
import { trainClassifier } from './train-classifier.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startNamed('wasm', { threads: 1 })
})

/** A convolutional network with dropout that takes little time. */
const small = NetworkSpec.parse({
  format: 'convscope-network',
  version: 1,
  name: 'small',
  title: 'Small',
  preprocessing: { channelOrder: 'grey', scale: 1 / 255 },
  layers: [
    { name: 'input', type: 'input', shape: [28, 28, 1] },
    { name: 'conv1', type: 'conv2d', filters: 4, kernel: [5, 5], stride: [2, 2] },
    { name: 'relu1', type: 'relu' },
    { name: 'pool1', type: 'max-pool', kernel: [2, 2], stride: [2, 2] },
    { name: 'flatten', type: 'flatten' },
    { name: 'dropout', type: 'dropout', rate: 0.5 },
    { name: 'dense', type: 'dense', units: 10 },
    { name: 'softmax', type: 'softmax' },
  ],
})

const params = (changes: object = {}): TrainClassifierParams =>
  TrainClassifierParams.parse({
    start: { from: 'layers', spec: small },
    dataset: 'digits',
    epochs: 2,
    batchSize: 8,
    augmentation: { shiftPixels: 1, flip: true },
    schedule: { kind: 'steps', epochs: [2], factor: 0.5 },
    ...changes,
  })

const train = async (changes: object = {}, options: Omit<TestContextOptions, 'engine'> = {}) => {
  const { context, outputs } = testContext({ engine, count: 16, seed: 5, ...options })
  return { ...(await finish(trainClassifier(params(changes), context))), outputs }
}

describe('train-classifier', () => {
  it('learns, reports, and leaves a network that can be loaded', async () => {
    const { result, events, outputs } = await train(
      { start: { from: 'architecture', name: 'mnist-convnet' }, epochs: 3, name: 'learned' },
      { count: 40 },
    )
    const [first, , last] = result.epochs
    expect(last?.trainLoss).toBeLessThan(0.7 * (first?.trainLoss ?? 0))
    expect(result).toMatchObject({
      network: 'learned',
      parameters: 317_066,
      testCount: 40,
      testErrorPercent: last?.testErrorPercent,
    })
    const steps = events.filter((event) => event.type === 'step')
    expect(steps.at(-1)).toMatchObject({ done: 120, total: 120, unit: 'images', values: { epoch: 3 } })
    expect(events.filter((event) => event.type === 'checkpoint')).toHaveLength(3)

    const spec = NetworkSpec.parse(outputs.json.get('spec'))
    expect(spec.name).toBe('learned')
    const network = Network.load(engine.tf, spec, outputs.weights.get('weights') ?? new Uint8Array(0))
    expect(network.shapes['conv2']).toEqual([8, 8, 64])
    network.dispose()
  })

  it('can be interrupted after every batch, those of the test error too', async () => {
    const { events } = await train({ epochs: 1, trainCount: 40, testCount: 450 }, { count: 450 })
    const stops = events.map(({ type }) => (type === 'turn' || type === 'step' ? 'stop' : type))
    const [updates, evaluations, summary] = [5, 3, 1]
    expect(stops.slice(0, updates + evaluations + summary + 1)).toEqual([
      ...Array<string>(updates + evaluations + summary).fill('stop'),
      'log',
    ])
  })

  it('gives the same weights again, others with another seed, and leaves no tensors', async () => {
    const first = await train()
    const before = engine.memory().tensors
    const again = await train()
    const other = await train({}, { seed: 6 })
    expect(engine.memory().tensors).toBe(before)
    expect(again.outputs.weights.get('weights')).toEqual(first.outputs.weights.get('weights'))
    expect(again.result.network).toBe(first.result.network)
    expect(first.result.network).toMatch(/^small-[0-9a-f]{8}$/)
    expect(other.outputs.weights.get('weights')).not.toEqual(first.outputs.weights.get('weights'))
  })

  it.each([{ kind: 'adam' }, { kind: 'momentum' }])(
    'goes on from a checkpoint bit for bit with $kind',
    async (optimiser) => {
      const whole = await train({ epochs: 3, optimiser })
      const checkpoint = whole.events.find((event) => event.type === 'checkpoint')
      if (checkpoint?.type !== 'checkpoint') throw new Error('no checkpoint')
      const rest = await train({ epochs: 3, optimiser }, { checkpoint: checkpoint.bytes })
      expect(rest.outputs.weights.get('weights')).toEqual(whole.outputs.weights.get('weights'))
      expect(rest.result.epochs.map(({ epoch, trainLoss }) => [epoch, trainLoss])).toEqual(
        whole.result.epochs.map(({ epoch, trainLoss }) => [epoch, trainLoss]),
      )
    },
  )

  it('refuses a damaged checkpoint', async () => {
    await expect(train({}, { checkpoint: new Uint8Array(40) })).rejects.toMatchObject({ code: 'damaged' })
  })

  it('stops where it is told to, keeping the weights of the last epoch', async () => {
    const abort = new AbortController()
    const { context, outputs } = testContext({ engine, count: 40, signal: abort.signal })
    const before = engine.memory().tensors
    const training = trainClassifier(params({ epochs: 50 }), context)
    for (
      let event = await training.next();
      !event.done && event.value.type !== 'checkpoint';
      event = await training.next()
    );
    abort.abort(new Error('cancelled'))
    await expect(training.next()).rejects.toThrow('cancelled')
    expect(outputs.weights.get('weights')?.length).toBeGreaterThan(5000)
    // It can be continued.
    expect(outputs.weights.get('state')?.length).toBeGreaterThan(5000)
    expect(engine.memory().tensors).toBe(before)
  })
})
