/** max(0, x). */
import { activationLayer, isPositive, positivePart } from '../rectifier.ts'

export const relu = activationLayer<'relu'>({
  value: (tf, x) => tf.relu(x),
  from: 'output',
  derivative: isPositive,
  rectify: positivePart,
  libraryGradient: true,
})
