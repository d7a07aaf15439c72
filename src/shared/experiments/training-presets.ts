/**
 * Published ways to train known architectures: the digit networks of Szegedy et al. (2013), table 1. They print λ · Σ w² / k; what their errors
 * fit is ½ · λ · Σ w² over weights and biases (`WeightDecay`). L-BFGS is given more iterations than it needs for 0 % training error: weights
 * on pixels that are always black decay slowly.
 */
import type * as z from 'zod'
import type { TrainClassifierParams } from './train-classifier.ts'

type Params = z.input<typeof TrainClassifierParams>

export interface TrainingPreset {
  readonly name: string
  readonly title: string
  readonly architecture: string
  readonly params: Pick<Params, 'epochs' | 'batchSize' | 'optimiser' | 'weightDecay' | 'pretraining'>
}

const ITERATIONS = 600
/** Looked at in one go: small networks are quicker in large pieces. */
const PIECE = 1000

function digits(name: string, title: string, architecture: string, lambda: number | number[]): TrainingPreset {
  const weightDecay = { reading: 'szegedy', lambda } as const
  return {
    name,
    title,
    architecture,
    params: { epochs: ITERATIONS, batchSize: PIECE, optimiser: { kind: 'l-bfgs' }, weightDecay },
  }
}

const HIDDEN = [1e-5, 1e-5, 1e-6]
const ae400 = digits('ae400', 'Sparse autoencoder, then softmax λ 0.000001', 'ae400-10', 1e-6)

/** Those of an architecture stand together; the first one is its default. */
export const TRAINING_PRESETS: readonly TrainingPreset[] = [
  digits('softmax1', 'Softmax λ 0.0001', 'mnist-softmax', 1e-4),
  digits('softmax2', 'Softmax λ 0.01', 'mnist-softmax', 1e-2),
  digits('softmax3', 'Softmax λ 1', 'mnist-softmax', 1),
  digits('n100', 'λ 0.00001, 0.00001, 0.000001', 'n100-100-10', HIDDEN),
  digits('n200', 'λ 0.00001, 0.00001, 0.000001', 'n200-200-10', HIDDEN),
  digits('n123', 'λ 0.00001, 0.00001, 0.000001', 'n123-456-10', HIDDEN),
  { ...ae400, params: { ...ae400.params, epochs: 250, pretraining: { kind: 'sparse-autoencoder' } } },
]

export function presetsFor(architecture: string): TrainingPreset[] {
  return TRAINING_PRESETS.filter((preset) => preset.architecture === architecture)
}
