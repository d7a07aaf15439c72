/** The picture as the network takes it: `[height, width, channels]` after preprocessing. */
import { POINTWISE, type LayerImplementation } from '../layer.ts'

export const input: LayerImplementation<'input'> = {
  outputShape: (spec) => spec.shape,
  receptiveField: () => POINTWISE,
  parameters: () => [],
  forward() {
    throw new Error('the input layer is given its value')
  },
  backward: () => [],
}
