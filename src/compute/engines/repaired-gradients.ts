/** Gradients that tfjs 4.22 has wrong on every backend but TensorFlow's. The conformity table shows them. */
import type { Tensor } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'
import { attribute, pairAttribute } from './kernel-registry.ts'

/** Cells of the image under each window, relative to the size of the window: [1, outHeight, outWidth, 1], or undefined where all are full. */
function coverage(
  tf: Tfjs,
  inputShape: Tensor['shape'],
  attrs: Parameters<ReturnType<Tfjs['getGradient']>['gradFunc']>[2],
): Tensor | undefined {
  const info = tf.backend_util.computePool2DInfo(
    inputShape as [number, number, number, number],
    [...pairAttribute(attrs['filterSize'])] as [number, number],
    [...pairAttribute(attrs['strides'])] as [number, number],
    1,
    attribute<'valid'>(attrs, 'pad'),
    attribute<'floor'>(attrs, 'dimRoundingMode'),
  )
  const along = (out: number, stride: number, before: number, window: number, size: number): number[] =>
    Array.from({ length: out }, (_, index) => {
      const first = index * stride - before
      return (Math.min(size, first + window) - Math.max(0, first)) / window
    })
  const rows = along(info.outHeight, info.strideHeight, info.padInfo.top, info.filterHeight, info.inHeight)
  const columns = along(info.outWidth, info.strideWidth, info.padInfo.left, info.filterWidth, info.inWidth)
  if ([...rows, ...columns].every((part) => part === 1)) return undefined
  return tf.mul(tf.tensor4d(rows, [1, rows.length, 1, 1]), tf.tensor4d(columns, [1, 1, columns.length, 1]))
}

/**
 * Average pooling with padding divides by the cells inside the image, but its gradient divides by the whole window. Call once for a process; where
 * TensorFlow is the active backend, whose gradient is right, nothing changes.
 */
export function repairGradients(tf: Tfjs): void {
  const stock = tf.getGradient('AvgPool')
  tf.unregisterGradient('AvgPool')
  tf.registerGradient({
    ...stock,
    gradFunc: (dy, saved, attrs) => {
      const [x] = saved
      if (Array.isArray(dy) || x === undefined || tf.getBackend() === 'tensorflow')
        return stock.gradFunc(dy, saved, attrs)
      const covered = coverage(tf, x.shape, attrs)
      return stock.gradFunc(covered === undefined ? dy : tf.div(dy, covered), saved, attrs)
    },
  })
}
