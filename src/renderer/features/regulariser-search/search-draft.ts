import type { StartPicture, StepPolicy } from '../../../shared/experiments/activation-maximisation.ts'
import {
  SearchRanges,
  type RegulariserSearchParams,
  type SearchPolicy,
} from '../../../shared/experiments/regulariser-search.ts'

/** The unit that is searched for and where its draws begin; chosen beside the form. */
export interface SearchSubject {
  readonly network: string
  readonly layer: string
  readonly channel: number
  readonly position: readonly [row: number, column: number] | null
  readonly start: StartPicture
  readonly seed: number
}

export interface SearchDraft {
  readonly draws: number
  readonly iterations: number
  readonly ranges: SearchRanges
  readonly scale: 'network' | 'published'
  /** Pictures that naturalness compares with: `dataset/split`; empty for none. */
  readonly natural: string
}

export const RANGE_FIELDS = [
  { key: 'decay', label: 'Decay θ', help: 'Drawn evenly in the logarithm.' },
  { key: 'blurSigma', label: 'Blur σ, px', help: 'Standard deviation of the blur in pixels.' },
  { key: 'normPercentile', label: 'Small norm, %', help: 'Percentile of the pixels that become the mean.' },
  { key: 'contributionPercentile', label: 'Contribution, %', help: 'Percentile of the pixels that become the mean.' },
] as const satisfies readonly { key: keyof SearchRanges; label: string; help: string }[]
export type RangeKey = (typeof RANGE_FIELDS)[number]['key']

export const newSearch = (): SearchDraft => ({
  draws: 300,
  iterations: 300,
  ranges: SearchRanges.parse({}),
  scale: 'network',
  natural: '',
})

/** What a text says as a number; NaN for what is none, so that the schema names the field. */
export const numberOf = (text: string): number => (text.trim() === '' ? NaN : Number(text.replace(',', '.')))

/** The draft with one end of a range, or the chance that the regulariser is off, changed. */
export function withRange(draft: SearchDraft, key: RangeKey, part: 'low' | 'high' | 'off', text: string): SearchDraft {
  const range = { ...draft.ranges[key], [part]: numberOf(text) }
  return { ...draft, ranges: { ...draft.ranges, [key]: range } }
}

/** Periods as they are typed: `1, 2, 4, 8` is one of these, `1 … 16` (or `1-16`) a whole number from the range. */
export function blurPeriodsOf(text: string): SearchRanges['blurEvery'] {
  const range = /^\s*(\d+)\s*(?:…|\.{2,3}|-|–)\s*(\d+)\s*$/.exec(text)
  if (range) return { low: Number(range[1]), high: Number(range[2]) }
  return text
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map(numberOf)
}

export const blurPeriodsText = (periods: SearchRanges['blurEvery']): string =>
  Array.isArray(periods) ? periods.join(', ') : `${periods.low} … ${periods.high}`

type NumberOrRange = number | readonly [number, number]

/** The numbers of a step policy by their names: one number, or a range as `1 … 100`. */
export const POLICY_PARTS = {
  constant: [{ key: 'rate', label: 'η' }],
  progress: [
    { key: 'desired', label: 'progress' },
    { key: 'maxRate', label: 'η ≤' },
  ],
  progress01: [
    { key: 'early', label: 'early' },
    { key: 'late', label: 'late' },
    { key: 'maxRate', label: 'η ≤' },
  ],
} as const satisfies Record<StepPolicy['kind'], readonly { key: string; label: string }[]>

export function numberOrRangeOf(text: string): number | [number, number] {
  const [low = '', high] = text.split(/…|\.{2,3}/)
  return high === undefined ? numberOf(low) : [numberOf(low), numberOf(high)]
}

export const numberOrRangeText = (value: NumberOrRange): string =>
  typeof value === 'number' ? shortNumber(value) : value.map(shortNumber).join(' … ')

/** Very large and very small numbers with an exponent. */
export function shortNumber(value: number): string {
  const long = value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)
  return long ? value.toExponential().replace('e+', 'e') : String(value)
}

/** The policy with one of its numbers changed. */
export function withPolicyPart(policy: SearchPolicy, key: string, text: string): SearchPolicy {
  return { ...policy, [key]: numberOrRangeOf(text) }
}

export function policyPart(policy: SearchPolicy, key: string): NumberOrRange {
  const found: unknown = Object.entries(policy).find(([name]) => name === key)?.[1]
  if (typeof found === 'number') return found
  return Array.isArray(found) ? [Number(found[0]), Number(found[1])] : NaN
}

/** The document; its own schema says what is wrong with it. */
export function documentOf(subject: SearchSubject, draft: SearchDraft): { [key: string]: unknown } {
  const { network, layer, channel, position, start, seed } = subject
  const [dataset, split] = draft.natural.split('/')
  const params: Partial<RegulariserSearchParams> = {
    ...{ network, layer, channel, start, draws: draft.draws, iterations: draft.iterations },
    ...{ ranges: draft.ranges, scale: draft.scale },
    ...(position ? { position: [...position] } : {}),
    ...(dataset && split ? { naturalPictures: { dataset, split, count: 500 } } : {}),
  }
  return { kind: 'regulariser-search', version: 1, seed, params }
}
