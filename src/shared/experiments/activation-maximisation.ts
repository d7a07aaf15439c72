/** Regularised activation maximisation (Yosinski et al. 2015, section 3): pictures that units like best. */
import * as z from 'zod'
import { LibraryName, Pair } from '../values.ts'
import { documentSchema, PictureReference, type ExperimentKind } from './document.ts'
import { networkMention, pictureMentions, type Mention } from './mentions.ts'

const percentile = z.number().min(0, 'a percentile lies in 0 … 100').max(100, 'a percentile lies in 0 … 100')
const rate = z.number().positive().max(1e12)

/**
 * How far a step goes along the gradient g of the unit's activation a (optimize/gradient_optimizer.py of the Deep Visualization Toolbox):
 * - `constant`: `rate`;
 * - `progress`: min(`maxRate`, `desired` / |g|²), so that the linear prediction rises by `desired`;
 * - `progress01`: the same with min(`early`, `late` · (1 − a)) as desired, for probabilities.
 */
export const StepPolicy = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), rate: rate.default(100) }),
  z.strictObject({ kind: z.literal('progress'), maxRate: rate.default(100), desired: rate.default(2) }),
  z.strictObject({
    kind: z.literal('progress01'),
    maxRate: rate.default(100),
    early: rate.default(0.03),
    late: rate.default(0.2),
  }),
])
export type StepPolicy = z.infer<typeof StepPolicy>

/** One combination of regularisers. Pictures are in grey levels, 0 … 255 minus the mean, whatever range the network takes. */
export const AscentSettings = z.strictObject({
  name: z.string().min(1).max(60).default('own'),
  iterations: z.number().int().min(1).max(100_000).default(500),
  policy: StepPolicy.prefault({ kind: 'progress' }),
  /**
   * `network`: rates and desired progress are multiplied by factors measured on the start pictures (see `ascentScale`), so that published
   * values fit networks of other sizes and ranges; `published`: taken as they are.
   */
  scale: z.enum(['network', 'published']).default('network'),
  /** L2 decay θ: x ← (1 − θ) · x in every iteration. */
  decay: z.number().min(0).lt(1).default(0),
  /** Standard deviation of the Gaussian blur in pixels; 0 for none. */
  blurSigma: z.number().min(0).max(1000).default(0),
  /** The picture is blurred in iterations 0, n, 2n …; 0 for never. */
  blurEvery: z.number().int().min(0).max(100_000).default(0),
  /** Pixels whose norm over the channels lies strictly below this percentile become 0. */
  normPercentile: percentile.default(0),
  /** Pixels whose contribution |Σ g·x| lies strictly below this percentile become 0. */
  contributionPercentile: percentile.default(0),
})
export type AscentSettings = z.infer<typeof AscentSettings>

/** The four published combinations (Yosinski et al. 2015, table 1; iterations and rates from the toolbox's documentation). */
export const PUBLISHED_SETTINGS: readonly AscentSettings[] = [
  {
    name: 'Yosinski 1: small norm',
    iterations: 500,
    policy: { kind: 'progress', maxRate: 100, desired: 2 },
    blurSigma: 0.5,
    blurEvery: 4,
    normPercentile: 50,
  },
  {
    name: 'Yosinski 2: decay',
    iterations: 750,
    policy: { kind: 'constant', rate: 100 },
    decay: 0.3,
    normPercentile: 20,
  },
  {
    name: 'Yosinski 3: blur',
    iterations: 1000,
    policy: { kind: 'constant', rate: 100 },
    decay: 0.0001,
    blurSigma: 1,
    blurEvery: 4,
  },
  {
    name: 'Yosinski 4: small contribution',
    iterations: 1000,
    policy: { kind: 'progress', maxRate: 1e8, desired: 2 },
    blurSigma: 0.5,
    blurEvery: 4,
    contributionPercentile: 90,
  },
].map((settings) => AscentSettings.parse(settings))

/** Which units of a layer. Without a position the unit in the middle of the map, as the paper does to avoid edges. */
export const TargetUnits = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all'), position: Pair.optional() }),
  /** The first `count` channels. */
  z.strictObject({ kind: z.literal('first'), count: z.number().int().min(1).max(100_000), position: Pair.optional() }),
  z.strictObject({
    kind: z.literal('list'),
    channels: z.array(z.number().int().nonnegative()).min(1).max(10_000),
    position: Pair.optional(),
  }),
])
export type TargetUnits = z.infer<typeof TargetUnits>

/** The start picture, in grey levels around the mean; `mean-plus-noise` (normal, 10 grey levels) is the published one. */
export const StartPicture = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mean-plus-noise'), standardDeviation: z.number().min(0).max(255).default(10) }),
  /** Uniform in 0 … 255. */
  z.strictObject({ kind: z.literal('uniform') }),
  z.strictObject({ kind: z.literal('mean') }),
  z.strictObject({ kind: z.literal('picture'), picture: PictureReference }),
])
export type StartPicture = z.infer<typeof StartPicture>

/** The fields of `AscentSettings` that may change while it runs. */
export const LIVE_PATHS = [
  'decay',
  'blurSigma',
  'blurEvery',
  'normPercentile',
  'contributionPercentile',
  'policy.rate',
  'policy.maxRate',
  'policy.desired',
  'policy.early',
  'policy.late',
] as const

/**
 * What was changed while it ran: from iteration `step` on the setting has another value. `restore` puts every picture back to what it was
 * before iteration `value`. A run of the document repeats them at the same places, so that it is the same run.
 */
export const LiveChange = z.strictObject({
  step: z.number().int().nonnegative(),
  path: z.enum([...LIVE_PATHS, 'restore']),
  value: z.number(),
})
export type LiveChange = z.infer<typeof LiveChange>

export const ActivationMaximisationParams = z.strictObject({
  network: LibraryName,
  /** For probabilities (softmax) use the policy `progress01`; scores before the softmax are usual. */
  targets: z
    .array(z.strictObject({ layer: LibraryName, units: TargetUnits }))
    .min(1)
    .max(200),
  settings: z
    .array(AscentSettings)
    .min(1)
    .max(64)
    .default([...PUBLISHED_SETTINGS]),
  /** Pictures of each unit and setting, each from its own start; pictures of one number share their start. */
  seeds: z.number().int().min(1).max(64).default(1),
  start: StartPicture.prefault({ kind: 'mean-plus-noise' }),
  /** Changes at the same iteration take effect in their order. Only where all pictures fit one batch. */
  changes: z.array(LiveChange).max(10_000).default([]),
  /** The run that this one branches from, and the iteration where it leaves it. */
  parent: z.strictObject({ run: z.string().max(100), step: z.number().int().nonnegative() }).optional(),
})
export type ActivationMaximisationParams = z.infer<typeof ActivationMaximisationParams>

/**
 * What each iteration records, in the order of the last axis of the array `traces`. Norms are Euclidean, over the whole picture. `isLargest` is 1
 * where the unit is the largest of its layer, in a layer with places of all channels at its own place.
 */
export const TRACE_QUANTITIES = [
  'objective',
  'gradientNorm',
  'rate',
  'norm',
  'decayEffect',
  'blurEffect',
  'smallNormEffect',
  'smallContributionEffect',
  'isLargest',
] as const
export type TraceQuantity = (typeof TRACE_QUANTITIES)[number]

/**
 * `majority-success`: the unit was the largest of its layer in some iteration. In a layer with places, the largest of all channels at its own
 * place, which its receptive field decides alone; a larger activation elsewhere in the map is of another part of the picture.
 */
export const AscentOutcome = z.enum(['majority-success', 'majority-failure', 'zero-gradient', 'diverged'])
export type AscentOutcome = z.infer<typeof AscentOutcome>

export const AscentItem = z.object({
  layer: LibraryName,
  channel: z.number().int().nonnegative(),
  /** `[row, column]`; null in a layer without places. */
  position: Pair.nullable(),
  /** Index into `params.settings`. */
  setting: z.number().int().nonnegative(),
  /** Number of the start, 0 … seeds − 1. */
  start: z.number().int().nonnegative(),
  outcome: AscentOutcome,
  /** What to do about it; null where the unit became the largest of its layer. */
  advice: z.string().nullable(),
  /** Activation at the start, the largest one, and the one at the end. */
  objective: z.object({ first: z.number(), best: z.number(), last: z.number() }),
  /** The iteration in which the unit first was the largest of its layer, in a layer with places of all channels at its own place. */
  majorityStep: z.number().int().nonnegative().nullable(),
  /** Iterations done: fewer than asked where it stopped early. */
  iterations: z.number().int().nonnegative(),
  /** Mean absolute difference of neighbouring pixels of the best picture, in grey levels. */
  totalVariation: z.number().nonnegative(),
})
export type AscentItem = z.infer<typeof AscentItem>

/** What the rates of a layer were multiplied by; see `ascentScale`. */
export const AscentScale = z.object({ layer: LibraryName, progress: z.number(), rate: z.number() })
export type AscentScale = z.infer<typeof AscentScale>

export const ActivationMaximisationResult = z.object({
  network: LibraryName,
  items: z.array(AscentItem),
  scales: z.array(AscentScale),
  /** Iterations between two rows of `traces`: 1 unless they would be too many. */
  traceEvery: z.number().int().positive(),
  /** What was changed while it ran, with what the document already said. */
  changes: z.array(LiveChange),
  iterationsPerSecond: z.number().nonnegative(),
})
export type ActivationMaximisationResult = z.infer<typeof ActivationMaximisationResult>

/**
 * Outputs: arrays `best`, `last` and `majority` `[items, h, w, c]` (grey levels minus the mean, network channel order; zeros in `majority`
 * where the unit never was the largest) and `traces` `[items, rows, 9]` (`TRACE_QUANTITIES`; NaN after an early end). Lasting runs also write a
 * sheet `layer-<name>` for each layer (a row of settings for each unit) and `unit-…` pictures.
 */
export const activationMaximisation: ExperimentKind<
  'activation-maximisation',
  typeof ActivationMaximisationParams,
  typeof ActivationMaximisationResult
> = {
  kind: 'activation-maximisation',
  version: 1,
  title: 'Activation maximisation',
  summary: 'Find pictures that activate units most, under four regularisers (Yosinski et al. 2015).',
  params: ActivationMaximisationParams,
  result: ActivationMaximisationResult,
  document: documentSchema('activation-maximisation', 1, ActivationMaximisationParams),
  describe: ({ network, targets, settings, seeds }) =>
    `${network}: ${targets.map(targetText).join('; ')} by ${settings.length === 1 ? (settings[0]?.name ?? '') : `${settings.length} settings`}` +
    (seeds > 1 ? `, ${seeds} starts` : ''),
  mentions: ({ network, targets, start }) => [
    networkMention('network', network),
    ...targets.flatMap(({ layer, units }, index): Mention[] => [
      { thing: 'layer', field: `targets.${index}.layer`, network, name: layer },
      ...(units.kind === 'list' ? units.channels : []).map((channel, place) => ({
        thing: 'unit' as const,
        field: `targets.${index}.units.channels.${place}`,
        network,
        layer,
        channel,
        ...(units.position && { position: units.position }),
      })),
    ]),
    ...(start.kind === 'picture' ? pictureMentions('start.picture', start.picture) : []),
  ],
  withChange: (params, { step, path, value }) => ({
    ...params,
    changes: [...params.changes, LiveChange.parse({ step, path, value })],
  }),
  upgrades: {},
}

function targetText({ layer, units }: ActivationMaximisationParams['targets'][number]): string {
  if (units.kind === 'all') return `${layer}, all channels`
  if (units.kind === 'first') return `${layer}, ${units.count} channels`
  return units.channels.length === 1 ? `${layer}/${units.channels[0]}` : `${layer}, ${units.channels.length} channels`
}
