/** What the model doctor, a classification and a measured accuracy say about a network. */
import * as z from 'zod'
import { LibraryName } from '../values.ts'
import { Finding } from './finding.ts'
import { Preprocessing } from './spec.ts'

const count = z.number().int().nonnegative()
const fraction = z.number().min(0).max(1)

/** Right answers of so many, with the 95 % interval of Wilson (1927). */
export const Rate = z.object({ correct: count, count, fraction, low: fraction, high: fraction })
export type Rate = z.infer<typeof Rate>

export const ClassScore = z.object({
  index: count,
  /** The class name, or the index where the network has no names. */
  label: z.string(),
  probability: fraction,
})
export type ClassScore = z.infer<typeof ClassScore>

export const Classification = z.object({
  /** The most probable classes, five at most, best first. */
  top: z.array(ClassScore),
  /** The data set's label of the picture, if it has one. */
  label: z.object({ index: count, label: z.string() }).nullable(),
  preprocessing: Preprocessing,
})
export type Classification = z.infer<typeof Classification>

export const Accuracy = z.object({
  top1: Rate,
  /** The right class among the five most probable; null for networks of five classes or fewer. */
  top5: Rate.nullable(),
  /** Mean of ln(probability of the right class); null where the network gives no numbers. */
  meanLogProbability: z.number().nullable(),
  /** Of the data set, in its order; those without a picture have a count of 0. */
  classes: z.array(z.object({ label: z.string(), count, correct: count })),
})
export type Accuracy = z.infer<typeof Accuracy>

/** One way to prepare pictures, tried on labelled ones. */
export const PipelineTrial = z.object({
  /** Such as "BGR, 0…255 less 103.9, 116.8, 123.7". */
  description: z.string(),
  preprocessing: Preprocessing,
  /** Whether it is the network's own. */
  own: z.boolean(),
  top1: Rate,
  meanLogProbability: z.number().nullable(),
})
export type PipelineTrial = z.infer<typeof PipelineTrial>

/** How well a network reproduces the activations that another program computed. */
export const ReferenceComparison = z.object({
  /** Ways to prepare the picture, best first; empty where the reference has the input itself and no picture was given. */
  pipelines: z.array(
    z.object({
      description: z.string(),
      preprocessing: Preprocessing,
      own: z.boolean(),
      /** At the lowest layer that was compared; see `layers`. */
      deviation: z.number().nonnegative(),
    }),
  ),
  /** In the order of the network. */
  layers: z.array(
    z.object({
      layer: LibraryName,
      /** Largest difference relative to the largest value of the reference. */
      deviation: z.number().nonnegative(),
      fits: z.boolean(),
    }),
  ),
  /** The lowest layer that does not fit. */
  firstDeviating: LibraryName.optional(),
  /** Names in the reference that are no layer of the network. */
  unknown: z.array(z.string()),
})
export type ReferenceComparison = z.infer<typeof ReferenceComparison>

export const Examination = z.object({
  findings: z.array(Finding),
  /** Best first; empty where there are no pictures with labels that fit the network's classes. */
  pipelines: z.array(PipelineTrial),
  reference: ReferenceComparison.optional(),
})
export type Examination = z.infer<typeof Examination>
