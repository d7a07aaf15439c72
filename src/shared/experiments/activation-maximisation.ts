/** Regularised activation maximisation (Yosinski et al. 2015, section 3): pictures that units like best. */
import * as z from 'zod'
import { LibraryName, Pair } from '../values.ts'
import { AscentSettings, LiveChange, liveChangeAt, PUBLISHED_SETTINGS } from './ascent-settings.ts'
import { documentSchema, PictureReference, type ExperimentKind } from './document.ts'
import { networkMention, pictureMentions, type Mention } from './mentions.ts'

export * from './ascent-settings.ts'

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
  /** Normal noise whose amplitude falls as 1 / frequency, as in natural pictures: where the Fourier parameterisation begins. */
  z.strictObject({ kind: z.literal('fourier-noise'), standardDeviation: z.number().min(0).max(255).default(10) }),
  /** Uniform in 0 … 255. */
  z.strictObject({ kind: z.literal('uniform') }),
  z.strictObject({ kind: z.literal('mean') }),
  z.strictObject({ kind: z.literal('picture'), picture: PictureReference }),
])
export type StartPicture = z.infer<typeof StartPicture>

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
  /** Whose features differ where `diversityWeight` asks for it; the highest layer with places up to the unit's own when left out. */
  diversityLayer: LibraryName.optional(),
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
 * where the unit never was the largest), `mean` `[h, w, c]` (what they are relative to) and `traces` `[items, rows, 9]` (`TRACE_QUANTITIES`; NaN after an early end). Lasting runs also write a
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
  mentions: ({ network, targets, start, diversityLayer: diverse }) => [
    networkMention('network', network),
    ...(diverse === undefined ? [] : [{ thing: 'layer' as const, field: 'diversityLayer', network, name: diverse }]),
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
  withChange: (params, change) => ({ ...params, changes: [...params.changes, liveChangeAt(change)] }),
  upgrades: {},
}

function targetText({ layer, units }: ActivationMaximisationParams['targets'][number]): string {
  if (units.kind === 'all') return `${layer}, all channels`
  if (units.kind === 'first') return `${layer}, ${units.count} channels`
  return units.channels.length === 1 ? `${layer}/${units.channels[0]}` : `${layer}, ${units.channels.length} channels`
}
