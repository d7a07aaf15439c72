/** Rows and columns of one value around the maps. */
import type { Tensor4D } from '@tensorflow/tfjs'
import { mapShape, only, type AxisReach, type LayerImplementation } from '../layer.ts'

export const padding: LayerImplementation<'padding'> = {
  outputShape({ amounts: [top, bottom, left, right] }, inputShapes) {
    const [height, width, channels] = mapShape(inputShapes)
    return [height + top + bottom, width + left + right, channels]
  },
  receptiveField: ({ amounts: [top, , left] }) => ({ rows: shifted(top), columns: shifted(left) }),
  parameters: () => [],
  forward({ tf, spec }, inputs) {
    const [top, bottom, left, right] = spec.amounts
    return {
      output: tf.pad(
        only(inputs) as Tensor4D,
        [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ],
        spec.value,
      ),
    }
  },
  backward({ tf, spec, inputShapes }, signal) {
    const [top, , left] = spec.amounts
    const [height, width, channels] = mapShape(inputShapes)
    const maps = signal as Tensor4D
    return [tf.slice(maps, [0, top, left, 0], [maps.shape[0], height, width, channels])]
  },
}

function shifted(before: number): AxisReach {
  return { size: 1, stride: 1, offset: -before, reach: (from, to) => [from - before, to - before] }
}
