import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../../shared/experiments/index.ts'
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
  ])('says at the field %s what is wrong', (field, changes) => {
    const outcome = documentOf(draft(changes))
    expect('problems' in outcome && Object.keys(outcome.problems)).toEqual([field])
  })
})
