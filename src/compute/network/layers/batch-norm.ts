/**
 * Batch normalisation over all axes but the last: y = (x - mean) / sqrt(variance + epsilon) · scale + shift, with stored statistics or,
 * in training, those of the batch (variance with divisor n; for the stored one, divisor n - 1, as torch has it). Down: the same factor,
 * without the shift.
 */
import type { Tensor1D } from '@tensorflow/tfjs'
import {
  channelsOf,
  elementwise,
  need,
  only,
  type LayerContext,
  type LayerImplementation,
  type Tensor,
} from '../layer.ts'

export const batchNorm: LayerImplementation<'batch-norm'> = {
  ...elementwise,
  parameters(spec, inputShapes) {
    const shape = [channelsOf(only(inputShapes))]
    return [
      ...(spec.scale ? [{ name: 'scale', shape, trainable: true }] : []),
      ...(spec.shift ? [{ name: 'shift', shape, trainable: true }] : []),
      { name: 'mean', shape, trainable: false },
      { name: 'variance', shape, trainable: false },
    ]
  },
  forward(context, inputs, mode) {
    const { tf, spec, weights } = context
    const x = only(inputs)
    const axes = x.shape.slice(0, -1).map((_, axis) => axis)
    const { mean, variance } = mode.training
      ? tf.moments(x, axes)
      : { mean: need(weights, 'mean'), variance: need(weights, 'variance') }
    const values = x.size / channelsOf(x.shape)
    const scaled = tf.mul(tf.sub(x, mean), factorOf(context, variance))
    const output = spec.shift ? tf.add(scaled, need(weights, 'shift')) : scaled
    if (!mode.training) return { output }
    return { output, statistics: { mean, variance: tf.mul(variance, values / Math.max(values - 1, 1)) } }
  },
  backward(context, signal) {
    return [context.tf.mul(signal, factorOf(context, need(context.weights, 'variance')))]
  },
}

function factorOf({ tf, spec, weights }: LayerContext<'batch-norm'>, variance: Tensor): Tensor1D {
  const factor = tf.rsqrt(tf.add(variance, spec.epsilon))
  return (spec.scale ? tf.mul(factor, need(weights, 'scale')) : factor) as Tensor1D
}
