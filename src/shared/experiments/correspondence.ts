/** Correspondence (Zeiler & Fergus 2013, section 4.3 and table 1): whether hiding the same part changes features of different pictures alike. */
import * as z from 'zod'
import { LibraryName } from '../values.ts'
import { documentSchema, PictureReference, type ExperimentKind } from './document.ts'
import { layerMentions, networkMention, pictureMentions } from './mentions.ts'

const place = z.number().int().nonnegative()
/** Half-open `[row0, row1, column0, column1]` in pixels of the network's input. */
export const PartBox = z
  .tuple([place, place, place, place])
  .refine(
    ([row0, row1, column0, column1]) => row1 > row0 && column1 > column0,
    'a box [row0, row1, column0, column1] with pixels in it',
  )

export const CorrespondenceParams = z.strictObject({
  network: LibraryName,
  /** Every picture with a box for every part. */
  pictures: z
    .array(z.strictObject({ picture: PictureReference, parts: z.record(z.string().min(1).max(40), PartBox) }))
    .min(2)
    .max(100),
  /** How often boxes of the same sizes at random places are tried as a control; 0 for no control. */
  randomTrials: z.number().int().min(0).max(100).default(5),
  /** The last convolutional and the last hidden layer by default: the paper's layers 5 and 7. */
  layers: z.array(LibraryName).min(1).max(10).optional(),
  /** In network space. */
  fill: z.number().default(0),
  batchSize: z.number().int().min(1).max(1024).default(32),
})
export type CorrespondenceParams = z.infer<typeof CorrespondenceParams>

export const CorrespondenceResult = z.object({
  network: LibraryName,
  layers: z.array(LibraryName),
  pictures: z.number().int().positive(),
  /** One a part, and `random` last. */
  rows: z.array(
    z.object({
      part: z.string(),
      /** By layer: share of features whose change has another sign, mean and standard error over pairs of pictures (and trials). */
      layers: z.array(z.object({ mean: z.number(), standardError: z.number(), pairs: z.number().int() })),
    }),
  ),
})
export type CorrespondenceResult = z.infer<typeof CorrespondenceResult>

/** Outputs: `table` (as JSON the rows, and as a table); lasting runs also write the picture `figure`: one row a part, one column a picture. */
export const correspondence: ExperimentKind<
  'correspondence',
  typeof CorrespondenceParams,
  typeof CorrespondenceResult
> = {
  kind: 'correspondence',
  version: 1,
  title: 'Correspondence',
  summary: 'Hide the same part of several pictures and compare how features change (Zeiler & Fergus 2013, table 1).',
  params: CorrespondenceParams,
  result: CorrespondenceResult,
  document: documentSchema('correspondence', 1, CorrespondenceParams),
  describe: ({ network, pictures }) =>
    `${network}: correspondence of ${Object.keys(pictures[0]?.parts ?? {}).join(', ')} in ${pictures.length} pictures`,
  mentions: ({ network, pictures, layers }) => [
    networkMention('network', network),
    ...pictures.flatMap(({ picture }, index) => pictureMentions(`pictures.${index}.picture`, picture)),
    ...layerMentions('layers', network, layers),
  ],
  upgrades: {},
}
