/** Kernels with zeros between their cells. */
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import type { TensorFlow } from './layer.ts'

/** `[height, width, in, out]` → `[(height - 1) * rows + 1, (width - 1) * columns + 1, in, out]`. Differentiable. */
export function dilateKernel(tf: TensorFlow, kernel: Tensor4D, rows: number, columns: number): Tensor4D {
  if (rows === 1 && columns === 1) return kernel
  const [height, width, input, output] = kernel.shape
  const wide = stuff(tf, tf.reshape(kernel, [height, width, input * output]), columns)
  const high = stuff(tf, tf.reshape(wide, [1, height, wide.shape[1] * input * output]), rows)
  return tf.reshape(high, [high.shape[1], wide.shape[1], input, output])
}

/** Puts `factor - 1` zeros between neighbours of the middle axis. */
function stuff(tf: TensorFlow, x: Tensor3D, factor: number): Tensor3D {
  const [outer, size, inner] = x.shape
  if (factor === 1) return x
  const lone: Tensor3D = tf.reshape(x, [outer * size, 1, inner])
  const spread: Tensor3D = tf.reshape(
    tf.pad(lone, [
      [0, 0],
      [0, factor - 1],
      [0, 0],
    ]),
    [outer, size * factor, inner],
  )
  return tf.slice(spread, [0, 0, 0], [outer, (size - 1) * factor + 1, inner])
}
