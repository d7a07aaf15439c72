import { expect, it } from 'vitest'
import type { AscentOutcome } from '../../../shared/experiments/activation-maximisation.ts'
import { draftFor, type MaximisationDraft } from './maximisation-draft.ts'
import { remediesOf } from './remedies.ts'
import { NETWORK_PAGE } from './testing/fixtures.ts'

const draft = draftFor({}, NETWORK_PAGE, undefined)
const relu = { name: 'relu1', type: 'relu', inputs: ['conv1'], shape: [2, 2, 3], parameters: 0 } as const
const layers = [...NETWORK_PAGE.layers, { ...relu, inputs: [...relu.inputs], shape: [...relu.shape] }]
const labels = (outcome: AscentOutcome, change: Partial<MaximisationDraft> = {}): string[] =>
  remediesOf(outcome, { ...draft, ...change }, layers).map(({ label }) => label)

it('offers what helps where the gradient is zero', () => {
  expect(labels('zero-gradient', { layer: 'relu1' })).toEqual([
    'Maximise conv1',
    'Redirect gradients in 16 iterations',
    'Try seed 1',
  ])
  expect(labels('zero-gradient', { start: { kind: 'mean' } })).toContain('Start from noise')
})

it('lowers the steps that were too large, and raises those that were too small', () => {
  expect(remediesOf('diverged', draft, layers)[0]?.change.settings?.policy).toEqual({ kind: 'constant', rate: 10 })
  expect(labels('majority-failure')).toEqual(['2000 iterations', 'Rate η 400'])
  expect(labels('majority-success')).toEqual([])
})
