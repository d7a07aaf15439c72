import { expect, it } from 'vitest'
import {
  ActivationMaximisationParams,
  TRACE_QUANTITIES,
  type ActivationMaximisationResult,
} from '../../../shared/experiments/activation-maximisation.ts'
import { blocksOf, itemCurves } from './maximised-run.ts'
import { curvesTable, itemsTable } from './result-files.ts'

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

it('is written as tables of pictures and of the iterations of one', () => {
  const width = TRACE_QUANTITIES.length
  const values = new Float32Array(3 * width).map((_, at) => at)
  values[width + 2] = NaN
  const result = resultOf([{ ...item('a', 4, 1, 2), iterations: 10 }])
  const { columns, rows } = itemsTable({ params, result })
  expect([...rows]).toEqual([['a', 4, null, null, 2, 'Second', 3, 'majority-success', 0, 1, 1, 0, 10, 1]])
  expect(columns).toHaveLength(14)
  const curves = curvesTable({ traces: { shape: [1, 3, width], values }, result }, 0)
  expect(curves.columns.slice(0, 4)).toEqual(['iteration', 'objective', 'gradientNorm', 'rate'])
  expect([...curves.rows].map((row) => row.slice(0, 4))).toEqual([
    [0, 0, 1, 2],
    [5, width, width + 1, null],
    [10, 2 * width, 2 * width + 1, 2 * width + 2],
  ])
})
