/** x · Φ(x) with the normal distribution function Φ, exactly or by its usual approximation with tanh (Hendrycks & Gimpel 2016). */
import { activationLayer, positivePart } from '../rectifier.ts'
import type { Tensor, TensorFlow } from '../layer.ts'

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI)
const CUBIC = 0.044715

const normalCdf = (tf: TensorFlow, x: Tensor): Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)
const tanhTerm = (tf: TensorFlow, x: Tensor): Tensor =>
  tf.tanh(tf.mul(tf.mul(x, tf.add(tf.mul(tf.square(x), CUBIC), 1)), SQRT_2_OVER_PI))

export const gelu = activationLayer<'gelu'>({
  value: (tf, x, { approximation }) =>
    approximation === 'none' ? tf.mul(x, normalCdf(tf, x)) : tf.mul(tf.mul(x, 0.5), tf.add(tanhTerm(tf, x), 1)),
  from: 'input',
  derivative: (tf, x, { approximation }) => {
    if (approximation === 'none') {
      const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return tf.add(normalCdf(tf, x), tf.mul(x, density))
    }
    const term = tanhTerm(tf, x)
    const inner = tf.mul(tf.add(tf.mul(tf.square(x), 3 * CUBIC), 1), SQRT_2_OVER_PI)
    const slope = tf.mul(tf.mul(x, tf.sub(1, tf.square(term))), inner)
    return tf.mul(tf.add(tf.add(term, 1), slope), 0.5)
  },
  rectify: positivePart,
  libraryGradient: false,
})
