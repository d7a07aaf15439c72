/** From parameters back to what is typed: for settings that were published, and for trainings that go on. */
import { TrainClassifierParams } from '../../../shared/experiments/train-classifier.ts'
import { presetsFor, type TrainingPreset } from '../../../shared/experiments/training-presets.ts'
import { newDraft, USUAL_RATES, type TrainingDraft } from './training-draft.ts'

/** What a preset decides. */
type Published = Pick<
  TrainingDraft,
  | 'preset'
  | 'optimiser'
  | 'learningRate'
  | 'memory'
  | 'decayReading'
  | 'lambda'
  | 'epochs'
  | 'batchSize'
  | 'pretraining'
>

/** The draft whose document has these parameters. Layers written down in a document have no place in it: see `continued`. */
export function draftOf(params: TrainClassifierParams, seed: number): TrainingDraft {
  const { start, optimiser, schedule, weightDecay, augmentation, pretraining } = params
  const usual = newDraft()
  const text = (value: number | readonly number[] | undefined): string =>
    value === undefined ? '' : [value].flat().join(', ')
  return {
    ...usual,
    from: start.from === 'network' ? 'network' : 'architecture',
    start: start.from === 'layers' ? start.spec.name : start.name,
    inputSize: start.from === 'architecture' ? text(start.inputSize) : '',
    weights: start.from === 'network' ? start.weights : usual.weights,
    dataset: params.dataset,
    trainSplit: params.trainSplit,
    testSplit: params.testSplit,
    trainCount: text(params.trainCount),
    testCount: text(params.testCount),
    optimiser: optimiser.kind,
    learningRate: optimiser.kind === 'l-bfgs' ? USUAL_RATES['l-bfgs'] : text(optimiser.learningRate),
    ...(optimiser.kind === 'momentum' && { momentum: text(optimiser.momentum), nesterov: optimiser.nesterov }),
    ...(optimiser.kind === 'l-bfgs' && { memory: optimiser.memory }),
    schedule: schedule.kind,
    slowAt: schedule.kind === 'steps' ? text(schedule.epochs) : usual.slowAt,
    factor: 'factor' in schedule ? text(schedule.factor) : usual.factor,
    warmUp: schedule.kind === 'cosine' ? text(schedule.warmUpEpochs) : usual.warmUp,
    patience: schedule.kind === 'when-stalled' ? schedule.patience : usual.patience,
    decayReading: weightDecay.reading,
    lambda: text(weightDecay.lambda),
    ...(pretraining && {
      pretraining: true,
      pretrainingEpochs: pretraining.epochs,
      activity: text(pretraining.activity),
      sparsityWeight: text(pretraining.sparsityWeight),
    }),
    dropout: text(params.dropout),
    shiftPixels: augmentation.shiftPixels,
    flip: augmentation.flip,
    filterRms: text(params.maximumFilterRms),
    epochs: params.epochs,
    batchSize: params.batchSize,
    stopAfter: text(params.stopAfter),
    snapshots: text(params.snapshots),
    seed,
    name: params.name ?? '',
  }
}

/** The fields that a preset decides, as it has them; without one as they are at first. */
export function publishedFields(preset: TrainingPreset | undefined): Published {
  if (preset === undefined) return decided(newDraft())
  const start = { from: 'architecture', name: preset.architecture }
  const params = TrainClassifierParams.parse({ ...preset.params, start, dataset: 'any' })
  return { ...decided(draftOf(params, 0)), preset: preset.name }
}

/** The fields for another architecture: its default settings, or the usual ones where the last one had some. */
export function fieldsForArchitecture(draft: TrainingDraft): Partial<TrainingDraft> {
  const [preset] = draft.from === 'architecture' ? presetsFor(draft.start) : []
  return preset || draft.preset !== '' ? publishedFields(preset) : {}
}

function decided(draft: TrainingDraft): Published {
  const { preset, optimiser, learningRate, memory, decayReading, lambda, epochs, batchSize, pretraining } = draft
  return { preset, optimiser, learningRate, memory, decayReading, lambda, epochs, batchSize, pretraining }
}
