import type { AscentOutcome } from '../../../shared/experiments/activation-maximisation.ts'
import type { SearchDraw } from '../../../shared/experiments/regulariser-search.ts'
import type { RunMarks } from '../../../shared/presets.ts'

export const ORDERS = [
  { value: 'drawn', label: 'As drawn' },
  { value: 'objective', label: 'Activation' },
  { value: 'smooth', label: 'Smoothness' },
  { value: 'natural', label: 'Naturalness' },
  { value: 'group', label: 'Alike together' },
] as const
export type DrawOrder = (typeof ORDERS)[number]['value']

export interface DrawFilter {
  readonly order: DrawOrder
  readonly outcome: AscentOutcome | 'all'
  readonly mark: 'all' | 'star' | 'open'
  /** -1: all groups. */
  readonly group: number
  /** Only draws that reach this part of the largest activation, 0 … 1. */
  readonly leastObjective: number
  /** Only draws at most as rough as this, in grey levels. */
  readonly mostVariation: number
  /** Only draws at least this natural, 0 … 1; those that were not measured stay. */
  readonly leastNaturalness: number
}

export const NO_FILTER: DrawFilter = {
  order: 'drawn',
  outcome: 'all',
  mark: 'all',
  group: -1,
  leastObjective: 0,
  mostVariation: 128,
  leastNaturalness: 0,
}

/** Numbers of the draws that pass, in the order that was asked for. Rejected ones are left out where only open ones are wanted. */
export function filterDraws(draws: readonly SearchDraw[], marks: RunMarks, filter: DrawFilter): number[] {
  const largest = Math.max(...draws.map(({ item }) => item.objective.best).filter(Number.isFinite))
  const passes = ({ item, naturalness, group }: SearchDraw, index: number): boolean => {
    const mark = marks[String(index)]
    return (
      (filter.outcome === 'all' || item.outcome === filter.outcome) &&
      (filter.mark === 'all' || (filter.mark === 'star' ? mark === 'star' : mark !== 'reject')) &&
      (filter.group < 0 || group === filter.group) &&
      (filter.leastObjective <= 0 || item.objective.best >= filter.leastObjective * largest) &&
      item.totalVariation <= filter.mostVariation &&
      (naturalness === null || naturalness >= filter.leastNaturalness)
    )
  }
  const key = (index: number): number => {
    const draw = draws[index]
    if (!draw) return Infinity
    if (filter.order === 'objective') return -draw.item.objective.best
    if (filter.order === 'smooth') return draw.item.totalVariation
    if (filter.order === 'natural') return -(draw.naturalness ?? -1)
    return filter.order === 'group' ? draw.group : index
  }
  return draws.flatMap((draw, index) => (passes(draw, index) ? [index] : [])).sort((a, b) => key(a) - key(b) || a - b)
}
