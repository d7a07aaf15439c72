/** The largest value of every channel: `[height, width, channels]` → `[channels]`. The first maximum in row-major order wins. */
import type { Tensor3D } from '@tensorflow/tfjs'
import { mapShape, need, only, type LayerImplementation } from '../layer.ts'

export const globalMaxPool: LayerImplementation<'global-max-pool'> = {
  outputShape: (_spec, inputShapes) => [mapShape(inputShapes)[2]],
  receptiveField: () => 'global',
  parameters: () => [],
  forward({ tf, inputShapes }, inputs, mode) {
    const [height, width, channels] = mapShape(inputShapes)
    const cells = tf.reshape(only(inputs), [-1, height * width, channels])
    const output = tf.max(cells, 1)
    if (mode.training || !mode.saving) return { output }
    const places = tf.tensor3d(
      Array.from({ length: height * width }, (_, place) => place),
      [1, height * width, 1],
    )
    const isLargest = tf.equal(cells, tf.expandDims(output, 1))
    const winner = tf.min(tf.where(isLargest, places, height * width), 1, true)
    return { output, saved: { winner } }
  },
  backward({ tf, inputShapes }, signal, saved) {
    const [height, width, channels] = mapShape(inputShapes)
    const places = tf.tensor3d(
      Array.from({ length: height * width }, (_, place) => place),
      [1, height * width, 1],
    )
    const selected = tf.cast(tf.equal(need(saved, 'winner') as Tensor3D, places), 'float32')
    return [tf.reshape(tf.mul(tf.expandDims(signal, 1), selected), [-1, height, width, channels])]
  },
}
