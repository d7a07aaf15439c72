/** Optimisers as pure functions: state in, state out, so that a training step can run as one captured graph. */
import type { Scalar, Tensor } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Optimiser } from '../../shared/experiments/train-classifier.ts'
import type { Tfjs } from '../engines/engine.ts'
import type { HostTensors } from './checkpoint.ts'
import { downloadTensors, uploadTensors } from './tensor-file.ts'

/** Those that take one step a batch. */
export type BatchOptimiser = Exclude<Optimiser, { kind: 'l-bfgs' }>

export type Tensors = Record<string, Tensor>

/** Moments by weight name: Adam has two a weight, momentum one (`second` is then empty). */
export type OptimiserState = { first: Tensors; second: Tensors }

/** What changes from step to step, each a scalar. */
export type StepScalars = { learningRate: Scalar; firstCorrection: Scalar; secondCorrection: Scalar }

/** Numbers of step `step` (counted from 1), to be uploaded as `StepScalars`. The corrections are `1 - beta^step`; 1 for momentum. */
export function stepScalars(
  optimiser: BatchOptimiser,
  learningRate: number,
  step: number,
): Record<keyof StepScalars, number> {
  if (optimiser.kind === 'momentum') return { learningRate, firstCorrection: 1, secondCorrection: 1 }
  return { learningRate, firstCorrection: 1 - optimiser.beta1 ** step, secondCorrection: 1 - optimiser.beta2 ** step }
}

/** All moments zero. */
export function initialState(tf: Tfjs, optimiser: BatchOptimiser, weights: Tensors): OptimiserState {
  const zeros = (): Tensors =>
    Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, tf.zerosLike(weight)]))
  return { first: zeros(), second: optimiser.kind === 'adam' ? zeros() : {} }
}

/** The state for a checkpoint. */
export async function keptState({ first, second }: OptimiserState): Promise<HostTensors> {
  const kept: HostTensors = {}
  for (const [group, tensors] of Object.entries({ first, second })) {
    for (const [name, tensor] of Object.entries(await downloadTensors(tensors))) kept[`${group}:${name}`] = tensor
  }
  return kept
}

/**
 * The state from a checkpoint; a new one from an empty one.
 * @throws ConvScopeError 'invalid-input' for the state of another optimiser
 */
export function restoredState(
  tf: Tfjs,
  optimiser: BatchOptimiser,
  weights: Tensors,
  kept: HostTensors,
): OptimiserState {
  if (Object.keys(kept).length === 0) return initialState(tf, optimiser, weights)
  const names = Object.keys(weights)
  const groups = optimiser.kind === 'adam' ? ['first', 'second'] : ['first']
  const expected = groups.flatMap((group) => names.map((name) => `${group}:${name}`))
  if (Object.keys(kept).length !== expected.length || !expected.every((name) => Object.hasOwn(kept, name))) {
    throw new ConvScopeError('invalid-input', 'The training that is to go on had another optimiser', {
      remedy: 'Choose the same one, or train the network further without its optimiser: start from the network.',
    })
  }
  const entries = Object.entries(kept)
  const group = (prefix: string): Tensors =>
    uploadTensors(
      tf,
      entries.filter(([name]) => name.startsWith(prefix)).map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    )
  return { first: group('first:'), second: group('second:') }
}

/**
 * One update of all weights.
 * - Adam (Kingma & Ba 2014, algorithm 1): `w -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`;
 * - momentum: `a = momentum * a + g; w -= rate * a`, with Nesterov `w -= rate * (g + momentum * a)` (torch's form).
 */
export function updateWeights(
  tf: Tfjs,
  optimiser: BatchOptimiser,
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
      const change = optimiser.nesterov ? tf.add(gradient, tf.mul(accumulated, optimiser.momentum)) : accumulated
      next.weights[name] = tf.sub(weight, tf.mul(change, scalars.learningRate))
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

/** The tensor of that name. */
export function member(tensors: Tensors, name: string): Tensor {
  const tensor = tensors[name]
  if (!tensor) throw new Error(`There is no tensor for the weight ${name}`)
  return tensor
}
