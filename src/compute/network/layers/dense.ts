/** y = x · kernel + bias with the kernel `[in, units]`. */
import type { Tensor2D } from '@tensorflow/tfjs'
import { need, only, type LayerImplementation, type ParameterSpec, type Shape } from '../layer.ts'

export const dense: LayerImplementation<'dense'> = {
  outputShape(spec, inputShapes) {
    inputUnits(inputShapes)
    return [spec.units]
  },
  receptiveField: () => 'global',
  parameters(spec, inputShapes): ParameterSpec[] {
    const fanIn = inputUnits(inputShapes)
    const kernel = { name: 'kernel', shape: [fanIn, spec.units], trainable: true, fanIn }
    return spec.bias ? [kernel, { name: 'bias', shape: [spec.units], trainable: true, fanIn }] : [kernel]
  },
  forward({ tf, spec, weights }, inputs) {
    const product = tf.matMul(only(inputs) as Tensor2D, need(weights, 'kernel') as Tensor2D)
    return { output: spec.bias ? tf.add(product, need(weights, 'bias')) : product }
  },
  backward({ tf, weights }, signal) {
    return [tf.matMul(signal as Tensor2D, need(weights, 'kernel') as Tensor2D, false, true)]
  },
}

function inputUnits(inputShapes: readonly Shape[]): number {
  const shape = only(inputShapes)
  const [units] = shape
  if (units === undefined || shape.length !== 1)
    throw new RangeError(`takes [units], not [${shape.join(', ')}]; put a flatten layer before it`)
  return units
}
