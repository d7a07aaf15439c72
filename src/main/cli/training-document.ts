/** The document of a training from the options of the command line. */
import { ConvScopeError } from '../../shared/errors.ts'
import { parseDocument } from '../../shared/experiments/index.ts'
import { TrainClassifierResult, type Optimiser, type WeightDecay } from '../../shared/experiments/train-classifier.ts'
import { presetsFor, TRAINING_PRESETS, type TrainingPreset } from '../../shared/experiments/training-presets.ts'
import type { RunRecord } from '../../shared/runs.ts'
import { Json } from '../../shared/values.ts'

export interface TrainingOptions {
  readonly architecture?: string
  readonly from?: boolean
  readonly continue?: string
  readonly preset?: string
  readonly inputSize?: number[]
  readonly dataset?: string
  readonly trainSplit?: string
  readonly testSplit?: string
  readonly name?: string
  readonly epochs?: number
  readonly batchSize?: number
  readonly optimiser?: Optimiser['kind']
  readonly learningRate?: number
  readonly nesterov?: boolean
  readonly cosine?: number
  readonly slowAt?: number[]
  readonly slowBy?: number
  readonly slowWhenStalled?: number
  readonly decay?: number[]
  readonly decayReading?: WeightDecay['reading']
  readonly dropout?: number
  readonly shift?: number
  readonly flip?: boolean
  readonly filterRms?: number
  readonly stopAfter?: number
  readonly snapshots?: number[]
  readonly trainCount?: number
  readonly testCount?: number
  readonly seed?: number
}

const NO_PRESET = 'none'
const USUAL_DATASET = 'mnist'

/** @throws ConvScopeError 'invalid-input' for options that do not go together, or that are out of range */
export function trainingDocument(options: TrainingOptions): Json {
  const { architecture, optimiser, decay } = options
  if (architecture === undefined) {
    throw new ConvScopeError('invalid-input', 'There is nothing to train', {
      remedy: 'Name a known architecture, with --from a network, or with --continue a run.',
    })
  }
  const preset = presetOf(options, architecture)
  const { epochs, batchSize, ...published } = preset?.params ?? {}
  return document(
    {
      ...published,
      // The published counts are those of the published optimiser.
      ...(optimiser === undefined && { epochs, batchSize }),
      ...changesOf(options),
      start: {
        from: options.from === true ? 'network' : 'architecture',
        name: architecture,
        ...withoutAbsent({ inputSize: options.inputSize }),
      },
      dataset: options.dataset ?? USUAL_DATASET,
      ...((optimiser ?? published.optimiser === undefined) && { optimiser: optimiserOf(options) }),
      ...((decay ?? options.decayReading) !== undefined && {
        weightDecay: { ...published.weightDecay, ...weightDecayOf(options) },
      }),
    },
    options.seed,
  )
}

/**
 * The document of a run with more epochs, and whatever else is asked for.
 * @throws ConvScopeError 'invalid-input' for a run that left nothing to go on from, or for what cannot be changed
 */
export function continuedDocument(options: TrainingOptions, run: RunRecord): Json {
  const before = parseDocument(run.document)
  const state = run.outputs.find(({ name }) => name === 'state')
  if (before.kind !== 'train-classifier' || !state) {
    throw new ConvScopeError('invalid-input', `The run ${run.id} left nothing that a training could go on from`, {
      remedy: 'Choose a training that has finished at least one epoch.',
    })
  }
  const fixed = (['architecture', 'from', 'preset', 'inputSize', 'dataset', 'seed'] as const).find(
    (name) => options[name] !== undefined,
  )
  if (fixed !== undefined) {
    throw new ConvScopeError('invalid-input', 'A training that goes on keeps its network, its data set and its seed', {
      remedy: `Leave out ${fixed === 'architecture' ? 'the architecture' : optionName(fixed)}.`,
    })
  }
  const finished = TrainClassifierResult.safeParse(run.result).data?.epochs.length
  const { params } = before
  const { optimiser, decay, decayReading } = options
  return document(
    {
      ...params,
      // As many again; those that are missing after a cancelled one.
      epochs: params.epochs + (finished ?? 0),
      ...changesOf(options),
      ...((optimiser ?? options.learningRate) !== undefined && {
        optimiser: { ...params.optimiser, ...withoutAbsent({ kind: optimiser, learningRate: options.learningRate }) },
      }),
      ...((decay ?? decayReading) !== undefined && {
        weightDecay: { ...params.weightDecay, ...weightDecayOf(options) },
      }),
      continues: state.sha256,
    },
    before.seed,
  )
}

/** `trainSplit` → `--train-split`. */
export function optionName(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function document(params: object, seed: number | undefined): Json {
  const parsed = parseDocument({ kind: 'train-classifier', version: 2, params, seed })
  // Members left out are undefined here, which JSON does not know.
  return Json.parse(JSON.parse(JSON.stringify(parsed)))
}

/** What was asked for by name, where neither architecture nor run say otherwise. */
function presetOf({ preset, from }: TrainingOptions, architecture: string): TrainingPreset | undefined {
  if (preset === NO_PRESET || (preset === undefined && from === true)) return undefined
  if (preset === undefined) return presetsFor(architecture)[0]
  const found = TRAINING_PRESETS.find(({ name }) => name === preset)
  if (found && (from === true || found.architecture === architecture)) return found
  const fitting = presetsFor(architecture).map(({ name }) => name)
  throw new ConvScopeError('invalid-input', `There is no preset "${preset}" for ${architecture}`, {
    remedy: `Choose one of: ${[...fitting, NO_PRESET].join(', ')}.`,
  })
}

function changesOf(options: TrainingOptions): object {
  const augmentation = withoutAbsent({ shiftPixels: options.shift, flip: options.flip })
  return withoutAbsent({
    trainSplit: options.trainSplit,
    testSplit: options.testSplit,
    name: options.name,
    epochs: options.epochs,
    batchSize: options.batchSize,
    schedule: scheduleOf(options),
    dropout: options.dropout,
    augmentation: Object.keys(augmentation).length > 0 ? augmentation : undefined,
    maximumFilterRms: options.filterRms,
    stopAfter: options.stopAfter,
    snapshots: options.snapshots,
    trainCount: options.trainCount,
    testCount: options.testCount,
  })
}

function optimiserOf({ optimiser = 'adam', learningRate, nesterov }: TrainingOptions): object {
  return withoutAbsent({ kind: optimiser, learningRate, nesterov })
}

function weightDecayOf({ decay, decayReading }: TrainingOptions): object {
  return withoutAbsent({ reading: decayReading, lambda: decay?.length === 1 ? decay[0] : decay })
}

/** An option that the chosen kind does not know is to be refused, but only where it was given. */
function withoutAbsent<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** @throws ConvScopeError 'invalid-input' for two at once */
function scheduleOf({ slowAt, slowBy, slowWhenStalled, cosine }: TrainingOptions): unknown {
  const chosen = [
    slowAt && { kind: 'steps', epochs: slowAt, factor: slowBy },
    slowWhenStalled !== undefined && { kind: 'when-stalled', patience: slowWhenStalled, factor: slowBy },
    cosine !== undefined && { kind: 'cosine', warmUpEpochs: cosine },
  ].filter((schedule) => typeof schedule === 'object')
  if (chosen.length > 1) {
    throw new ConvScopeError('invalid-input', 'The learning rate can follow one schedule only', {
      remedy: 'Choose one of --cosine, --slow-at and --slow-when-stalled.',
    })
  }
  return chosen[0]
}
