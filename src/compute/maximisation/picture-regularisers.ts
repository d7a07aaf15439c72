/** Regularisers that look at whole pictures, by the engine's own kernels where it has some. Pictures are `[batch, height * width * channels]`. */
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs'
import type { Tfjs } from '../engines/engine.ts'
import { blurPictures, keepLargest, type KeepLargestInputs, type PictureShape } from '../engines/picture-operations.ts'
import { valueAt } from './order-statistics.ts'

/** Matrices `[batch, height, height]` and `[batch, width, width]`; see `blurMatrix`. */
export type BlurMatrices = {
  readonly rows: Tensor3D
  readonly columns: Tensor3D
}

/** Rows first, then columns. */
export function blurred(tf: Tfjs, pictures: Tensor2D, shape: PictureShape, matrices: BlurMatrices): Tensor2D {
  return blurPictures(tf, { pictures, ...matrices }, shape) ?? composedBlur(tf, pictures, shape, matrices)
}

/** Pixels whose measure is less than the one of the given rank become 0. */
export function keptFrom(tf: Tfjs, inputs: KeepLargestInputs, shape: PictureShape): Tensor2D {
  return keepLargest(tf, inputs, shape) ?? composedKeep(tf, inputs, shape)
}

export function composedBlur(
  tf: Tfjs,
  pictures: Tensor2D,
  [batch, height, width, channels]: PictureShape,
  { rows, columns }: BlurMatrices,
): Tensor2D {
  const down = tf.matMul(rows, tf.reshape(pictures, [batch, height, width * channels]))
  const turned = tf.transpose(tf.reshape(down, [batch, height, width, channels]), [0, 2, 1, 3])
  const across = tf.matMul(columns, tf.reshape(turned, [batch, width, height * channels]))
  return tf.reshape(tf.transpose(tf.reshape(across, [batch, width, height, channels]), [0, 2, 1, 3]), pictures.shape)
}

export function composedKeep(
  tf: Tfjs,
  { pictures, factors, rank }: KeepLargestInputs,
  [batch, height, width, channels]: PictureShape,
): Tensor2D {
  const pixels = height * width
  const terms = factors === undefined ? tf.square(pictures) : tf.mul(factors, pictures)
  // Sums over a few channels, and a value spread over them, are quickest as products with ones.
  const sum = tf.matMul(tf.reshape(terms, [batch * pixels, channels]), tf.ones([channels, 1]))
  const values: Tensor2D = tf.reshape(factors === undefined ? sum : tf.abs(sum), [batch, pixels])
  const threshold: Tensor1D = valueAt(tf, values, rank)
  const kept = tf.cast(tf.greaterEqual(values, tf.reshape(threshold, [batch, 1])), 'float32')
  const spread = tf.matMul(tf.reshape(kept, [batch * pixels, 1]), tf.ones([1, channels]))
  return tf.mul(pictures, tf.reshape(spread, pictures.shape))
}
