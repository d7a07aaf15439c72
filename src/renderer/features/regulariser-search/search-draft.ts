import { SearchRanges, type RegulariserSearchParams } from '../../../shared/experiments/regulariser-search.ts'

/** The unit that is searched for; chosen beside the form. */
export interface SearchSubject {
  readonly network: string
  readonly layer: string
  readonly channel: number
  readonly position: readonly [row: number, column: number] | null
  readonly seed: number
}

export interface SearchDraft {
  readonly draws: number
  readonly iterations: number
  readonly ranges: SearchRanges
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
  natural: '',
})

/** The draft with one end of a range, or the chance that the regulariser is off, changed. */
export function withRange(draft: SearchDraft, key: RangeKey, part: 'low' | 'high' | 'off', text: string): SearchDraft {
  const value = text.trim() === '' ? NaN : Number(text.replace(',', '.'))
  return { ...draft, ranges: { ...draft.ranges, [key]: { ...draft.ranges[key], [part]: value } } }
}

/** The document; its own schema says what is wrong with it. */
export function documentOf(subject: SearchSubject, draft: SearchDraft): { [key: string]: unknown } {
  const { network, layer, channel, position, seed } = subject
  const [dataset, split] = draft.natural.split('/')
  const params: Partial<RegulariserSearchParams> = {
    ...{ network, layer, channel, draws: draft.draws, iterations: draft.iterations, ranges: draft.ranges },
    ...(position ? { position: [...position] } : {}),
    ...(dataset && split ? { naturalPictures: { dataset, split, count: 500 } } : {}),
  }
  return { kind: 'regulariser-search', version: 1, seed, params }
}
