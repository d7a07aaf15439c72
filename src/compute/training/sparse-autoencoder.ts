/**
 * A sparse autoencoder of one hidden layer (Ng: CS294A lecture notes on sparse autoencoders, 2011; `Pretraining` says what is minimised).
 * Its encoder becomes the first layer of a classifier: AE400-10 of Szegedy et al. (2013), section 4.
 */
import type { Scalar, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Pretraining } from '../../shared/experiments/train-classifier.ts'
import type { Step, Tfjs } from '../engines/engine.ts'
import type { Graph, GraphLayer } from '../network/graph.ts'
import { inputRange } from '../network/preprocess.ts'
import { walkUp } from '../network/walk.ts'
import { RandomStream } from '../random.ts'
import { inputShape } from '../experiments/network-input.ts'
import type { HostTensors } from './checkpoint.ts'
import {
  member,
  updateWeights,
  type BatchOptimiser,
  type OptimiserState,
  type StepScalars,
  type Tensors,
} from './optimiser.ts'

/** `kernel` and `bias` encode, `backKernel` and `backBias` decode. */
export type AutoencoderInputs = {
  weights: Tensors
  state: OptimiserState
  scalars: StepScalars
  /** `[batch, height, width, channels]` in network space. */
  images: Tensor4D
  lossSum: Scalar
  activitySum: Scalar
}

/** The sums grow by the loss of the batch and by the mean activation of its units. */
export type AutoencoderOutputs = Omit<AutoencoderInputs, 'scalars' | 'images'>

/** At the start units are off and outputs dark. */
const CODE_BIAS = -1
const OUTPUT_BIAS = -2

/**
 * The layer whose weights the autoencoder learns: the first one with weights.
 * @throws ConvScopeError 'invalid-input' where it is not a dense layer with bias under a sigmoid, or pixels are not within 0…1
 */
export function encoderOf(graph: Graph): GraphLayer {
  const refuse = (reason: string): never => {
    throw new ConvScopeError('invalid-input', `${graph.spec.name} cannot begin with a sparse autoencoder: ${reason}`, {
      remedy: 'Leave the pretraining out, or choose ae400-10.',
    })
  }
  const encoder = graph.layers.find(({ parameters }) => parameters.length > 0)
  if (encoder?.spec.type !== 'dense' || !encoder.spec.bias) return refuse('its first layer with weights is not dense')
  const follower = graph.layers.find(({ inputs }) => inputs.includes(encoder.name))
  if (follower?.spec.type !== 'sigmoid') return refuse(`${encoder.name} has no sigmoid after it`)
  const { low, high } = inputRange(graph.spec.preprocessing, inputShape(graph.spec))
  if (low.some((value) => value < 0) || high.some((value) => value > 1))
    return refuse('its pixels are not within 0 and 1')
  return encoder
}

/** Kernels uniform in ± sqrt(6 / (in + out)) (Glorot & Bengio 2010, equation 16). */
export function initialAutoencoder({ parameters }: GraphLayer, seed: number): HostTensors {
  const [inputs = 0, units = 0] = parameters.find(({ name }) => name === 'kernel')?.shape ?? []
  const bound = Math.sqrt(6 / (inputs + units))
  const kernel = (shape: readonly [number, number], index: number): HostTensors[string] => {
    const stream = new RandomStream(seed, 'pretraining', 0, index)
    const data = Float32Array.from({ length: shape[0] * shape[1] }, () => bound * (2 * stream.uniform() - 1))
    return { dtype: 'F32', shape: [...shape], data }
  }
  const constant = (length: number, value: number): HostTensors[string] => ({
    dtype: 'F32',
    shape: [length],
    data: new Float32Array(length).fill(value),
  })
  return {
    kernel: kernel([inputs, units], 0),
    bias: constant(units, CODE_BIAS),
    backKernel: kernel([units, inputs], 1),
    backBias: constant(inputs, OUTPUT_BIAS),
  }
}

/** One update on one batch. */
export function autoencoderStep(
  tf: Tfjs,
  graph: Graph,
  optimiser: BatchOptimiser,
  pretraining: Pretraining,
): Step<AutoencoderInputs, AutoencoderOutputs> {
  const [below] = encoderOf(graph).inputs
  return ({ weights, state, scalars, images, lossSum, activitySum }) => {
    const mode = { training: false, saving: false }
    const x = Object.values(walkUp(tf, graph, {}, images, { to: below, mode }).outputs)[0] as Tensor2D
    const { loss, gradients, activity } = autoencoderLoss(tf, weights, x, pretraining)
    const next = updateWeights(tf, optimiser, weights, gradients, state, scalars)
    const sums: Pick<AutoencoderOutputs, 'lossSum' | 'activitySum'> = {
      lossSum: tf.add(lossSum, loss),
      activitySum: tf.add(activitySum, activity),
    }
    activity.dispose()
    return { ...next, ...sums }
  }
}

/**
 * What `Pretraining` says is minimised, over a batch `[batch, inputs]` of values 0…1.
 * @returns `activity`: the mean over units and pictures, which the caller disposes
 */
export function autoencoderLoss(
  tf: Tfjs,
  weights: Tensors,
  x: Tensor2D,
  { activity: wanted, sparsityWeight, lambda }: Pretraining,
): { loss: Scalar; gradients: Tensors; activity: Scalar } {
  const names = Object.keys(weights)
  const means: Scalar[] = []
  const withGradients = tf.valueAndGrads((...values: Tensor[]) => {
    const current = Object.fromEntries(names.map((name, index) => [name, values[index] as Tensor]))
    const kernel = member(current, 'kernel') as Tensor2D
    const backKernel = member(current, 'backKernel') as Tensor2D
    const code: Tensor2D = tf.sigmoid(tf.add(tf.matMul(x, kernel), member(current, 'bias')))
    const output = tf.sigmoid(tf.add(tf.matMul(code, backKernel), member(current, 'backBias')))
    const mean = tf.mean(code, 0)
    // Kept past the tape, which frees what it does not return.
    means.push(tf.keep(tf.mean(mean)))
    const divergence = tf.add(
      tf.mul(wanted, tf.log(tf.div(wanted, mean))),
      tf.mul(1 - wanted, tf.log(tf.div(1 - wanted, tf.sub(1, mean)))),
    )
    const error = tf.div(tf.sum(tf.square(tf.sub(output, x))), 2 * x.shape[0])
    const size = tf.add(tf.sum(tf.square(kernel)), tf.sum(tf.square(backKernel)))
    return tf.addN([error, tf.mul(sparsityWeight, tf.sum(divergence)), tf.mul(lambda / 2, size)]) as Scalar
  })
  const { value, grads } = withGradients(names.map((name) => member(weights, name)))
  const gradients = Object.fromEntries(names.map((name, index) => [name, grads[index] as Tensor]))
  const activity = means[0] as Scalar
  return { loss: value as Scalar, gradients, activity }
}
