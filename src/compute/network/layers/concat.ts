/** Inputs of one height and width with their channels (or units) side by side. Down: the signal is split the same way. */
import { channelsOf, POINTWISE, type LayerImplementation, type Tensor } from '../layer.ts'

export const concat: LayerImplementation<'concat'> = {
  outputShape(_spec, inputShapes) {
    const [first, ...others] = inputShapes
    if (first === undefined || others.length === 0) throw new RangeError('takes two inputs or more')
    const place = first.slice(0, -1)
    const different = others.find(
      (shape) => shape.slice(0, -1).join() !== place.join() || shape.length !== first.length,
    )
    if (different !== undefined) {
      throw new RangeError(`its inputs have different sizes, [${first.join(', ')}] and [${different.join(', ')}]`)
    }
    return [...place, inputShapes.reduce((sum, shape) => sum + channelsOf(shape), 0)]
  },
  receptiveField: () => POINTWISE,
  parameters: () => [],
  forward({ tf }, inputs) {
    return { output: tf.concat([...inputs], -1) }
  },
  backward: ({ tf, inputShapes }, signal) => tf.split(signal, inputShapes.map(channelsOf), -1) as Tensor[],
}
