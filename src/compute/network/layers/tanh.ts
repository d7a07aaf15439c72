/** Hyperbolic tangent. */
import { activationLayer } from '../rectifier.ts'

export const tanh = activationLayer<'tanh'>({
  value: (tf, x) => tf.tanh(x),
  from: 'output',
  derivative: (tf, y) => tf.sub(1, tf.square(y)),
  libraryGradient: true,
})
