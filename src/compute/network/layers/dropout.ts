/** In training a mask that is given (0 or 1 / (1 - rate)) multiplies the units; otherwise nothing happens. */
import { elementwise, need, only, type LayerImplementation } from '../layer.ts'

export const dropout: LayerImplementation<'dropout'> = {
  ...elementwise,
  forward({ tf, spec }, inputs, mode) {
    const x = only(inputs)
    return { output: mode.training && spec.rate > 0 ? tf.mul(x, need(mode.masks ?? {}, spec.name)) : x }
  },
  backward: (_context, signal) => [signal],
}
