import { describe, expect, it } from 'vitest'
import { AscentSettings } from '../../../shared/experiments/activation-maximisation.ts'
import { parseDocument } from '../../../shared/experiments/index.ts'
import type { SearchDraw } from '../../../shared/experiments/regulariser-search.ts'
import { filterDraws, NO_FILTER } from './draw-filter.ts'
import { documentOf, newSearch, withRange } from './search-draft.ts'

const draw = (best: number, totalVariation: number, naturalness: number | null, group: number): SearchDraw => ({
  settings: AscentSettings.parse({}),
  item: {
    ...{ layer: 'out', channel: 0, position: null, setting: 0, start: 0, advice: null },
    outcome: best > 2 ? 'majority-success' : 'majority-failure',
    objective: { first: 0, best, last: best },
    ...{ majorityStep: null, iterations: 10, totalVariation },
  },
  naturalness,
  group,
})
const draws = [draw(4, 30, 0.5, 1), draw(1, 5, 0.9, 0), draw(3, 10, null, 1)]
const numbers = (change: Partial<typeof NO_FILTER>, marks = {}): number[] =>
  filterDraws(draws, marks, { ...NO_FILTER, ...change })

describe('draws of a search', () => {
  it('come in the order that was asked for', () => {
    expect(numbers({})).toEqual([0, 1, 2])
    expect(numbers({ order: 'objective' })).toEqual([0, 2, 1])
    expect(numbers({ order: 'smooth' })).toEqual([1, 2, 0])
    expect(numbers({ order: 'natural' })).toEqual([1, 0, 2])
    expect(numbers({ order: 'group' })).toEqual([1, 0, 2])
  })

  it('are left out by what was measured', () => {
    expect(numbers({ outcome: 'majority-success' })).toEqual([0, 2])
    expect(numbers({ group: 0 })).toEqual([1])
    expect(numbers({ leastObjective: 0.75 })).toEqual([0, 2])
    expect(numbers({ mostVariation: 10 })).toEqual([1, 2])
    expect(numbers({ leastNaturalness: 0.6 })).toEqual([1, 2])
  })

  it('are left out by marks', () => {
    const marks = { 0: 'star', 1: 'reject' } as const
    expect(numbers({ mark: 'star' }, marks)).toEqual([0])
    expect(numbers({ mark: 'open' }, marks)).toEqual([0, 2])
  })
})

describe('the form of a search', () => {
  const start = { kind: 'mean' } as const
  const subject = { network: 'net', layer: 'out', channel: 1, position: null, start, seed: 3 }

  it('makes a valid document', () => {
    const document = parseDocument(documentOf(subject, { ...newSearch(), natural: 'digits/test' }))
    expect(document.params).toMatchObject({ draws: 300, naturalPictures: { dataset: 'digits', split: 'test' } })
  })

  it.each([
    ['low', '2', /ranges\.decay/],
    ['high', 'many', /ranges\.decay\.high/],
    ['off', '1.5', /ranges\.decay\.off/],
  ] as const)('says which end of a range is wrong: %s %s', (part, text, message) => {
    const draft = withRange(newSearch(), 'decay', part, text)
    expect(() => parseDocument(documentOf(subject, draft))).toThrow(message)
  })
})
