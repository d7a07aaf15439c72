/** Training of a classifier on a labelled data set. */
import * as z from 'zod'
import { LibraryName } from '../values.ts'
import { documentSchema, type ExperimentKind } from './document.ts'

const rate = z.number().positive().max(10)

export const Optimiser = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('adam'),
    learningRate: rate.default(0.001),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    /** Added after the square root of the corrected second moment. */
    epsilon: z.number().positive().default(1e-8),
  }),
  z.strictObject({
    kind: z.literal('momentum'),
    learningRate: rate.default(0.01),
    momentum: z.number().min(0).lt(1).default(0.9),
  }),
])
export type Optimiser = z.infer<typeof Optimiser>

/** Architectures that can be trained from nothing; see `src/compute/network/architectures`. */
export const TrainableArchitecture = z.enum(['mnist-convnet'])
export type TrainableArchitecture = z.infer<typeof TrainableArchitecture>

export const TrainClassifierParams = z.strictObject({
  architecture: TrainableArchitecture,
  dataset: LibraryName,
  /** Name under which the trained network enters the library; the architecture's name and the start of the weights' hash when left out. */
  name: LibraryName.optional(),
  epochs: z.number().int().min(1).max(1000).default(10),
  batchSize: z.number().int().min(1).max(4096).default(128),
  optimiser: Optimiser.prefault({ kind: 'adam' }),
  /** The learning rate is multiplied by `factor` at the start of each listed epoch (counted from 1). */
  schedule: z
    .strictObject({ epochs: z.array(z.number().int().min(2)), factor: z.number().positive().lt(1) })
    .default({ epochs: [], factor: 0.1 }),
  /** Pictures of the training split to use, from its start; all when left out. */
  trainCount: z.number().int().min(1).optional(),
  /** Pictures of the test split to measure on, from its start; all when left out. */
  testCount: z.number().int().min(1).optional(),
  /** Random shifts by up to so many pixels in each direction, zeros moving in. */
  shiftPixels: z.number().int().min(0).max(8).default(0),
})
export type TrainClassifierParams = z.infer<typeof TrainClassifierParams>

export const EpochRecord = z.object({
  epoch: z.number().int().positive(),
  trainLoss: z.number(),
  trainErrorPercent: z.number(),
  testErrorPercent: z.number(),
  seconds: z.number(),
})
export type EpochRecord = z.infer<typeof EpochRecord>

export const TrainClassifierResult = z.object({
  network: LibraryName,
  parameters: z.number().int().positive(),
  epochs: z.array(EpochRecord),
  testErrorPercent: z.number(),
  testCount: z.number().int().positive(),
  imagesPerSecond: z.number().positive(),
})
export type TrainClassifierResult = z.infer<typeof TrainClassifierResult>

/** Outputs: `weights` (safetensors) and `spec` (NetworkSpec as JSON); the trained network enters the library. */
export const trainClassifier: ExperimentKind<
  'train-classifier',
  typeof TrainClassifierParams,
  typeof TrainClassifierResult
> = {
  kind: 'train-classifier',
  version: 1,
  title: 'Train a classifier',
  summary: 'Train a classifier from nothing on a labelled data set.',
  params: TrainClassifierParams,
  result: TrainClassifierResult,
  document: documentSchema('train-classifier', 1, TrainClassifierParams),
  describe: ({ architecture, dataset, epochs }) =>
    `Training of ${architecture} on ${dataset}, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`,
  references: (params) => ({ networks: [], datasets: [params.dataset], artifacts: [] }),
  upgrades: {},
}
