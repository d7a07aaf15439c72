/** `[height, width, channels]` → `[units]`, in the order h, w, c or (weights of Caffe, torch and ONNX) c, h, w. */
import type { Tensor4D } from '@tensorflow/tfjs'
import { only, POINTWISE, type LayerImplementation } from '../layer.ts'

export const flatten: LayerImplementation<'flatten'> = {
  outputShape: (_spec, inputShapes) => [only(inputShapes).reduce((product, size) => product * size, 1)],
  // A unit after it still reads one place, but its index no longer says which.
  receptiveField: (_spec, inputShapes) => (only(inputShapes).length === 1 ? POINTWISE : 'global'),
  parameters: () => [],
  forward({ tf, spec, inputShapes, outputShape }, inputs) {
    const x = only(inputs)
    const ordered =
      spec.order === 'chw' && only(inputShapes).length === 3 ? tf.transpose(x as Tensor4D, [0, 3, 1, 2]) : x
    return { output: tf.reshape(ordered, [-1, ...outputShape]) }
  },
  backward({ tf, spec, inputShapes }, signal) {
    const shape = only(inputShapes)
    const [height, width, channels] = shape
    if (spec.order === 'hwc' || height === undefined || width === undefined || channels === undefined) {
      return [tf.reshape(signal, [-1, ...shape])]
    }
    return [tf.transpose(tf.reshape(signal, [-1, channels, height, width]), [0, 2, 3, 1])]
  },
}
