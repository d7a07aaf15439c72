import { expect, it } from 'vitest'
import {
  ActivationMaximisationParams,
  TRACE_QUANTITIES,
  type ActivationMaximisationResult,
} from '../../../shared/experiments/activation-maximisation.ts'
import { blocksOf, itemCurves } from './maximised-run.ts'

const item = (layer: string, channel: number, setting: number, start: number) => ({
  ...{ layer, channel, setting, start, position: null, outcome: 'majority-success' as const, advice: null },
  ...{ objective: { first: 0, best: 1, last: 1 }, majorityStep: 0, iterations: 2, totalVariation: 1 },
})
const params = ActivationMaximisationParams.parse({
  network: 'net',
  targets: [{ layer: 'a', units: { kind: 'all' } }],
  settings: [{ name: 'First' }, { name: 'Second' }],
})
const resultOf = (items: ActivationMaximisationResult['items']): ActivationMaximisationResult => ({
  ...{ network: 'net', items, scales: [], traceEvery: 5, changes: [], iterationsPerSecond: 1 },
})

it('looks at one unit by its settings, and at several layers by layer and setting', () => {
  const one = resultOf([item('a', 0, 0, 0), item('a', 0, 0, 1), item('a', 0, 1, 0), item('a', 0, 1, 1)])
  expect(blocksOf({ params, result: one }).map(({ title, items }) => [title, items])).toEqual([
    ['First', [0, 1]],
    ['Second', [2, 3]],
  ])
  const two = resultOf([item('a', 0, 0, 0), item('a', 1, 0, 0), item('b', 0, 0, 0)])
  expect(blocksOf({ params, result: two }).map(({ title, items }) => [title, items])).toEqual([
    ['a, First', [0, 1]],
    ['b, First', [2]],
  ])
})

it('draws the curves of a picture up to its early end', () => {
  const width = TRACE_QUANTITIES.length
  const values = new Float32Array(2 * 3 * width).map((_, at) => at)
  values.fill(NaN, 5 * width)
  const curves = itemCurves({ traces: { shape: [2, 3, width], values }, result: resultOf([]) }, 1)
  expect(curves['objective']).toEqual({ x: [0, 5], values: [3 * width, 4 * width] })
  expect(curves['norm']).toEqual({ x: [0, 5], values: [3 * width + 3, 4 * width + 3] })
  const short = resultOf([item('a', 0, 0, 0), { ...item('a', 0, 0, 1), iterations: 4 }])
  expect(itemCurves({ traces: { shape: [2, 3, width], values }, result: short }, 1)['objective']?.x).toEqual([0])
})
