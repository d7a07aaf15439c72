/**
 * Batch normalisation over all axes but the last (Ioffe & Szegedy 2015): y = (x - mean) / sqrt(variance + epsilon) · scale + shift, with
 * stored statistics or, in training, those of the batch (variance with divisor n; for the stored one, divisor n - 1, as torch has it).
 * Down: the same factor, without the shift.
 */
import type { Tensor1D } from '@tensorflow/tfjs'
import {
  channelsOf,
  elementwise,
  need,
  only,
  type LayerContext,
  type LayerImplementation,
  type LayerResult,
  type Tensor,
  type TensorFlow,
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
    if (mode.training) return byTheBatch(context, x)
    const scaled = tf.mul(tf.sub(x, need(weights, 'mean')), factorOf(context))
    return { output: spec.shift ? tf.add(scaled, need(weights, 'shift')) : scaled }
  },
  backward(context, signal) {
    return [context.tf.mul(signal, factorOf(context))]
  },
}

function factorOf({ tf, spec, weights }: LayerContext<'batch-norm'>): Tensor1D {
  const factor = tf.rsqrt(tf.add(need(weights, 'variance'), spec.epsilon))
  return (spec.scale ? tf.mul(factor, need(weights, 'scale')) : factor) as Tensor1D
}

/** Normalised by its own statistics; the gradient goes through them (section 3 of the paper). */
function byTheBatch({ tf, spec, weights }: LayerContext<'batch-norm'>, x: Tensor): LayerResult {
  const channels = channelsOf(x.shape)
  const count = x.size / channels
  const mean = tf.div(sumOverPictures(tf, x), count)
  const variance = tf.div(sumOverPictures(tf, tf.square(tf.sub(x, mean))), count)
  const factor = tf.rsqrt(tf.add(variance, spec.epsilon))
  const scale = spec.scale ? need(weights, 'scale') : tf.ones([channels])
  const shift = spec.shift ? need(weights, 'shift') : tf.zeros([channels])
  const normalise = tf.customGrad((input, scaling, shifting, save) => {
    if (typeof save !== 'function') throw new TypeError('unexpected arguments of a custom gradient')
    const normal = tf.mul(tf.sub(input as Tensor, mean), factor)
    save([normal, tf.mul(factor, scaling as Tensor)])
    return {
      value: tf.add(tf.mul(normal, scaling as Tensor), shifting as Tensor),
      gradFunc: (signal, saved) => {
        const [own, total] = saved as [Tensor, Tensor]
        const forShift = sumOverPictures(tf, signal)
        const forScale = sumOverPictures(tf, tf.mul(signal, own))
        const common = tf.add(tf.div(forShift, count), tf.mul(own, tf.div(forScale, count)))
        return [tf.mul(tf.sub(signal, common), total), forScale, forShift]
      },
    }
  })
  const output = normalise(x, scale, shift)
  return { output, statistics: { mean, variance: tf.mul(variance, count / Math.max(count - 1, 1)) } }
}

/** One axis after the other: sums of float32 that are added up in one go lose digits on engines that add in order. */
function sumOverPictures(tf: TensorFlow, x: Tensor): Tensor {
  let sums: Tensor = x
  while (sums.rank > 1) sums = tf.sum<Tensor>(sums, sums.rank - 2)
  return sums
}
