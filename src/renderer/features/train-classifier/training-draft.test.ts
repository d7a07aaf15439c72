import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../../shared/experiments/index.ts'
import { TRAINING_PRESETS } from '../../../shared/experiments/training-presets.ts'
import { TrainClassifierParams } from '../../../shared/experiments/train-classifier.ts'
import { draftOf, fieldsForArchitecture, publishedFields } from './draft-of.ts'
import { documentOf, newDraft, type DraftField, type TrainingDraft } from './training-draft.ts'

const draft = (changes: Partial<TrainingDraft> = {}): TrainingDraft => ({
  ...newDraft(),
  start: 'lenet-5',
  dataset: 'mnist',
  ...changes,
})
const paramsOf = (changes: Partial<TrainingDraft>): unknown => {
  const outcome = documentOf(draft(changes))
  if ('problems' in outcome) throw new Error(JSON.stringify(outcome.problems))
  return parseDocument(outcome.document).params
}

describe('a training that is typed', () => {
  it('becomes a document', () => {
    expect(paramsOf({})).toMatchObject({
      start: { from: 'architecture', name: 'lenet-5' },
      optimiser: { kind: 'adam' },
    })
    expect(
      paramsOf({
        from: 'network',
        weights: 'new',
        optimiser: 'momentum',
        learningRate: '0.05',
        nesterov: true,
        schedule: 'steps',
        slowAt: '3, 5',
        factor: '.5',
        lambda: '1e-5, 1e-5 1e-6',
        decayReading: 'szegedy',
        dropout: '0',
        stopAfter: '4',
        snapshots: '0,1 2',
      }),
    ).toMatchObject({
      start: { from: 'network', name: 'lenet-5', weights: 'new' },
      optimiser: { kind: 'momentum', learningRate: 0.05, momentum: 0.9, nesterov: true },
      schedule: { kind: 'steps', epochs: [3, 5], factor: 0.5 },
      weightDecay: { reading: 'szegedy', lambda: [1e-5, 1e-5, 1e-6] },
      dropout: 0,
      stopAfter: 4,
      snapshots: [0, 1, 2],
    })
    expect(paramsOf({ optimiser: 'l-bfgs', schedule: 'cosine' })).toMatchObject({
      optimiser: { kind: 'l-bfgs', memory: 10 },
      schedule: { kind: 'constant' },
    })
  })

  it.each<[DraftField, Partial<TrainingDraft>]>([
    ['start', { start: '' }],
    ['dataset', { dataset: '' }],
    ['learningRate', { learningRate: 'fast' }],
    ['momentum', { optimiser: 'momentum', momentum: '1' }],
    ['slowAt', { schedule: 'steps', slowAt: '' }],
    ['factor', { schedule: 'when-stalled', factor: '2' }],
    ['warmUp', { schedule: 'cosine', warmUp: '-1' }],
    ['lambda', { lambda: '' }],
    ['lambda', { lambda: '1, x' }],
    ['dropout', { dropout: '1' }],
    ['filterRms', { filterRms: '0' }],
    ['stopAfter', { stopAfter: '0' }],
    ['snapshots', { snapshots: '1.5' }],
    ['name', { name: 'a b' }],
    ['inputSize', { inputSize: '64' }],
    ['trainCount', { trainCount: '0' }],
    ['testCount', { testCount: 'x' }],
    ['activity', { pretraining: true, activity: '1' }],
    ['sparsityWeight', { pretraining: true, sparsityWeight: '' }],
  ])('says at the field %s what is wrong', (field, changes) => {
    const outcome = documentOf(draft(changes))
    expect('problems' in outcome && Object.keys(outcome.problems)).toEqual([field])
  })
})

describe('settings that were published', () => {
  it('are taken over for their architecture and given back for another', () => {
    const chosen = { ...newDraft(), start: 'ae400-10', dataset: 'mnist' }
    Object.assign(chosen, fieldsForArchitecture(chosen))
    expect(paramsOf(chosen)).toMatchObject({
      ...TRAINING_PRESETS.find(({ name }) => name === 'ae400')?.params,
      optimiser: { kind: 'l-bfgs' },
    })
    const next = { ...chosen, start: 'lenet-5' }
    Object.assign(next, fieldsForArchitecture(next))
    expect(next).toEqual(draft())
    expect(fieldsForArchitecture(draft({ lambda: '7' }))).toEqual({})
    expect(publishedFields(TRAINING_PRESETS[2])).toMatchObject({
      lambda: '1',
      decayReading: 'szegedy',
      preset: 'softmax3',
    })
  })
})

describe('a training that goes on', () => {
  const params = TrainClassifierParams.parse({
    start: { from: 'architecture', name: 'resnet-18', inputSize: [64, 48] },
    dataset: 'mnist',
    optimiser: { kind: 'momentum', learningRate: 0.05, nesterov: true },
    schedule: { kind: 'steps', epochs: [3, 5], factor: 0.5 },
    weightDecay: { lambda: [1, 2] },
    dropout: 0.25,
    augmentation: { shiftPixels: 3, flip: true },
    stopAfter: 4,
    snapshots: [0, 3],
    trainCount: 70,
    name: 'mine',
  })

  it('has all that was typed before', () => {
    expect(paramsOf(draftOf(params, 3))).toEqual(params)
  })

  it('keeps what cannot be typed, and names where it goes on', () => {
    const state = 'c'.repeat(64)
    const outcome = documentOf({ ...draftOf(params, 3), epochs: 20, continued: { params, state } })
    expect('parsed' in outcome && outcome.parsed).toMatchObject({
      seed: 3,
      params: { ...params, epochs: 20, continues: state },
    })
  })
})
