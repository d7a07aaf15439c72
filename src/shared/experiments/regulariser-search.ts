/** Random search over regularisers (Yosinski et al. 2015, section 3.1: 300 draws, four complementary ones chosen by eye). */
import * as z from 'zod'
import { LibraryName, Pair } from '../values.ts'
import { AscentItem, AscentScale, AscentSettings, StartPicture } from './activation-maximisation.ts'
import { documentSchema, type ExperimentKind } from './document.ts'
import { networkMention, pictureMentions, splitMentions } from './mentions.ts'

const probability = z.number().min(0).max(1)
const rate = z.number().positive().max(1e12)
const blurPeriod = z.number().int().min(1).max(10_000)

/** Drawn from `[low, high]`, evenly or evenly in the logarithm; 0 with probability `off`, which leaves the regulariser out. */
const range = (low: number, high: number, defaults: { low: number; high: number; off: number }) =>
  z
    .strictObject({
      low: z.number().min(low).max(high).default(defaults.low),
      high: z.number().min(low).max(high).default(defaults.high),
      off: probability.default(defaults.off),
    })
    .refine((given) => given.low <= given.high, { message: 'the lower end lies above the upper one' })
    .prefault({})

/** One number, or drawn from `[low, high]` evenly in the logarithm. */
const numberOrRange = z.union([
  rate,
  z.tuple([rate, rate]).refine(([low, high]) => low <= high, { message: 'the lower end lies above the upper one' }),
])

/** A `StepPolicy` whose numbers may be ranges. */
export const SearchPolicy = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), rate: numberOrRange.default(100) }),
  z.strictObject({
    kind: z.literal('progress'),
    maxRate: numberOrRange.default(100),
    desired: numberOrRange.default(2),
  }),
  z.strictObject({
    kind: z.literal('progress01'),
    maxRate: numberOrRange.default(100),
    early: numberOrRange.default(0.03),
    late: numberOrRange.default(0.2),
  }),
])
export type SearchPolicy = z.infer<typeof SearchPolicy>

/** The ranges are ours: the paper does not print its own. */
export const SearchRanges = z.strictObject({
  /** Drawn evenly in the logarithm. */
  decay: range(1e-8, 0.99, { low: 1e-5, high: 0.5, off: 0.25 }),
  blurSigma: range(0.05, 100, { low: 0.3, high: 1.5, off: 0.25 }),
  /** One of these, evenly; or a whole number of `[low, high]`, evenly in the logarithm. */
  blurEvery: z
    .union([
      z.array(blurPeriod).min(1).max(20),
      z
        .strictObject({ low: blurPeriod, high: blurPeriod })
        .refine((given) => given.low <= given.high, { message: 'the lower end lies above the upper one' }),
    ])
    .default([1, 2, 4, 8, 16]),
  normPercentile: range(0, 100, { low: 0, high: 90, off: 0.25 }),
  contributionPercentile: range(0, 100, { low: 0, high: 95, off: 0.25 }),
  /** One of these. */
  policies: z
    .array(SearchPolicy)
    .min(1)
    .max(10)
    .default([
      { kind: 'constant', rate: 100 },
      { kind: 'progress', maxRate: 100, desired: 2 },
      { kind: 'progress', maxRate: 1e8, desired: 2 },
    ]),
})
export type SearchRanges = z.infer<typeof SearchRanges>

export const RegulariserSearchParams = z.strictObject({
  network: LibraryName,
  layer: LibraryName,
  channel: z.number().int().nonnegative(),
  /** The middle of the map when left out. */
  position: Pair.optional(),
  draws: z.number().int().min(1).max(10_000).default(300),
  iterations: z.number().int().min(1).max(100_000).default(300),
  ranges: SearchRanges.prefault({}),
  scale: z.enum(['network', 'published']).default('network'),
  start: StartPicture.prefault({ kind: 'mean-plus-noise' }),
  /** Pictures that naturalness compares with; measured only where one is named. */
  naturalPictures: z
    .strictObject({ dataset: LibraryName, split: LibraryName, count: z.number().int().min(1).max(10_000).default(500) })
    .optional(),
})
export type RegulariserSearchParams = z.infer<typeof RegulariserSearchParams>

export const SearchDraw = z.object({
  settings: AscentSettings,
  item: AscentItem,
  /** Overlap of the histograms of gradient orientations (18 bins) with those of natural pictures, 0 … 1; null where none are named. */
  naturalness: z.number().nullable(),
  /** Draws of one number look alike: groups in the order of their best member's objective. */
  group: z.number().int().nonnegative(),
})
export type SearchDraw = z.infer<typeof SearchDraw>

export const RegulariserSearchResult = z.object({
  network: LibraryName,
  draws: z.array(SearchDraw),
  scale: AscentScale,
  groups: z.number().int().nonnegative(),
  iterationsPerSecond: z.number().nonnegative(),
})
export type RegulariserSearchResult = z.infer<typeof RegulariserSearchResult>

/**
 * Outputs: arrays `best` `[draws, h, w, c]` (grey levels minus the mean, network channel order) and `mean` `[h, w, c]`, the picture `sheet` (all draws in order), and
 * the JSON `draws` as in the result.
 */
export const regulariserSearch: ExperimentKind<
  'regulariser-search',
  typeof RegulariserSearchParams,
  typeof RegulariserSearchResult
> = {
  kind: 'regulariser-search',
  version: 1,
  title: 'Regulariser search',
  summary: 'Draw combinations of regularisers at random and compare what they make of a unit (Yosinski et al. 2015).',
  params: RegulariserSearchParams,
  result: RegulariserSearchResult,
  document: documentSchema('regulariser-search', 1, RegulariserSearchParams),
  describe: ({ network, layer, channel, draws }) => `${network} / ${layer}/${channel}: ${draws} draws of regularisers`,
  mentions: ({ network, layer, channel, position, start, naturalPictures }) => [
    networkMention('network', network),
    { thing: 'layer', field: 'layer', network, name: layer },
    { thing: 'unit', field: 'channel', network, layer, channel, ...(position && { position }) },
    ...(naturalPictures
      ? splitMentions(
          { field: 'naturalPictures.dataset', name: naturalPictures.dataset },
          { field: 'naturalPictures.split', name: naturalPictures.split },
        )
      : []),
    ...(start.kind === 'picture' ? pictureMentions('start.picture', start.picture) : []),
  ],
  upgrades: {},
}
