/** min(max(0, x), 6). */
import { activationLayer, isPositive, positivePart } from '../rectifier.ts'

export const relu6 = activationLayer<'relu6'>({
  value: (tf, x) => tf.relu6(x),
  from: 'output',
  derivative: (tf, y) => tf.mul(isPositive(tf, y), tf.cast(tf.less(y, 6), 'float32')),
  rectify: positivePart,
  libraryGradient: false,
})
