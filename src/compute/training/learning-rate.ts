/** The learning rate of every step. */
import type { EpochRecord, Schedule } from '../../shared/experiments/train-classifier.ts'

export interface TrainingPlace {
  /** Counted from 1. */
  readonly epoch: number
  /** In the epoch, counted from 0. */
  readonly batch: number
  readonly batchesPerEpoch: number
  readonly epochs: number
  /** Of the epochs before. */
  readonly records: readonly EpochRecord[]
}

/** The rate of one step. It depends on its place and on what was measured before alone, so that an interrupted training goes on with the same one. */
export function learningRateAt(base: number, schedule: Schedule, place: TrainingPlace): number {
  switch (schedule.kind) {
    case 'constant':
      return base
    case 'steps':
      return base * schedule.factor ** schedule.epochs.filter((start) => start <= place.epoch).length
    case 'cosine':
      return base * cosine(schedule.warmUpEpochs, place)
    case 'when-stalled':
      return base * schedule.factor ** timesStalled(place.records, schedule.patience)
  }
}

/** 0…1: a line up over the warm-up, then half a cosine that is 0 one step after the last. */
function cosine(warmUpEpochs: number, { epoch, batch, batchesPerEpoch, epochs }: TrainingPlace): number {
  const step = (epoch - 1) * batchesPerEpoch + batch
  const warmUp = warmUpEpochs * batchesPerEpoch
  if (step < warmUp) return (step + 1) / Math.ceil(warmUp)
  const rest = epochs * batchesPerEpoch - warmUp
  return 0.5 * (1 + Math.cos((Math.PI * (step - warmUp)) / rest))
}

/** How often `patience` epochs in a row have not been better than the best before them; each time the count starts again. */
function timesStalled(records: readonly EpochRecord[], patience: number): number {
  let best = Infinity
  let since = 0
  let times = 0
  for (const { testErrorPercent } of records) {
    if (testErrorPercent < best) {
      best = testErrorPercent
      since = 0
    } else if (++since === patience) {
      times++
      since = 0
    }
  }
  return times
}
