/** The two pure steps of classifier training: one update on a batch, and counting errors on a batch. */
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import type { Step, Tfjs } from '../engines/engine.ts'
import { limitFilters } from './filter-limit.ts'
import {
  member,
  updateWeights,
  type BatchOptimiser,
  type OptimiserState,
  type StepScalars,
  type Tensors,
} from './optimiser.ts'

/**
 * Logits `[batch, classes]` of images in network space, from all tensors of a network; `masks` by dropout layer, absent outside training.
 * In training batches are normalised by themselves, and `statistics` are what they say of the running ones; outside it is empty.
 */
export type Logits = (
  tensors: Tensors,
  images: Tensor4D,
  masks: Tensors | undefined,
) => { logits: Tensor2D; statistics: Tensors }

/** The tensors of a network by what becomes of them in a training. */
export type NetworkTensors = {
  /** What the optimiser changes. */
  weights: Tensors
  /** Running means and variances of batch normalisation. */
  statistics: Tensors
  /** What stays. */
  frozen: Tensors
}

/** `lossSum` and `errorSum` are carried through, so that nothing has to be read back at every step. */
export type TrainingInputs = NetworkTensors & {
  state: OptimiserState
  scalars: StepScalars
  /** `[batch, height, width, channels]` in network space. */
  images: Tensor4D
  /** `[batch]` int32. */
  labels: Tensor1D
  masks: Tensors
  lossSum: Scalar
  errorSum: Scalar
}

export type TrainingOutputs = Pick<TrainingInputs, 'weights' | 'statistics' | 'state' | 'lossSum' | 'errorSum'>

export type EvaluationInputs = { weights: Tensors; images: Tensor4D }

/** What keeps weights small, besides the loss of the data. */
export interface Regularisation {
  /** As `decayFactors` gives them. */
  readonly decay: Readonly<Record<string, number>>
  /** Largest root mean square of a filter of these kernels, after every step. */
  readonly filterLimit?: { readonly kernels: readonly string[]; readonly maximumRms: number }
}

const UNREGULARISED: Regularisation = { decay: {} }

/** How much of a running mean or variance the newest batch makes up (torch's `momentum`; Keras calls 0.9 what is 0.1 here). */
export const NEWEST_SHARE = 0.1

/** Softmax cross-entropy of logits `[batch, classes]` with labels `[batch]` (int32): the mean over the batch, or the sum of `counted`. */
export function softmaxCrossEntropy(tf: Tfjs, logits: Tensor2D, labels: Tensor1D, counted?: Tensor1D): Scalar {
  const hot = tf.oneHot(labels, logits.shape[1])
  const likelihoods: Tensor1D = tf.sum(tf.mul(tf.cast(hot, 'float32'), tf.logSoftmax(logits)), 1)
  return tf.neg(counted ? tf.sum(tf.mul(likelihoods, counted)) : tf.mean(likelihoods))
}

export interface LossInputs {
  readonly weights: Tensors
  /** Tensors of the network that no gradient is taken by. */
  readonly others?: Tensors
  readonly images: Tensor4D
  readonly labels: Tensor1D
  readonly masks: Tensors
  /** `[batch]`, 1 for a picture that counts and 0 for one that only fills the batch; the loss is then a sum, not a mean. */
  readonly counted?: Tensor1D
}

/** Loss, gradients by weight name, the number of errors (a scalar), and the statistics of the batch, as `Logits` has them. */
export function lossAndGradients(
  tf: Tfjs,
  logitsOf: Logits,
  { weights, others = {}, images, labels, masks, counted }: LossInputs,
): { loss: Scalar; gradients: Tensors; errors: Scalar; statistics: Tensors } {
  const names = Object.keys(weights)
  const kept: { errors?: Tensor1D; statistics: Tensors } = { statistics: {} }
  const withGradients = tf.valueAndGrads((...values: Tensor[]) => {
    const current = Object.fromEntries(names.map((name, index) => [name, values[index] as Tensor]))
    const { logits, statistics } = logitsOf({ ...others, ...current }, images, masks)
    // Kept past the tape, which frees what it does not return.
    const wrong = errorsOf(tf, logits, labels)
    kept.errors = tf.keep(counted ? tf.mul(wrong, counted) : wrong)
    for (const [name, tensor] of Object.entries(statistics)) kept.statistics[name] = tf.keep(tensor)
    return softmaxCrossEntropy(tf, logits, labels, counted)
  })
  const { value, grads } = withGradients(names.map((name) => weights[name] as Tensor))
  const gradients = Object.fromEntries(names.map((name, index) => [name, grads[index] as Tensor]))
  const errors: Scalar = tf.sum(kept.errors as Tensor1D)
  kept.errors?.dispose()
  return { loss: value as Scalar, gradients, errors, statistics: kept.statistics }
}

/** One update on one batch, everything that varies among its inputs. The loss that it adds up is that of the data alone. */
export function trainingStep(
  tf: Tfjs,
  logitsOf: Logits,
  optimiser: BatchOptimiser,
  { decay, filterLimit }: Regularisation = UNREGULARISED,
): Step<TrainingInputs, TrainingOutputs> {
  return ({ weights, statistics, frozen, state, scalars, images, labels, masks, lossSum, errorSum }) => {
    const inputs = { weights, others: { ...statistics, ...frozen }, images, labels, masks }
    const { loss, gradients, errors, statistics: newest } = lossAndGradients(tf, logitsOf, inputs)
    const next = updateWeights(tf, optimiser, weights, withDecay(tf, gradients, weights, decay), state, scalars)
    for (const name of filterLimit?.kernels ?? []) {
      next.weights[name] = limitFilters(tf, member(next.weights, name), filterLimit?.maximumRms ?? Infinity)
    }
    return {
      ...next,
      statistics: movedStatistics(tf, statistics, newest),
      lossSum: tf.add(lossSum, loss),
      errorSum: tf.add(errorSum, errors),
    }
  }
}

/** `0.9 · running + 0.1 · newest`; disposes the newest. */
function movedStatistics(tf: Tfjs, running: Tensors, newest: Tensors): Tensors {
  const moved = Object.entries(running).map(([name, tensor]): [string, Tensor] => {
    const batch = member(newest, name)
    return [name, tf.add(tf.mul(tensor, 1 - NEWEST_SHARE), tf.mul(batch, NEWEST_SHARE))]
  })
  for (const tensor of Object.values(newest)) tensor.dispose()
  return Object.fromEntries(moved)
}

function withDecay(tf: Tfjs, gradients: Tensors, weights: Tensors, decay: Regularisation['decay']): Tensors {
  const all = { ...gradients }
  for (const [name, factor] of Object.entries(decay)) {
    all[name] = tf.add(member(gradients, name), tf.mul(member(weights, name), factor))
  }
  return all
}

/** Part of a full batch; `counted` as in `LossInputs`. */
export type PieceInputs = { weights: Tensors; frozen: Tensors; images: Tensor4D; labels: Tensor1D; counted: Tensor1D }
/** Sums over the pictures that count. */
export type PieceOutputs = { loss: Scalar; errors: Scalar; gradients: Tensors }

/** Loss, errors and gradients of a piece of the training pictures, for methods that look at all of them a step. */
export function pieceStep(tf: Tfjs, logitsOf: Logits): Step<PieceInputs, PieceOutputs> {
  return ({ frozen, ...inputs }) => {
    const { loss, errors, gradients } = lossAndGradients(tf, logitsOf, { ...inputs, others: frozen, masks: {} })
    return { loss, errors, gradients }
  }
}

/** The class that the network takes each picture for, int32 `[batch]`, and the probability that it gives it, `[batch]`. */
export type Prediction = { predicted: Tensor1D; confidence: Tensor1D }

export function evaluationStep(tf: Tfjs, logitsOf: Logits): Step<EvaluationInputs, Prediction> {
  return ({ weights, images }) => {
    const { logits } = logitsOf(weights, images, undefined)
    return { predicted: tf.argMax(logits, 1), confidence: tf.max(tf.softmax(logits), 1) }
  }
}

/** `[batch]`: 1 where the largest logit is not the label's. */
function errorsOf(tf: Tfjs, logits: Tensor2D, labels: Tensor1D): Tensor1D {
  return tf.cast(tf.notEqual(tf.argMax(logits, 1), labels), 'float32')
}
