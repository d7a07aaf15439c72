/** The two pure steps of classifier training: one update on a batch, and counting errors on a batch. */
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import type { Optimiser } from '../../shared/experiments/train-classifier.ts'
import type { Step, Tfjs } from '../engines/engine.ts'
import { updateWeights, type OptimiserState, type StepScalars, type Tensors } from './optimiser.ts'

/** Logits `[batch, classes]` of images in network space; `masks` by dropout layer, absent outside training. */
export type Logits = (weights: Tensors, images: Tensor4D, masks: Tensors | undefined) => Tensor2D

/** `lossSum` and `errorSum` are carried through, so that nothing has to be read back at every step. */
export type TrainingInputs = {
  weights: Tensors
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

export type TrainingOutputs = { weights: Tensors; state: OptimiserState; lossSum: Scalar; errorSum: Scalar }

export type EvaluationInputs = {
  weights: Tensors
  images: Tensor4D
  labels: Tensor1D
  /** `[batch]`, 1 for a picture that counts and 0 for one that only fills the batch. */
  counted: Tensor1D
}

/** Mean over the batch of the softmax cross-entropy of logits `[batch, classes]` with labels `[batch]` (int32). */
export function softmaxCrossEntropy(tf: Tfjs, logits: Tensor2D, labels: Tensor1D): Scalar {
  const hot = tf.oneHot(labels, logits.shape[1])
  return tf.neg(tf.mean(tf.sum(tf.mul(tf.cast(hot, 'float32'), tf.logSoftmax(logits)), 1)))
}

/** Loss, gradients by weight name, and the number of errors (a scalar) on one batch. */
export function lossAndGradients(
  tf: Tfjs,
  logitsOf: Logits,
  weights: Tensors,
  images: Tensor4D,
  labels: Tensor1D,
  masks: Tensors,
): { loss: Scalar; gradients: Tensors; errors: Scalar } {
  const names = Object.keys(weights)
  const errors: Tensor[] = []
  const withGradients = tf.valueAndGrads((...values: Tensor[]) => {
    const current = Object.fromEntries(names.map((name, index) => [name, values[index] as Tensor]))
    const logits = logitsOf(current, images, masks)
    // Kept past the tape, which frees what it does not return.
    errors.push(tf.keep(errorsOf(tf, logits, labels)))
    return softmaxCrossEntropy(tf, logits, labels)
  })
  const { value, grads } = withGradients(names.map((name) => weights[name] as Tensor))
  const gradients = Object.fromEntries(names.map((name, index) => [name, grads[index] as Tensor]))
  const counted = tf.sum(errors[0] as Tensor) as Scalar
  errors[0]?.dispose()
  return { loss: value as Scalar, gradients, errors: counted }
}

/** One update on one batch, everything that varies among its inputs. */
export function trainingStep(tf: Tfjs, logitsOf: Logits, optimiser: Optimiser): Step<TrainingInputs, TrainingOutputs> {
  return ({ weights, state, scalars, images, labels, masks, lossSum, errorSum }) => {
    const { loss, gradients, errors } = lossAndGradients(tf, logitsOf, weights, images, labels, masks)
    const next = updateWeights(tf, optimiser, weights, gradients, state, scalars)
    return { ...next, lossSum: tf.add(lossSum, loss), errorSum: tf.add(errorSum, errors) }
  }
}

/** Errors on one batch. */
export function evaluationStep(tf: Tfjs, logitsOf: Logits): Step<EvaluationInputs, { errors: Scalar }> {
  return ({ weights, images, labels, counted }) => ({
    errors: tf.sum(tf.mul(errorsOf(tf, logitsOf(weights, images, undefined), labels), counted)),
  })
}

/** `[batch]`: 1 where the largest logit is not the label's. */
function errorsOf(tf: Tfjs, logits: Tensor2D, labels: Tensor1D): Tensor1D {
  return tf.cast(tf.notEqual(tf.argMax(logits, 1), labels), 'float32')
}
