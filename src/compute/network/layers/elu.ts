/** x where x > 0, else `alpha * (exp(x) - 1)`. */
import { activationLayer, isPositive, positivePart } from '../rectifier.ts'

export const elu = activationLayer<'elu'>({
  value: (tf, x, { alpha }) => tf.add(tf.relu(x), tf.mul(tf.expm1(tf.neg(tf.relu(tf.neg(x)))), alpha)),
  from: 'output',
  derivative: (tf, y, { alpha }) => {
    const positive = isPositive(tf, y)
    return tf.add(positive, tf.mul(tf.sub(1, positive), tf.add(y, alpha)))
  },
  rectify: positivePart,
  libraryGradient: false,
})
