/** Sum of inputs of one shape. Down: every input gets the signal. */
import { POINTWISE, type LayerImplementation, type Tensor } from '../layer.ts'

export const add: LayerImplementation<'add'> = {
  outputShape(_spec, inputShapes) {
    const [first, ...others] = inputShapes
    if (first === undefined || others.length === 0) throw new RangeError('takes two inputs or more')
    const different = others.find((shape) => shape.join() !== first.join())
    if (different !== undefined) {
      throw new RangeError(`its inputs have different shapes, [${first.join(', ')}] and [${different.join(', ')}]`)
    }
    return first
  },
  receptiveField: () => POINTWISE,
  parameters: () => [],
  forward({ tf }, inputs) {
    return { output: inputs.reduce((sum: Tensor, input) => tf.add(sum, input)) }
  },
  backward: ({ inputShapes }, signal) => inputShapes.map(() => signal),
}
