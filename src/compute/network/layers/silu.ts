/** x · sigmoid(x), also called swish. */
import { activationLayer, positivePart } from '../rectifier.ts'

export const silu = activationLayer<'silu'>({
  value: (tf, x) => tf.mul(x, tf.sigmoid(x)),
  from: 'input',
  derivative: (tf, x) => {
    const sigmoid = tf.sigmoid(x)
    return tf.mul(sigmoid, tf.add(tf.mul(x, tf.sub(1, sigmoid)), 1))
  },
  rectify: positivePart,
  libraryGradient: false,
})
