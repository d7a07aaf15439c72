import { beforeAll, describe, expect, it } from 'vitest'
import { TrainClassifierParams } from '../../shared/experiments/train-classifier.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import type { Engine } from '../engines/engine.ts'
import { startNamed } from '../engines/start-named.ts'
import { Network } from '../network/network.ts'
import { decodeSafetensors } from '../network/safetensors.ts'
import { finish, testContext, type TestContextOptions } from './testing/test-context.ts'
import { trainClassifier } from './train-classifier.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startNamed('wasm', { threads: 1 })
})

/** A linear softmax: the smallest classifier there is. */
const softmax = (units = 10): NetworkSpec =>
  NetworkSpec.parse({
    format: 'convscope-network',
    version: 1,
    name: 'linear',
    title: 'Linear softmax',
    preprocessing: { channelOrder: 'grey', scale: 1 / 255 },
    layers: [
      { name: 'input', type: 'input', shape: [28, 28, 1] },
      { name: 'flatten', type: 'flatten' },
      { name: 'dropout', type: 'dropout', rate: 0.5 },
      { name: 'dense', type: 'dense', units },
      { name: 'softmax', type: 'softmax' },
    ],
  })

const train = async (changes: object = {}, options: Omit<TestContextOptions, 'engine'> = {}) => {
  const { context, outputs } = testContext({ engine, count: 50, seed: 5, ...options })
  const params = TrainClassifierParams.parse({
    start: { from: 'layers', spec: softmax() },
    dataset: 'digits',
    epochs: 3,
    batchSize: 16,
    dropout: 0,
    ...changes,
  })
  return { ...(await finish(trainClassifier(params, context))), outputs }
}
const lbfgs = { epochs: 200, optimiser: { kind: 'l-bfgs' }, weightDecay: { reading: 'szegedy', lambda: 0.1 } }
const weightsOf = ({ outputs }: Awaited<ReturnType<typeof train>>, name = 'weights') => outputs.weights.get(name)
const curve = ({ result }: Awaited<ReturnType<typeof train>>) =>
  result.epochs.map(({ epoch, trainLoss, testErrorPercent }) => [epoch, trainLoss, testErrorPercent])

describe('what a training leaves', () => {
  it('counts every test picture in the confusion matrix and lists the mistakes by confidence', async () => {
    const { result } = await train({ epochs: 1, optimiser: { kind: 'momentum', learningRate: 0.001 }, testCount: 43 })
    const { confusion = [], mistakes = [] } = result
    const cells = confusion.flat()
    const right = confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0)
    expect(cells.reduce((sum, count) => sum + count, 0)).toBe(43)
    expect(confusion.map((row) => row.reduce((sum, count) => sum + count, 0))).toEqual([5, 5, 5, 4, 4, 4, 4, 4, 4, 4])
    expect(mistakes).toHaveLength(43 - right)
    expect(result.testErrorPercent).toBeCloseTo((100 * (43 - right)) / 43, 10)
    expect(mistakes.every(({ label, index, predicted }) => label === index % 10 && predicted !== label)).toBe(true)
    const confidences = mistakes.map(({ confidence }) => confidence)
    expect(confidences).toEqual([...confidences].sort((a, b) => b - a))
    expect(result.leftOutEachEpoch).toBe(50 - 48)
  })

  it('keeps the weights of the epochs that were asked for, those of the start too', async () => {
    const trained = await train({ snapshots: [0, 2, 9] })
    expect(trained.result.snapshots).toEqual([
      { epoch: 0, output: 'weights-epoch-0' },
      { epoch: 2, output: 'weights-epoch-2' },
    ])
    const shorter = await train({ epochs: 2 })
    expect(weightsOf(trained, 'weights-epoch-2')).toEqual(weightsOf(shorter))
    expect(weightsOf(trained, 'weights-epoch-0')).not.toEqual(weightsOf(shorter))
    expect(weightsOf(trained, 'weights-epoch-9')).toBeUndefined()
  })

  it('ends when the test error has stalled, with the best weights, also after an interruption', async () => {
    const early = { epochs: 60, stopAfter: 3, optimiser: { kind: 'momentum', learningRate: 0.5 } }
    const whole = await train(early)
    const { epochs, epoch = 0, ended, testErrorPercent } = whole.result
    expect(ended).toBe('stopped-early')
    expect(epochs).toHaveLength(epoch + 3)
    expect(testErrorPercent).toBe(Math.min(...epochs.map((record) => record.testErrorPercent)))
    expect(weightsOf(await train({ ...early, stopAfter: undefined, epochs: epoch }))).toEqual(weightsOf(whole))
    const checkpoint = whole.events.filter((event) => event.type === 'checkpoint').at(-2)
    const rest = await train(early, { checkpoint: checkpoint?.type === 'checkpoint' ? checkpoint.bytes : undefined })
    expect(weightsOf(rest)).toEqual(weightsOf(whole))
    expect(curve(rest)).toEqual(curve(whole))
  })
})

describe('what a training starts from', () => {
  it('goes on with the state of an earlier run as if it had not ended', async () => {
    const options = { optimiser: { kind: 'momentum', nesterov: true }, augmentation: { shiftPixels: 1, flip: true } }
    const [first, whole] = [await train({ ...options, epochs: 2 }), await train({ ...options, epochs: 4 })]
    const sha256 = 'a'.repeat(64)
    const artifacts = { [sha256]: weightsOf(first, 'state') ?? new Uint8Array(0) }
    const more = { ...options, epochs: 4, continues: sha256, snapshots: [0, 3] }
    const rest = await train(more, { artifacts })
    expect(weightsOf(rest)).toEqual(weightsOf(whole))
    expect(curve(rest)).toEqual(curve(whole))
    expect(rest.result.snapshots).toEqual([{ epoch: 3, output: 'weights-epoch-3' }])
    await expect(train({ ...more, epochs: 2 }, { artifacts })).rejects.toThrow('has 2 epochs already')
    await expect(train({ ...more, optimiser: { kind: 'adam' } }, { artifacts })).rejects.toThrow('another optimiser')
    await expect(train({ ...more, optimiser: { kind: 'l-bfgs' } }, { artifacts })).rejects.toThrow()
  })

  it('goes on with the weights of a network, or takes only its layers', async () => {
    const first = await train()
    const network = Network.load(engine.tf, softmax(), weightsOf(first) ?? new Uint8Array(0))
    const start = { from: 'network', name: 'linear' }
    const own = await train({ start, epochs: 1 }, { network })
    const fresh = await train({ start: { ...start, weights: 'new' }, epochs: 1 }, { network })
    expect(own.result.epochs[0]?.trainLoss).toBeLessThan(0.9 * (fresh.result.epochs[0]?.trainLoss ?? 0))
    expect(weightsOf(fresh)).toEqual(weightsOf(await train({ epochs: 1 })))
    network.dispose()
  })

  it.each([
    [
      'an unknown architecture',
      { start: { from: 'architecture', name: 'nothing' } },
      'no known architecture "nothing"',
    ],
    ['pictures of another size', { start: { from: 'architecture', name: 'cifar-alexnet' } }, '32 × 32 × 3'],
    ['another number of classes', { start: { from: 'layers', spec: softmax(7) } }, '7 outputs; digits has 10 classes'],
    ['L-BFGS with dropout', { ...lbfgs, dropout: undefined }, 'dropout (dropout)'],
    ['L-BFGS with random pictures', { ...lbfgs, augmentation: { flip: true } }, 'random changes of the pictures'],
    ['L-BFGS with a schedule', { ...lbfgs, schedule: { kind: 'cosine' } }, 'a learning rate'],
  ])('refuses %s', async (_, changes, reason) => {
    const before = engine.memory().tensors
    await expect(train(changes)).rejects.toThrow(reason)
    expect(engine.memory().tensors).toBe(before)
  })
})

describe('L-BFGS', () => {
  it('converges, whatever the size of the pieces, to weights whose gradient is zero', async () => {
    const [whole, pieces] = [await train({ ...lbfgs, batchSize: 50 }), await train(lbfgs)]
    for (const { result } of [whole, pieces]) {
      expect(['converged', 'stalled']).toContain(result.ended)
      expect(result.leftOutEachEpoch).toBe(0)
    }
    const last = (run: typeof whole): number => run.result.epochs.at(-1)?.objective ?? NaN
    expect(last(whole)).toBeCloseTo(last(pieces), 5)
    // The loss is convex: a gradient method that is given much longer must not find less.
    const slow = await train({
      ...lbfgs,
      batchSize: 50,
      optimiser: { kind: 'momentum', learningRate: 0.1 },
      epochs: 120,
    })
    const file = decodeSafetensors(weightsOf(slow) ?? new Uint8Array(0), 'slow')
    const squares = [...file.values()].reduce(
      (sum, { data }) => sum + Float64Array.from(data).reduce((part, weight) => part + weight * weight, 0),
      0,
    )
    const slowObjective = (slow.result.epochs.at(-1)?.trainLoss ?? NaN) + 0.05 * squares
    expect(last(whole)).toBeLessThan(slowObjective + 1e-5)
    expect(last(whole)).toBeCloseTo(slowObjective, 3)
  })

  it('goes on from a checkpoint bit for bit', async () => {
    const some = { ...lbfgs, epochs: 6 }
    const whole = await train(some)
    const checkpoint = whole.events.find((event) => event.type === 'checkpoint')
    if (checkpoint?.type !== 'checkpoint') throw new Error('no checkpoint')
    const rest = await train(some, { checkpoint: checkpoint.bytes })
    expect(weightsOf(rest)).toEqual(weightsOf(whole))
    expect(curve(rest)).toEqual(curve(whole))
    expect(weightsOf(rest, 'state')).not.toBeUndefined()
  })
})
