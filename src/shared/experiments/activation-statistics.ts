/** Activation statistics: how the activations of every channel of a layer are distributed over a data set, and which channels go together. */
import * as z from 'zod'
import { LibraryName } from '../values.ts'
import { documentSchema, type ExperimentKind } from './document.ts'
import { layerMentions, networkMention, splitMentions } from './mentions.ts'

/** Channels of one layer for which a correlation matrix is computed at most. */
export const MOST_CORRELATED_CHANNELS = 1024

/**
 * What counts as one value of a channel: its activation at every place of every picture, or one value a picture, the mean or the maximum of its map.
 * In a layer without places all three are the same.
 */
export const SampledValues = z.enum(['places', 'mean', 'maximum'])
export type SampledValues = z.infer<typeof SampledValues>

export const ActivationStatisticsParams = z.strictObject({
  network: LibraryName,
  dataset: LibraryName,
  split: LibraryName.default('test'),
  /** Pictures from the start of the split; all when left out. */
  pictureCount: z.number().int().min(1).optional(),
  layers: z.array(LibraryName).min(1).max(64),
  values: SampledValues.default('places'),
  batchSize: z.number().int().min(1).max(4096).default(64),
})
export type ActivationStatisticsParams = z.infer<typeof ActivationStatisticsParams>

const Channel = z.number().int().nonnegative()

export const ChannelDistribution = z.object({
  channel: Channel,
  minimum: z.number(),
  maximum: z.number(),
  mean: z.number(),
  /** Of all values, not of a sample of them: divided by their number. */
  deviation: z.number().nonnegative(),
  /** Share of the values that are exactly 0. */
  zeros: z.number().min(0).max(1),
  /** Half-open bins, the first from `start`. */
  histogram: z.object({ start: z.number(), step: z.number().positive(), counts: z.array(z.number().int()) }),
})
export type ChannelDistribution = z.infer<typeof ChannelDistribution>

/** The output `statistics-<layer>` (JSON). */
export const LayerStatistics = z.object({
  layer: LibraryName,
  values: SampledValues,
  /** Values of each channel. */
  samples: z.number().int().positive(),
  channels: z.array(ChannelDistribution),
})
export type LayerStatistics = z.infer<typeof LayerStatistics>

export const ActivationStatisticsResult = z.object({
  network: LibraryName,
  dataset: LibraryName,
  split: LibraryName,
  pictures: z.number().int().positive(),
  layers: z.array(
    z.object({
      layer: LibraryName,
      shape: z.array(z.number().int().positive()),
      channels: z.number().int().positive(),
      samples: z.number().int().positive(),
      /** Channels with one value everywhere: nothing correlates with them. */
      constant: z.array(Channel),
      /** Pairs with the largest magnitude of correlation, the largest first, at most 20. */
      strongest: z.array(z.object({ channels: z.tuple([Channel, Channel]), correlation: z.number() })),
    }),
  ),
})
export type ActivationStatisticsResult = z.infer<typeof ActivationStatisticsResult>

/** Name of the outputs of one layer. */
export function statisticsOutput(what: 'correlation' | 'statistics', layer: string): string {
  return `${what}-${layer.toLowerCase()}`
}

/**
 * Outputs for every layer: the array `correlation-<layer>` (float64 `[channels, channels]`, Pearson's coefficient, NaN for constant channels), the same
 * as a table (first column and names of the columns: channels), and `statistics-<layer>` as JSON (see `LayerStatistics`) and as a table without the
 * histograms; lasting runs also write the matrix as the picture `correlation-<layer>`: blue -1, white 0, red 1, grey for constant channels.
 */
export const activationStatistics: ExperimentKind<
  'activation-statistics',
  typeof ActivationStatisticsParams,
  typeof ActivationStatisticsResult
> = {
  kind: 'activation-statistics',
  version: 1,
  title: 'Activation statistics',
  summary: 'See how the activations of channels are distributed over a data set, and which channels go together.',
  params: ActivationStatisticsParams,
  result: ActivationStatisticsResult,
  document: documentSchema('activation-statistics', 1, ActivationStatisticsParams),
  describe: ({ network, layers, dataset, split }) =>
    `Activations of ${network} / ${layers.join(', ')} on ${dataset} ${split}`,
  mentions: ({ network, dataset, split, layers }) => [
    networkMention('network', network),
    ...splitMentions({ field: 'dataset', name: dataset }, { field: 'split', name: split }),
    ...layerMentions('layers', network, layers),
  ],
  upgrades: {},
}
