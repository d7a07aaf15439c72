/** The mean of every channel: `[height, width, channels]` → `[channels]`. */
import { mapShape, only, type LayerImplementation } from '../layer.ts'

export const globalAvgPool: LayerImplementation<'global-avg-pool'> = {
  outputShape: (_spec, inputShapes) => [mapShape(inputShapes)[2]],
  receptiveField: () => 'global',
  parameters: () => [],
  forward({ tf }, inputs) {
    return { output: tf.mean(only(inputs), [1, 2]) }
  },
  backward({ tf, inputShapes }, signal) {
    const [height, width, channels] = mapShape(inputShapes)
    const share = tf.reshape(tf.div(signal, height * width), [-1, 1, 1, channels])
    return [tf.tile(share, [1, height, width, 1])]
  },
}
