/** Training of a classifier on a labelled data set. */
import * as z from 'zod'
import { NetworkSpec } from '../network/spec.ts'
import { LibraryName, Sha256 } from '../values.ts'
import { documentSchema, type ExperimentKind } from './document.ts'
import { networkMention, splitMentions } from './mentions.ts'
import { Optimiser, Pretraining, Schedule, WeightDecay } from './training-options.ts'

export { Optimiser, Pretraining, Schedule, WeightDecay } from './training-options.ts'

/** Pixels. */
const InputSide = z.number().int().min(1).max(2048)

/** What is trained. */
export const TrainingStart = z.discriminatedUnion('from', [
  /** A known architecture, from nothing. */
  z.strictObject({
    from: z.literal('architecture'),
    name: LibraryName,
    /** `[height, width]` of its input and, in proportion, of what it resizes to; the published one when left out. */
    inputSize: z.tuple([InputSide, InputSide]).optional(),
  }),
  /** Layers written down in the document, from nothing. */
  z.strictObject({ from: z.literal('layers'), spec: NetworkSpec }),
  /** A network of the library: its own weights go on, unless new ones are wanted. */
  z.strictObject({ from: z.literal('network'), name: LibraryName, weights: z.enum(['own', 'new']).default('own') }),
])
export type TrainingStart = z.infer<typeof TrainingStart>

const Epoch = z.number().int().min(1)
/** Enough for full-batch methods, whose epochs are iterations. */
const MOST_EPOCHS = 10_000

export const TrainClassifierParams = z.strictObject({
  start: TrainingStart,
  dataset: LibraryName,
  trainSplit: LibraryName.default('train'),
  testSplit: LibraryName.default('test'),
  /** Name under which the trained network enters the library; what it started from and the start of the weights' hash when left out. */
  name: LibraryName.optional(),
  /** Passes over the training pictures; iterations of L-BFGS. */
  epochs: Epoch.max(MOST_EPOCHS).default(10),
  /** Pictures a step. L-BFGS takes all pictures a step, computed in pieces of so many. */
  batchSize: z.number().int().min(1).max(4096).default(128),
  optimiser: Optimiser.prefault({ kind: 'adam' }),
  schedule: Schedule.prefault({ kind: 'constant' }),
  weightDecay: WeightDecay.prefault({}),
  /** How the first layer is learned, where it is learned otherwise than the rest. */
  pretraining: Pretraining.optional(),
  /** Rate of all dropout layers; as in the network when left out. */
  dropout: z.number().min(0).lt(1).optional(),
  /** After every step, filters of convolutions whose root mean square is larger are scaled down to it (Zeiler & Fergus 2013, section 3: 0.1). */
  maximumFilterRms: z.number().positive().optional(),
  augmentation: z
    .strictObject({
      /** Random shifts by up to so many pixels in each direction, black moving in: a random crop of the picture padded by as much. */
      shiftPixels: z.number().int().min(0).max(32).default(0),
      /** Mirrors every other picture, left for right, at random. */
      flip: z.boolean().default(false),
    })
    .prefault({}),
  /** Pictures of the training split to use, from its start; all when left out. */
  trainCount: z.number().int().min(1).optional(),
  /** Pictures of the test split to measure on, from its start; all when left out. */
  testCount: z.number().int().min(1).optional(),
  /** Ends after so many epochs in a row without a smaller test error, with the weights of the smallest one. */
  stopAfter: Epoch.optional(),
  /** The weights after these epochs are kept as outputs `weights-epoch-<n>`; 0 for the start values. */
  snapshots: z.array(z.number().int().min(0).max(MOST_EPOCHS)).max(200).default([]),
  /** The output `state` of an earlier run with the same network and optimiser: goes on after its last epoch, up to `epochs`. */
  continues: Sha256.optional(),
})
export type TrainClassifierParams = z.infer<typeof TrainClassifierParams>

export const EpochRecord = z.object({
  epoch: z.number().int().positive(),
  /** Mean cross-entropy over the epoch's batches, without weight decay. */
  trainLoss: z.number(),
  trainErrorPercent: z.number(),
  testErrorPercent: z.number(),
  /** Without the measurement on the test pictures. */
  seconds: z.number(),
  /** At the epoch's end. */
  learningRate: z.number().optional(),
  /** What L-BFGS minimises: the loss with weight decay. */
  objective: z.number().optional(),
})
export type EpochRecord = z.infer<typeof EpochRecord>

/** A test picture that is classified wrongly. */
export const WrongExample = z.object({
  /** In the test split. */
  index: z.number().int().nonnegative(),
  label: z.number().int().nonnegative(),
  predicted: z.number().int().nonnegative(),
  /** Probability of the predicted class, 0…1. */
  confidence: z.number(),
})
export type WrongExample = z.infer<typeof WrongExample>

/** How many wrong examples a result lists. */
export const LISTED_MISTAKES = 50

export const TrainClassifierResult = z.object({
  network: LibraryName,
  parameters: z.number().int().positive(),
  epochs: z.array(EpochRecord),
  testErrorPercent: z.number(),
  testCount: z.number().int().positive(),
  imagesPerSecond: z.number().positive(),
  /** Epoch whose weights these are: the last one, unless `stopAfter` chose. */
  epoch: z.number().int().positive().optional(),
  /** `converged`: the gradient is as small as L-BFGS was asked for; `stalled`: it finds no better weights at the precision of float32. */
  ended: z.enum(['all-epochs', 'stopped-early', 'converged', 'stalled']).optional(),
  /** Pictures left out of every epoch, others each time, because they fill no batch. */
  leftOutEachEpoch: z.number().int().nonnegative().optional(),
  /** Test pictures by `[label][predicted class]`. */
  confusion: z.array(z.array(z.number().int().nonnegative())).optional(),
  /** The wrong examples of which the network is surest. */
  mistakes: z.array(WrongExample).max(LISTED_MISTAKES).optional(),
  snapshots: z.array(z.object({ epoch: z.number().int().nonnegative(), output: z.string() })).optional(),
})
export type TrainClassifierResult = z.infer<typeof TrainClassifierResult>

/** The output that holds the weights after `epoch`. */
export function snapshotOutput(epoch: number): string {
  return `weights-epoch-${epoch}`
}

/** The epoch of an output of that name; undefined for other outputs. */
export function snapshotEpoch(name: string): number | undefined {
  const epoch = /^weights-epoch-(\d{1,9})$/.exec(name)?.[1]
  return epoch === undefined ? undefined : Number(epoch)
}

/** What is trained, as its name: of the architecture, the network, or the layers. */
export function startName(start: TrainingStart): string {
  return start.from === 'layers' ? start.spec.name : start.name
}

/**
 * Outputs: `weights` (safetensors), `spec` (NetworkSpec as JSON), `state` (safetensors: what it needs to go on), and the snapshots; the
 * trained network enters the library.
 */
export const trainClassifier: ExperimentKind<
  'train-classifier',
  typeof TrainClassifierParams,
  typeof TrainClassifierResult
> = {
  kind: 'train-classifier',
  version: 2,
  title: 'Train a classifier',
  summary: 'Train a classifier on a labelled data set.',
  params: TrainClassifierParams,
  result: TrainClassifierResult,
  document: documentSchema('train-classifier', 2, TrainClassifierParams),
  describe: ({ start, dataset, epochs }) =>
    `Training of ${startName(start)} on ${dataset}, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`,
  mentions: ({ start, dataset, trainSplit, testSplit, continues }) => [
    ...(start.from === 'network' ? [networkMention('start.name', start.name)] : []),
    ...(start.from === 'architecture'
      ? [{ thing: 'architecture' as const, field: 'start.name', name: start.name }]
      : []),
    ...splitMentions({ field: 'dataset', name: dataset }, { field: 'trainSplit', name: trainSplit }),
    { thing: 'split', field: 'testSplit', dataset, name: testSplit },
    ...(continues === undefined
      ? []
      : [{ thing: 'artifact' as const, field: 'continues', sha256: continues, holds: 'training' as const }]),
  ],
  upgrades: { 1: fromVersion1 },
}

const Version1 = z.looseObject({
  params: z.looseObject({
    architecture: z.string(),
    schedule: z.looseObject({ epochs: z.array(z.unknown()) }).optional(),
    shiftPixels: z.unknown().optional(),
  }),
})

/** Version 1 knew architectures alone, rates that fall at listed epochs, and shifts. Mistakes are left for the schema to name. */
function fromVersion1(document: unknown): unknown {
  const parsed = Version1.safeParse(document)
  if (!parsed.success) return { ...Object(document), version: 2 }
  const { architecture, schedule, shiftPixels, ...params } = parsed.data.params
  return {
    ...parsed.data,
    version: 2,
    params: {
      ...params,
      start: { from: 'architecture', name: architecture },
      ...(schedule && { schedule: schedule.epochs.length > 0 ? { kind: 'steps', ...schedule } : { kind: 'constant' } }),
      ...(shiftPixels !== undefined && { augmentation: { shiftPixels } }),
    },
  }
}
