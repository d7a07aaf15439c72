/** Occlusion (Zeiler & Fergus 2013, section 4.2 and figure 7): what a network says while a square hides a part of the picture. */
import * as z from 'zod'
import { BackwardRules } from '../network/rules.ts'
import { LibraryName, Pair } from '../values.ts'
import { documentSchema, PictureReference, type ExperimentKind } from './document.ts'
import { networkMention, pictureMentions } from './mentions.ts'

const side = z.number().int().min(1).max(4096)

export const OcclusionParams = z.strictObject({
  network: LibraryName,
  picture: PictureReference,
  /** `[height, width]` of the square, in pixels of the network's input. */
  window: z.tuple([side, side]),
  /** `[down, across]` from one position to the next. */
  stride: z.tuple([side, side]),
  /** In network space, for all channels or one a channel; 0 is the mean where preprocessing subtracts it. */
  fill: z.union([z.number(), z.array(z.number()).min(1).max(4)]).default(0),
  /** 'complete': only squares inside the picture; 'partial': also a last one that the edge cuts. */
  positions: z.enum(['complete', 'partial']).default('complete'),
  /** The layer whose summed activation is recorded; the last one with places that rectifies (or convolves) by default. */
  layer: LibraryName.optional(),
  /** The channel of it with the largest sum on the clean picture by default. */
  channel: z.number().int().nonnegative().optional(),
  /** The picture's own class where it has one, else the one that the network names on the clean picture. */
  class: z.number().int().nonnegative().optional(),
  rules: BackwardRules.default({ relu: 'deconvnet', unpool: 'sum', lrn: 'identity' }),
  batchSize: z.number().int().min(1).max(1024).default(64),
})
export type OcclusionParams = z.infer<typeof OcclusionParams>

const Recorded = z.object({ logit: z.number().nullable(), probability: z.number().nullable(), activation: z.number() })

export const OcclusionResult = z.object({
  network: LibraryName,
  layer: LibraryName,
  channel: z.number().int().nonnegative(),
  /** Null where the network has no classes. */
  class: z.object({ index: z.number().int(), label: z.string() }).nullable(),
  /** The most probable class of the clean picture. */
  predicted: z.object({ index: z.number().int(), label: z.string() }).nullable(),
  label: z.object({ index: z.number().int(), label: z.string() }).nullable(),
  /** `[down, across]`. */
  positions: Pair,
  clean: Recorded,
  /** Smallest value at any position, with the first position of it. */
  lowest: z.object({
    probability: z.object({ value: z.number(), position: Pair }).nullable(),
    activation: z.object({ value: z.number(), position: Pair }),
  }),
  /** Classes that some position makes the most probable one, the most frequent first. */
  labels: z.array(z.object({ index: z.number().int(), label: z.string(), positions: z.number().int() })),
  evaluations: z.number().int().positive(),
  computeMs: z.number().nonnegative(),
})
export type OcclusionResult = z.infer<typeof OcclusionResult>

/**
 * Outputs: arrays `grid-activation`, `grid-logit`, `grid-probability` `[down, across]` (value at every position of the square), `grid-label` (int32, most
 * probable class), `map-activation`, `map-logit`, `map-probability` `[height, width]` (mean over all squares that cover a pixel, 0 where none does),
 * `count` (int32, how many do), `projection` (of the channel's strongest unit, `[height, width, channels]`) and `input`. Tables: `grid` (a line
 * a position) and `map` (a line a pixel). Lasting runs also write the picture `figure`: picture, activation, projection, probability and label from
 * left to right.
 */
export const occlusion: ExperimentKind<'occlusion', typeof OcclusionParams, typeof OcclusionResult> = {
  kind: 'occlusion',
  version: 1,
  title: 'Occlusion',
  summary: 'Hide one part of a picture after another and see what the network says (Zeiler & Fergus 2013, figure 7).',
  params: OcclusionParams,
  result: OcclusionResult,
  document: documentSchema('occlusion', 1, OcclusionParams),
  describe: ({ network, window, stride, picture }) => {
    const where = 'dataset' in picture ? `${picture.dataset} ${picture.split} ${picture.index}` : 'a picture'
    return `${network}: occlusion by ${window.join(' × ')} every ${stride.join(' × ')} of ${where}`
  },
  mentions: ({ network, picture, layer, channel }) => [
    networkMention('network', network),
    ...pictureMentions('picture', picture),
    ...(layer === undefined ? [] : [{ thing: 'layer' as const, field: 'layer', network, name: layer }]),
    ...(layer === undefined || channel === undefined
      ? []
      : [{ thing: 'unit' as const, field: 'channel', network, layer, channel }]),
  ],
  upgrades: {},
}
