/** 1 / (1 + exp(-x)). */
import { activationLayer } from '../rectifier.ts'

export const sigmoid = activationLayer<'sigmoid'>({
  value: (tf, x) => tf.sigmoid(x),
  from: 'output',
  derivative: (tf, y) => tf.mul(y, tf.sub(1, y)),
  libraryGradient: true,
})
