import { expect, it } from 'vitest'
import { encodeCsv } from '../../../shared/csv.ts'
import { AscentSettings } from '../../../shared/experiments/activation-maximisation.ts'
import type { RegulariserSearchResult, SearchDraw } from '../../../shared/experiments/regulariser-search.ts'
import { drawsJson, drawsTable } from './draw-files.ts'

const draw = (best: number, naturalness: number | null): SearchDraw => ({
  settings: AscentSettings.parse({ decay: 0.1, policy: { kind: 'constant', rate: 50 } }),
  item: {
    ...{ layer: 'out', channel: 0, position: null, setting: 0, start: 0, advice: null },
    ...{ outcome: 'majority-success', objective: { first: 0, best, last: 1 } },
    ...{ majorityStep: null, iterations: 10, totalVariation: 3 },
  },
  naturalness,
  group: 1,
})
const result: RegulariserSearchResult = {
  ...{ network: 'net', draws: [draw(2, null), draw(4, 0.5)], scale: { layer: 'out', progress: 1, rate: 2 } },
  ...{ groups: 2, iterationsPerSecond: 1 },
}

it('writes the chosen draws as a table, in their order', () => {
  const lines = new TextDecoder().decode(encodeCsv(drawsTable(result, { 1: 'star' }, [1, 0]))).split('\r\n')
  expect(lines[0]).toMatch(/^draw,mark,group,outcome,.*naturalness,decay,.*policy,rate,max_rate,desired,early,late$/)
  expect(lines.slice(1)).toEqual([
    '2,star,2,majority-success,0,4,1,,10,3,0.5,0.1,0,0,0,0,constant,50,,,,',
    '1,,2,majority-success,0,2,1,,10,3,,0.1,0,0,0,0,constant,50,,,,',
    '',
  ])
})

it('writes them as JSON with their marks', () => {
  expect(JSON.parse(drawsJson(result, { 1: 'star' }, [1]))).toMatchObject({
    network: 'net',
    draws: [{ draw: 2, mark: 'star', group: 1, settings: { decay: 0.1 } }],
  })
})
