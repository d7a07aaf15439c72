/** Top activations (Zeiler & Fergus 2013, figure 2): of every channel, the pictures of a data set that activate it most. */
import * as z from 'zod'
import { BackwardRules } from '../network/rules.ts'
import { LibraryName, Pair } from '../values.ts'
import { documentSchema, type ExperimentKind } from './document.ts'
import { layerMentions, networkMention, splitMentions, type Mention } from './mentions.ts'

/** Which channels of each layer are projected and drawn. Values, places and histograms are kept of all of them. */
export const DrawnChannels = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  /** Drawn by the document's seed, in ascending order; the paper's random subset. */
  z.strictObject({ kind: z.literal('random'), count: z.number().int().min(1).max(4096) }),
  z.strictObject({ kind: z.literal('list'), channels: z.array(z.number().int().nonnegative()).min(1).max(4096) }),
])
export type DrawnChannels = z.infer<typeof DrawnChannels>

/** Listed channels, which every layer must have. */
export function drawnMentions(network: string, layers: readonly string[], drawn: DrawnChannels): Mention[] {
  if (drawn.kind !== 'list') return []
  return layers.flatMap((layer) =>
    drawn.channels.map((channel, index) => ({
      thing: 'unit' as const,
      field: `drawn.channels.${index}`,
      network,
      layer,
      channel,
    })),
  )
}

export const TopActivationsParams = z.strictObject({
  network: LibraryName,
  dataset: LibraryName,
  split: LibraryName.default('test'),
  /** Pictures from the start of the split; all when left out. */
  pictureCount: z.number().int().min(1).optional(),
  layers: z.array(LibraryName).min(1).max(64),
  /** Pictures kept a channel, one entry each. */
  count: z.number().int().min(1).max(100).default(9),
  drawn: DrawnChannels.default({ kind: 'random', count: 16 }),
  seed: z.enum(['single', 'one-hot']).default('single'),
  rules: BackwardRules.default({ relu: 'deconvnet', unpool: 'sum', lrn: 'identity' }),
  batchSize: z.number().int().min(1).max(4096).default(128),
})
export type TopActivationsParams = z.infer<typeof TopActivationsParams>

const Histogram = z.object({ start: z.number(), step: z.number().positive(), counts: z.array(z.number().int()) })

/** One picture that activates a channel. */
export const TopEntry = z.object({
  /** Index in the split. */
  picture: z.number().int().nonnegative(),
  value: z.number(),
  /** First maximum in row-major order; null in a layer without places. */
  position: Pair.nullable(),
  /** Half-open `[row0, row1, column0, column1]` of the input, not clipped to it; null where the unit sees all. */
  field: z.tuple([z.number(), z.number(), z.number(), z.number()]).nullable(),
  class: z.number().int().nonnegative().nullable(),
  /** The recorded value minus the one found when the picture went through the network again. */
  deviation: z.number(),
})
export type TopEntry = z.infer<typeof TopEntry>

export const TopChannel = z.object({
  channel: z.number().int().nonnegative(),
  /** False for a dead channel: all pictures give the same value. */
  responds: z.boolean(),
  top: z.array(TopEntry),
  /** Of the largest activations of all pictures. */
  maximum: z.number(),
  mean: z.number(),
  histogram: Histogram,
  /** Of the pictures in `top`, by class. */
  classCounts: z.array(z.number().int().nonnegative()),
  /** Mean largest activation of all pictures of each class; null for a class without pictures. */
  classMeans: z.array(z.number().nullable()),
})
export type TopChannel = z.infer<typeof TopChannel>

/** The output `channels-<layer>`: everything that was found about a layer. */
export const TopLayerTable = z.object({
  layer: LibraryName,
  classes: z.array(z.string()),
  channels: z.array(TopChannel),
})
export type TopLayerTable = z.infer<typeof TopLayerTable>

export const TopActivationsResult = z.object({
  network: LibraryName,
  dataset: LibraryName,
  split: LibraryName,
  pictures: z.number().int().positive(),
  /** Of the scan; 0 where nothing had to be scanned. */
  imagesPerSecond: z.number().nonnegative(),
  /** Layers that an earlier run had scanned for the same network and pictures. */
  cached: z.array(LibraryName).default([]),
  layers: z.array(
    z.object({
      layer: LibraryName,
      shape: z.array(z.number().int().positive()),
      channels: z.number().int().positive(),
      /** Channels that give the same value for every picture. */
      dead: z.array(z.number().int().nonnegative()),
      /** In the order of the arrays and of the figure. */
      drawn: z.array(z.number().int().nonnegative()),
      /** Largest difference between a recorded value and the one found again. */
      largestDeviation: z.number().nonnegative(),
    }),
  ),
})
export type TopActivationsResult = z.infer<typeof TopActivationsResult>

/** Name of the output with a layer's table, projections (array) and figure. */
export function topOutput(what: 'channels' | 'projections' | 'patches' | 'figure', layer: string): string {
  return `${what}-${layer.toLowerCase()}`
}

/**
 * Outputs for every layer: `channels-<layer>` (JSON, see `TopLayerTable`; the entries also as a table), arrays `projections-<layer>` `[drawn, count, h, w, c]` (frame of the
 * receptive field, network channel order; zeros where a channel has fewer entries) and `patches-<layer>` (bytes, the same shape, mid-grey outside
 * the picture); lasting runs also write the picture `figure-<layer>` in the layout of figure 2.
 */
export const topActivations: ExperimentKind<
  'top-activations',
  typeof TopActivationsParams,
  typeof TopActivationsResult
> = {
  kind: 'top-activations',
  version: 1,
  title: 'Top activations',
  summary: 'Find the pictures that activate every channel most, and project them (Zeiler & Fergus 2013, figure 2).',
  params: TopActivationsParams,
  result: TopActivationsResult,
  document: documentSchema('top-activations', 1, TopActivationsParams),
  describe: ({ network, layers, count, dataset, split }) =>
    `Top ${count} of ${network} / ${layers.join(', ')} on ${dataset} ${split}`,
  mentions: ({ network, dataset, split, layers, drawn }) => [
    networkMention('network', network),
    ...splitMentions({ field: 'dataset', name: dataset }, { field: 'split', name: split }),
    ...layerMentions('layers', network, layers),
    ...drawnMentions(network, layers, drawn),
  ],
  upgrades: {},
}
