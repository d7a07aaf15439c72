import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../shared/experiments/index.ts'
import { TRAINING_PRESETS } from '../../shared/experiments/training-presets.ts'
import type { RunRecord } from '../../shared/runs.ts'
import { continuedDocument, trainingDocument, type TrainingOptions } from './training-document.ts'

const params = (options: TrainingOptions): unknown => parseDocument(trainingDocument(options)).params

describe('what is typed', () => {
  it('takes the published settings of an architecture that has some, changed by what is asked for', () => {
    expect(params({ architecture: 'mnist-softmax' })).toMatchObject({
      epochs: 600,
      optimiser: { kind: 'l-bfgs' },
      weightDecay: { reading: 'szegedy', lambda: 1e-4 },
    })
    expect(params({ architecture: 'mnist-softmax', preset: 'softmax3', epochs: 5 })).toMatchObject({
      epochs: 5,
      weightDecay: { reading: 'szegedy', lambda: 1 },
    })
    expect(params({ architecture: 'n100-100-10', optimiser: 'adam', decay: [0.5] })).toMatchObject({
      epochs: 10,
      optimiser: { kind: 'adam' },
      weightDecay: { reading: 'szegedy', lambda: 0.5 },
    })
    expect(params({ architecture: 'ae400-10' })).toMatchObject({
      pretraining: { kind: 'sparse-autoencoder', epochs: 60, batchSize: 500, activity: 0.1, lambda: 0.002 },
    })
    expect(params({ architecture: 'ae400-10', preset: 'none' })).toMatchObject({
      epochs: 10,
      optimiser: { kind: 'adam' },
      weightDecay: { reading: 'kernels', lambda: 0 },
    })
    expect(params({ architecture: 'resnet-18', inputSize: [64, 64] })).toMatchObject({
      start: { from: 'architecture', name: 'resnet-18', inputSize: [64, 64] },
      dataset: 'mnist',
    })
  })

  it.each<[TrainingOptions, string]>([
    [{}, 'nothing to train'],
    [{ architecture: 'lenet-5', preset: 'softmax1' }, 'no preset "softmax1" for lenet-5'],
    [{ architecture: 'lenet-5', cosine: 1, slowAt: [2] }, 'one schedule only'],
    [{ architecture: 'lenet-5', inputSize: [64] }, 'params.start'],
  ])('is refused: %j', (options, reason) => {
    expect(() => trainingDocument(options)).toThrow(reason)
  })

  it('names every preset once', () => {
    expect(new Set(TRAINING_PRESETS.map(({ name }) => name)).size).toBe(TRAINING_PRESETS.length)
    for (const { name, architecture } of TRAINING_PRESETS) {
      expect(params({ architecture, preset: name })).toBeTypeOf('object')
    }
  })
})

describe('a training that goes on', () => {
  const document = trainingDocument({ architecture: 'lenet-5', epochs: 4, seed: 9, shift: 2, trainCount: 50 })
  const sha256 = 'b'.repeat(64)
  const run = (changes: object = {}): RunRecord =>
    ({ id: 'r1', document, outputs: [{ name: 'state', kind: 'weights', sha256, bytes: 1 }], ...changes }) as RunRecord
  const finished = {
    network: 'x',
    parameters: 1,
    epochs: [1, 2, 3, 4].map((epoch) => ({
      epoch,
      trainLoss: 1,
      trainErrorPercent: 1,
      testErrorPercent: 1,
      seconds: 1,
    })),
    testErrorPercent: 1,
    testCount: 1,
    imagesPerSecond: 1,
  }

  it('keeps its settings and seed, with as many epochs again or as asked for', () => {
    const whole = parseDocument(continuedDocument({}, run({ result: finished })))
    expect(whole).toMatchObject({
      seed: 9,
      params: { epochs: 8, continues: sha256, augmentation: { shiftPixels: 2 }, trainCount: 50 },
    })
    expect(parseDocument(continuedDocument({}, run())).params).toMatchObject({ epochs: 4 })
    expect(parseDocument(continuedDocument({ epochs: 20, learningRate: 0.5 }, run())).params).toMatchObject({
      epochs: 20,
      optimiser: { kind: 'adam', learningRate: 0.5 },
    })
  })

  it.each<[TrainingOptions, object, string]>([
    [{}, { outputs: [] }, 'left nothing'],
    [{ architecture: 'lenet-5' }, {}, 'keeps its network'],
    [{ dataset: 'mnist' }, {}, 'keeps its network'],
  ])('is refused with %j', (options, changes, reason) => {
    expect(() => continuedDocument(options, run(changes))).toThrow(reason)
  })
})
