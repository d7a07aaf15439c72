/** Invariance (Zeiler & Fergus 2013, figure 5): how far features move, and how sure the network stays, while a picture is moved, scaled or turned. */
import * as z from 'zod'
import { LibraryName } from '../values.ts'
import { documentSchema, PictureReference, type ExperimentKind } from './document.ts'
import { layerMentions, networkMention, pictureMentions } from './mentions.ts'

/** `translation` in pixels of the network's input (down, or to the right), `scale` as a factor, `rotation` in degrees counter-clockwise. */
export const TransformationKind = z.enum(['translation', 'scale', 'rotation'])
export type TransformationKind = z.infer<typeof TransformationKind>

export const Transformation = z.strictObject({
  kind: TransformationKind,
  from: z.number().min(-10_000).max(10_000),
  to: z.number().min(-10_000).max(10_000),
  /** Values from `from` to `to`, both included, evenly apart. */
  count: z.number().int().min(2).max(1000),
  /** For translations. */
  direction: z.enum(['vertical', 'horizontal']).default('vertical'),
})
export type Transformation = z.infer<typeof Transformation>

export const InvarianceParams = z.strictObject({
  network: LibraryName,
  pictures: z.array(PictureReference).min(1).max(100),
  transformations: z.array(Transformation).min(1).max(20),
  /** The first rectifier and the last hidden layer by default: the paper's layers 1 and 7. */
  layers: z.array(LibraryName).min(1).max(10).optional(),
  /** What moves in from outside: the picture's edge continued, or one value in network space. */
  fill: z.union([z.literal('edge'), z.number()]).default('edge'),
  batchSize: z.number().int().min(1).max(1024).default(32),
})
export type InvarianceParams = z.infer<typeof InvarianceParams>

export const InvarianceResult = z.object({
  network: LibraryName,
  layers: z.array(LibraryName),
  /** The class of each picture whose probability is followed: its own, else the one the network names; null without classes. */
  classes: z.array(z.object({ index: z.number().int(), label: z.string() }).nullable()),
  curves: z.array(
    z.object({
      kind: TransformationKind,
      direction: z.enum(['vertical', 'horizontal']),
      values: z.array(z.number()),
      /** By layer, picture and value: Euclidean distance between the features of the picture and of the transformed one. */
      distances: z.array(z.array(z.array(z.number()))),
      /** By picture and value; empty without classes. */
      probabilities: z.array(z.array(z.number())),
    }),
  ),
})
export type InvarianceResult = z.infer<typeof InvarianceResult>

/**
 * Outputs: the table `curves`; for every transformation the arrays `distances-<n>-<kind>` `[layers, pictures, values]` and `probabilities-<n>-<kind>`; lasting runs also
 * write the pictures `figure-<n>-<kind>`: transformed pictures on the left, then one plot a layer and one of the probability.
 */
export const invariance: ExperimentKind<'invariance', typeof InvarianceParams, typeof InvarianceResult> = {
  kind: 'invariance',
  version: 1,
  title: 'Invariance',
  summary:
    'Move, scale and turn pictures and see how features and probabilities change (Zeiler & Fergus 2013, figure 5).',
  params: InvarianceParams,
  result: InvarianceResult,
  document: documentSchema('invariance', 1, InvarianceParams),
  describe: ({ network, pictures, transformations }) =>
    `${network}: ${transformations.map(({ kind }) => kind).join(', ')} of ${pictures.length} ${pictures.length === 1 ? 'picture' : 'pictures'}`,
  mentions: ({ network, pictures, layers }) => [
    networkMention('network', network),
    ...pictures.flatMap((picture, index) => pictureMentions(`pictures.${index}`, picture)),
    ...layerMentions('layers', network, layers),
  ],
  upgrades: {},
}
