/** Deconvnet projection (Zeiler & Fergus 2013, section 2.1): chosen units of one layer, projected down to a lower layer. */
import * as z from 'zod'
import { Finding } from '../network/finding.ts'
import { BackwardRules } from '../network/rules.ts'
import { LibraryName, Pair } from '../values.ts'
import { documentSchema, PictureReference, type ExperimentKind } from './document.ts'
import { networkMention, pictureMentions } from './mentions.ts'

/**
 * What starts the walk down. 'single': the unit's own activation, everything else zero (the paper); 'one-hot': 1 at the
 * unit; 'map': the whole feature map; 'map-maximum': the map's largest activation alone (ignores a given position).
 */
export const SeedRule = z.enum(['single', 'one-hot', 'map', 'map-maximum'])
export type SeedRule = z.infer<typeof SeedRule>

/** Which units of the layer. A missing position means the channel's largest activation (first in row-major order). */
export const UnitChoice = z.discriminatedUnion('kind', [
  /** The channels with the largest maxima, strongest first, ties by lower index. */
  z.strictObject({ kind: z.literal('strongest'), count: z.number().int().min(1).max(4096) }),
  z.strictObject({ kind: z.literal('all') }),
  z.strictObject({
    kind: z.literal('list'),
    units: z
      .array(z.strictObject({ channel: z.number().int().nonnegative(), position: Pair.optional() }))
      .min(1)
      .max(4096),
  }),
])
export type UnitChoice = z.infer<typeof UnitChoice>

export const DeconvnetParams = z.strictObject({
  network: LibraryName,
  picture: PictureReference,
  layer: LibraryName,
  units: UnitChoice.default({ kind: 'strongest', count: 64 }),
  seed: SeedRule.default('single'),
  rules: BackwardRules.default({ relu: 'deconvnet', unpool: 'sum', lrn: 'identity' }),
  /** The layer whose output the projection is expressed in; the input layer by default. */
  toLayer: LibraryName.optional(),
  /** How pictures are scaled to grey levels: by each projection's own largest magnitude, or by the largest of all. */
  scale: z.enum(['per-picture', 'shared']).default('per-picture'),
})
export type DeconvnetParams = z.infer<typeof DeconvnetParams>

export const DeconvnetResult = z.object({
  network: LibraryName,
  layer: LibraryName,
  toLayer: LibraryName,
  /** `[height, width, channels]` or `[units]` of the layer. */
  layerShape: z.array(z.number().int().positive()),
  /** One a projection, in the order of the array `projections` (`[units, height, width, channels]`, network channel order). */
  units: z.array(
    z.object({
      channel: z.number().int().nonnegative(),
      /** `[row, column]` in the layer; null in a layer without places. */
      position: Pair.nullable(),
      /** Activation at the position. */
      value: z.number(),
      /** Half-open box `[row0, row1, column0, column1]` of input pixels that reach the unit, clipped to the input; null where all do. */
      field: z.tuple([z.number(), z.number(), z.number(), z.number()]).nullable(),
      /** Largest magnitude of the projection; 0 for an all-zero one. */
      magnitude: z.number().nonnegative(),
      /** Why it is all zeros, where a reason is known. */
      empty: Finding.optional(),
    }),
  ),
  /** Every channel of the layer: where it is strongest. */
  channels: z.array(z.object({ maximum: z.number(), mean: z.number(), position: Pair.nullable() })),
  /** The network's own answer for the picture, most probable first (at most 10); empty where the network has no classes. */
  prediction: z.array(z.object({ index: z.number().int(), label: z.string(), probability: z.number() })),
  label: z.object({ index: z.number().int(), label: z.string() }).nullable(),
  /** Milliseconds of computing, without transfers. */
  computeMs: z.number().nonnegative(),
})
export type DeconvnetResult = z.infer<typeof DeconvnetResult>

function unitsText(choice: UnitChoice): string {
  if (choice.kind === 'all') return 'all units'
  if (choice.kind === 'strongest') return `${choice.count} strongest`
  const [first] = choice.units
  if (!first || choice.units.length > 1) return `${choice.units.length} units`
  return first.position ? `unit ${first.channel} at ${first.position.join(', ')}` : `unit ${first.channel}`
}

/**
 * Outputs: arrays `projections` `[units, h, w, c]`, `activations` (the layer's, `[h, w, c]` or `[units]`) and `input`
 * `[h, w, c]` (network space). Lasting runs also write the table `units` and pictures: `projections` (contact sheet), `input`, and one a unit.
 */
export const deconvnet: ExperimentKind<'deconvnet', typeof DeconvnetParams, typeof DeconvnetResult> = {
  kind: 'deconvnet',
  version: 1,
  title: 'Deconvnet projection',
  summary: 'Project units of a layer down to the pixels (Zeiler & Fergus 2013).',
  params: DeconvnetParams,
  result: DeconvnetResult,
  document: documentSchema('deconvnet', 1, DeconvnetParams),
  describe: ({ network, layer, units, picture }) => {
    const where = 'dataset' in picture ? `${picture.dataset} ${picture.split} ${picture.index}` : 'a picture'
    return `${network} / ${layer}: ${unitsText(units)} on ${where}`
  },
  mentions: ({ network, picture, layer, toLayer, units }) => [
    networkMention('network', network),
    ...pictureMentions('picture', picture),
    { thing: 'layer', field: 'layer', network, name: layer },
    ...(toLayer === undefined ? [] : [{ thing: 'layer' as const, field: 'toLayer', network, name: toLayer }]),
    ...(units.kind === 'list' ? units.units : []).map(({ channel, position }, index) => ({
      thing: 'unit' as const,
      field: `units.units.${index}`,
      network,
      layer,
      channel,
      ...(position && { position }),
    })),
  ],
  upgrades: {},
}
