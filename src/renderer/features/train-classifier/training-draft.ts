/** A training as it is typed: texts until they are numbers. */
import type { z } from 'zod'
import { trainClassifier } from '../../../shared/experiments/train-classifier.ts'
import type {
  Optimiser,
  TrainClassifierParams,
  Schedule,
  WeightDecay,
} from '../../../shared/experiments/train-classifier.ts'
import type { Json } from '../../../shared/values.ts'

export interface TrainingDraft {
  /** The run that goes on: its network, data, optimiser and seed stay. */
  continued?: { readonly params: TrainClassifierParams; readonly state: string }
  from: 'architecture' | 'network'
  /** Of the architecture or the network. */
  start: string
  /** Height and width of an architecture's input; empty: as published. */
  inputSize: string
  /** Published settings that were taken over; empty: none. */
  preset: string
  weights: 'own' | 'new'
  dataset: string
  trainSplit: string
  testSplit: string
  /** First pictures of the splits; empty: all. */
  trainCount: string
  testCount: string
  /** The first layer as encoder of a sparse autoencoder. */
  pretraining: boolean
  pretrainingEpochs: number
  activity: string
  sparsityWeight: string
  optimiser: Optimiser['kind']
  learningRate: string
  momentum: string
  nesterov: boolean
  memory: number
  schedule: Schedule['kind']
  slowAt: string
  factor: string
  warmUp: string
  patience: number
  decayReading: WeightDecay['reading']
  /** One number, or one for each layer. */
  lambda: string
  /** Empty: as in the network. */
  dropout: string
  shiftPixels: number
  flip: boolean
  /** Empty: no limit. */
  filterRms: string
  epochs: number
  batchSize: number
  /** Empty: never. */
  stopAfter: string
  snapshots: string
  seed: number
  /** Empty: named after what it started from. */
  name: string
}

export type DraftField = keyof TrainingDraft
export type DraftProblems = Partial<Record<DraftField, string>>

/** Where each optimiser usually starts. */
export const USUAL_RATES = { adam: '0.001', momentum: '0.01', 'l-bfgs': '' } as const

export function newDraft(): TrainingDraft {
  return {
    from: 'architecture',
    start: '',
    inputSize: '',
    preset: '',
    weights: 'own',
    dataset: '',
    trainSplit: 'train',
    testSplit: 'test',
    trainCount: '',
    testCount: '',
    pretraining: false,
    pretrainingEpochs: 60,
    activity: '0.1',
    sparsityWeight: '0.5',
    optimiser: 'adam',
    learningRate: USUAL_RATES.adam,
    momentum: '0.9',
    nesterov: false,
    memory: 10,
    schedule: 'constant',
    slowAt: '',
    factor: '0.1',
    warmUp: '0',
    patience: 3,
    decayReading: 'kernels',
    lambda: '0',
    dropout: '',
    shiftPixels: 0,
    flip: false,
    filterRms: '',
    epochs: 10,
    batchSize: 128,
    stopAfter: '',
    snapshots: '',
    seed: 0,
    name: '',
  }
}

type TrainingDocument = z.infer<typeof trainClassifier.document>

/** The document that was typed, or what is wrong with its fields. */
export function documentOf(
  draft: TrainingDraft,
): { readonly document: Json; readonly parsed: TrainingDocument } | { readonly problems: DraftProblems } {
  const value = {
    kind: trainClassifier.kind,
    version: trainClassifier.version,
    seed: draft.seed,
    params: paramsOf(draft),
  }
  const result = trainClassifier.document.safeParse(value)
  if (result.success) {
    // Members left out are undefined here, which JSON does not know.
    return { document: JSON.parse(JSON.stringify(result.data)) as Json, parsed: result.data }
  }
  const problems: DraftProblems = {}
  for (const { path, message } of result.error.issues) {
    const field = fieldAt(path.filter((part) => typeof part === 'string'))
    problems[field] ??= REMEDIES[field] ?? message
  }
  return { problems }
}

function paramsOf(draft: TrainingDraft): object {
  const { continued } = draft
  return {
    ...continued?.params,
    continues: continued?.state,
    start: continued?.params.start ?? startOf(draft),
    dataset: draft.dataset,
    trainSplit: draft.trainSplit,
    testSplit: draft.testSplit,
    trainCount: optionalNumber(draft.trainCount),
    testCount: optionalNumber(draft.testCount),
    name: draft.name === '' ? undefined : draft.name,
    epochs: draft.epochs,
    batchSize: draft.batchSize,
    optimiser: optimiserOf(draft),
    pretraining: continued ? continued.params.pretraining : pretrainingOf(draft),
    schedule: draft.optimiser === 'l-bfgs' ? undefined : scheduleOf(draft),
    weightDecay: { reading: draft.decayReading, lambda: oneOrMore(draft.lambda) },
    dropout: optionalNumber(draft.dropout),
    augmentation: { shiftPixels: draft.shiftPixels, flip: draft.flip },
    maximumFilterRms: optionalNumber(draft.filterRms),
    stopAfter: optionalNumber(draft.stopAfter),
    snapshots: numbersOf(draft.snapshots),
  }
}

function startOf({ from, start, weights, inputSize }: TrainingDraft): object {
  if (from === 'network') return { from, name: start, weights }
  return { from, name: start, inputSize: inputSize.trim() === '' ? undefined : numbersOf(inputSize) }
}

function pretrainingOf(draft: TrainingDraft): object | undefined {
  if (!draft.pretraining) return undefined
  return {
    kind: 'sparse-autoencoder',
    epochs: draft.pretrainingEpochs,
    activity: numberOf(draft.activity),
    sparsityWeight: numberOf(draft.sparsityWeight),
  }
}

function optimiserOf({ optimiser, learningRate, momentum, nesterov, memory }: TrainingDraft): object {
  switch (optimiser) {
    case 'adam':
      return { kind: optimiser, learningRate: numberOf(learningRate) }
    case 'momentum':
      return { kind: optimiser, learningRate: numberOf(learningRate), momentum: numberOf(momentum), nesterov }
    case 'l-bfgs':
      return { kind: optimiser, memory }
  }
}

function scheduleOf({ schedule, slowAt, factor, warmUp, patience }: TrainingDraft): object {
  switch (schedule) {
    case 'constant':
      return { kind: schedule }
    case 'steps':
      return { kind: schedule, epochs: numbersOf(slowAt), factor: numberOf(factor) }
    case 'cosine':
      return { kind: schedule, warmUpEpochs: numberOf(warmUp) }
    case 'when-stalled':
      return { kind: schedule, patience, factor: numberOf(factor) }
  }
}

/** NaN, which every schema refuses, for what is no number. */
function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(text.replaceAll('\u2212', '-'))
}

function optionalNumber(text: string): number | undefined {
  return text.trim() === '' ? undefined : numberOf(text)
}

function numbersOf(text: string): number[] {
  return text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(numberOf)
}

function oneOrMore(text: string): number | number[] {
  const numbers = numbersOf(text)
  return numbers.length === 1 ? (numbers[0] ?? NaN) : numbers
}

/** Of a place in the parameters. */
const FIELDS: Readonly<Record<string, DraftField>> = {
  'start.name': 'start',
  'start.inputSize': 'inputSize',
  'pretraining.epochs': 'pretrainingEpochs',
  'pretraining.activity': 'activity',
  'pretraining.sparsityWeight': 'sparsityWeight',
  'optimiser.learningRate': 'learningRate',
  'optimiser.momentum': 'momentum',
  'optimiser.memory': 'memory',
  'schedule.epochs': 'slowAt',
  'schedule.factor': 'factor',
  'schedule.warmUpEpochs': 'warmUp',
  'schedule.patience': 'patience',
  'weightDecay.lambda': 'lambda',
  'augmentation.shiftPixels': 'shiftPixels',
  maximumFilterRms: 'filterRms',
}

const REMEDIES: DraftProblems = {
  start: 'Choose what is to be trained.',
  inputSize: 'Give height and width in pixels with a comma between them, or nothing.',
  trainCount: 'Give a whole number of pictures, or nothing.',
  testCount: 'Give a whole number of pictures, or nothing.',
  activity: 'Give a number between 0 and 1.',
  sparsityWeight: 'Give a number from 0 on.',
  dataset: 'Choose a data set.',
  learningRate: 'Give a number above 0, at most 10.',
  momentum: 'Give a number from 0 to less than 1.',
  slowAt: 'Give epochs from 2 on with commas between them.',
  factor: 'Give a number between 0 and 1.',
  warmUp: 'Give a number of epochs, 0 for none.',
  lambda: 'Give one number from 0 on, or one for each layer with weights, with commas between them.',
  dropout: 'Give a number from 0 to less than 1, or nothing.',
  filterRms: 'Give a number above 0, or nothing.',
  stopAfter: 'Give a whole number of epochs, or nothing.',
  snapshots: 'Give epochs with commas between them; 0 stands for the start.',
  name: 'Letters, digits, dot, underscore or dash; 64 at most.',
}

function fieldAt(path: readonly string[]): DraftField {
  const place = path[0] === 'params' ? path.slice(1).join('.') : path.join('.')
  return FIELDS[place] ?? (place as DraftField)
}
