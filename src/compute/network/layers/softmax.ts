/** exp(x) / sum of exp(x) over the last axis (units, or channels at every place). */
import { elementwise, need, only, type LayerImplementation } from '../layer.ts'

export const softmax: LayerImplementation<'softmax'> = {
  ...elementwise,
  forward({ tf }, inputs, mode) {
    const output = tf.softmax(only(inputs))
    return mode.saving && !mode.training ? { output, saved: { output } } : { output }
  },
  backward({ tf }, signal, saved) {
    const output = need(saved, 'output')
    return [tf.mul(output, tf.sub(signal, tf.sum(tf.mul(signal, output), -1, true)))]
  },
}
