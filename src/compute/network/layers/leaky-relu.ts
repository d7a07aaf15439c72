/** x where x > 0, else `slope * x`. */
import { activationLayer } from '../rectifier.ts'
import type { Tensor, TensorFlow } from '../layer.ts'

const leaky = (tf: TensorFlow, x: Tensor, slope: number): Tensor =>
  tf.sub(tf.relu(x), tf.mul(tf.relu(tf.neg(x)), slope))

export const leakyRelu = activationLayer<'leaky-relu'>({
  value: (tf, x, { slope }) => leaky(tf, x, slope),
  from: 'input',
  derivative: (tf, x, { slope }) => tf.add(tf.mul(tf.cast(tf.greater(x, 0), 'float32'), 1 - slope), slope),
  rectify: (tf, signal, { slope }) => leaky(tf, signal, slope),
  libraryGradient: false,
})
