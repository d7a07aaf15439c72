/** Average pooling. The divisor of a window that reaches over the edge is the layer's choice (Caffe, torch and TensorFlow differ). */
import type { Tensor4D } from '@tensorflow/tfjs'
import type { LayerOf } from '../../../shared/network/spec.ts'
import { mapShape, only, type LayerImplementation, type TensorFlow } from '../layer.ts'
import { padForWindows, sumInCells, windowsOf, type AxisWindows, type Windows } from '../windows.ts'
import { poolingGeometry } from './pooling-geometry.ts'

export const avgPool: LayerImplementation<'avg-pool'> = {
  ...poolingGeometry,
  forward({ tf, spec, inputShapes }, inputs, mode) {
    const [height, width] = mapShape(inputShapes)
    const windows = windowsOf(spec, height, width)
    const shares = sharesOf(tf, spec, windows)
    const pool = (x: Tensor4D): Tensor4D => {
      const mean = tf.avgPool(padForWindows(tf, x, windows, 0), spec.kernel, spec.stride, 'valid')
      return shares === undefined ? mean : tf.mul(mean, tf.mul(shares, spec.kernel[0] * spec.kernel[1]))
    }
    const x = only(inputs) as Tensor4D
    if (!mode.training) return { output: pool(x) }
    // Not every engine has the gradient of its own average pooling for every stride and padding.
    const differentiable = tf.customGrad((input) => ({
      value: pool(input as Tensor4D),
      gradFunc: (signal) => spread(tf, spec, windows, signal as Tensor4D),
    }))
    return { output: differentiable(x) }
  },
  backward({ tf, spec, inputShapes }, signal) {
    const [height, width] = mapShape(inputShapes)
    return [spread(tf, spec, windowsOf(spec, height, width), signal as Tensor4D)]
  },
}

function spread(tf: TensorFlow, spec: LayerOf<'avg-pool'>, windows: Windows, signal: Tensor4D): Tensor4D {
  const shares = sharesOf(tf, spec, windows)
  const sent: Tensor4D = tf.mul(signal, shares ?? 1 / (spec.kernel[0] * spec.kernel[1]))
  return sumInCells(tf, windows, () => sent)
}

/** 1 / divisor of every window, `[1, rows, columns, 1]`; undefined where all windows are divided by the kernel's size. */
function sharesOf(tf: TensorFlow, spec: LayerOf<'avg-pool'>, { rows, columns }: Windows): Tensor4D | undefined {
  const heights = divisors(rows, spec.divisor)
  const widths = divisors(columns, spec.divisor)
  if (heights.every((height) => height === rows.kernel) && widths.every((width) => width === columns.kernel))
    return undefined
  const shares = heights.flatMap((height) => widths.map((width) => 1 / (height * width)))
  return tf.tensor4d(shares, [1, rows.output, columns.output, 1])
}

function divisors(axis: AxisWindows, divisor: LayerOf<'avg-pool'>['divisor']): number[] {
  return Array.from({ length: axis.output }, (_, window) => {
    const start = window * axis.stride - axis.before
    const end = start + axis.kernel
    if (divisor === 'kernel') return axis.kernel
    if (divisor === 'caffe') return Math.min(end, axis.input + axis.after) - start
    return Math.min(end, axis.input) - Math.max(start, 0)
  })
}
