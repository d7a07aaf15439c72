/** Optimisers as pure functions: state in, state out, so that a training step can run as one captured graph. */
import type { Scalar, Tensor } from '@tensorflow/tfjs'
import type { Optimiser } from '../../shared/experiments/train-classifier.ts'
import type { Tfjs } from '../engines/engine.ts'

export type Tensors = Record<string, Tensor>

/** Moments by weight name: Adam has two a weight, momentum one (`second` is then empty). */
export type OptimiserState = { first: Tensors; second: Tensors }

/** What changes from step to step, each a scalar. */
export type StepScalars = { learningRate: Scalar; firstCorrection: Scalar; secondCorrection: Scalar }

/** Numbers of step `step` (counted from 1), to be uploaded as `StepScalars`. The corrections are `1 - beta^step`; 1 for momentum. */
export function stepScalars(
  optimiser: Optimiser,
  learningRate: number,
  step: number,
): Record<keyof StepScalars, number> {
  if (optimiser.kind === 'momentum') return { learningRate, firstCorrection: 1, secondCorrection: 1 }
  return { learningRate, firstCorrection: 1 - optimiser.beta1 ** step, secondCorrection: 1 - optimiser.beta2 ** step }
}

/** All moments zero. */
export function initialState(tf: Tfjs, optimiser: Optimiser, weights: Tensors): OptimiserState {
  const zeros = (): Tensors =>
    Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, tf.zerosLike(weight)]))
  return { first: zeros(), second: optimiser.kind === 'adam' ? zeros() : {} }
}

/**
 * One update of all weights.
 * - Adam (Kingma & Ba 2014, algorithm 1): `w -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`;
 * - momentum (no Nesterov): `a = momentum * a + g; w -= rate * a`.
 */
export function updateWeights(
  tf: Tfjs,
  optimiser: Optimiser,
  weights: Tensors,
  gradients: Tensors,
  state: OptimiserState,
  scalars: StepScalars,
): { weights: Tensors; state: OptimiserState } {
  const next: { weights: Tensors; state: OptimiserState } = { weights: {}, state: { first: {}, second: {} } }
  for (const [name, weight] of Object.entries(weights)) {
    const gradient = member(gradients, name)
    const first = member(state.first, name)
    if (optimiser.kind === 'momentum') {
      const accumulated = tf.add(tf.mul(first, optimiser.momentum), gradient)
      next.state.first[name] = accumulated
      next.weights[name] = tf.sub(weight, tf.mul(accumulated, scalars.learningRate))
      continue
    }
    const mean = tf.add(tf.mul(first, optimiser.beta1), tf.mul(gradient, 1 - optimiser.beta1))
    const square = tf.add(
      tf.mul(member(state.second, name), optimiser.beta2),
      tf.mul(tf.square(gradient), 1 - optimiser.beta2),
    )
    const direction = tf.div(
      tf.div(mean, scalars.firstCorrection),
      tf.add(tf.sqrt(tf.div(square, scalars.secondCorrection)), optimiser.epsilon),
    )
    next.state.first[name] = mean
    next.state.second[name] = square
    next.weights[name] = tf.sub(weight, tf.mul(direction, scalars.learningRate))
  }
  return next
}

function member(tensors: Tensors, name: string): Tensor {
  const tensor = tensors[name]
  if (!tensor) throw new Error(`There is no tensor for the weight ${name}`)
  return tensor
}
