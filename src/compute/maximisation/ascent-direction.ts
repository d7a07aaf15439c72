/**
 * The direction of a step in another parameterisation of the picture (lucid's `fft_image` and `to_valid_rgb`; Olah, Mordvintsev & Schubert,
 * "Feature Visualization", Distill 2017, section "Preconditioning and parameterization"). Where a picture is x = A z with a matrix A, a
 * gradient step on z moves x along A Aᵀ g. So the picture stays what is kept, and every regulariser works as before. Not lucid's: its sigmoid
 * instead of clipping, and Adam.
 */
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import type { Tfjs } from '../engines/engine.ts'
import { frequencyAmplitudes } from './frequencies.ts'

export type AscentDirection = {
  /** Hartley matrices `[height, height]` and `[width, width]`, and squared amplitudes `[batch, 1, width, height]`; or nothing. */
  readonly fourier: readonly { readonly rows: Tensor2D; readonly columns: Tensor2D; readonly powers: Tensor4D }[]
  /** Of each picture C Cᵀ, `[batch, channels, channels]`; or nothing. */
  readonly colour: readonly Tensor3D[]
}

/** lucid's square root of the covariance of ImageNet's colours, RGB (`color_correlation_svd_sqrt`). */
const COLOURS = [
  [0.26, 0.09, 0.02],
  [0.27, 0.0, -0.05],
  [0.27, -0.09, 0.03],
] as const

/** A Aᵀ times the gradient, `[batch, height * width * channels]`. */
export function directed(
  tf: Tfjs,
  slope: Tensor2D,
  [batch, height, width, channels]: readonly [number, number, number, number],
  { fourier: [fourier], colour: [colour] }: AscentDirection,
): Tensor2D {
  let direction = slope
  if (colour !== undefined) {
    const pixels: Tensor3D = tf.reshape(direction, [batch, height * width, channels])
    direction = tf.reshape(tf.matMul(pixels, colour), slope.shape)
  }
  if (fourier === undefined) return direction
  const { rows, columns, powers } = fourier
  // Lines of one colour, so that every transform is one product: along the width, turned, along the height, and back.
  const planes = tf.transpose(tf.reshape(direction, [batch, height, width, channels]), [0, 3, 1, 2])
  const across = tf.matMul(tf.reshape(planes, [batch * channels * height, width]), columns)
  const turned = tf.transpose(tf.reshape(across, [batch, channels, height, width]), [0, 1, 3, 2])
  const waves = tf.matMul(tf.reshape(turned, [batch * channels * width, height]), rows)
  const weighted = tf.mul(tf.reshape(waves, [batch, channels, width, height]), powers)
  const down = tf.matMul(tf.reshape(weighted, [batch * channels * width, height]), rows)
  const upright = tf.transpose(tf.reshape(down, [batch, channels, width, height]), [0, 1, 3, 2])
  const back = tf.matMul(tf.reshape(upright, [batch * channels * height, width]), columns)
  return tf.reshape(tf.transpose(tf.reshape(back, [batch, channels, height, width]), [0, 2, 3, 1]), slope.shape)
}

/** Squared amplitudes of each picture for its power of 1 / f, turned: `[batch, 1, width, height]`. */
export function squaredAmplitudes(height: number, width: number, powers: readonly number[]): Float32Array {
  const values = new Float32Array(powers.length * height * width)
  for (const [picture, power] of powers.entries()) {
    const amplitudes = frequencyAmplitudes(height, width, power)
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        values[(picture * width + column) * height + row] = (amplitudes[row * width + column] ?? 0) ** 2
      }
    }
  }
  return values
}

/**
 * C Cᵀ of lucid's colours, row-major, scaled so that its trace is that of the identity; the identity where it is off.
 * @param order of the network's channels
 */
export function colourMatrix(isDecorrelated: boolean, channels: number, order: 'rgb' | 'bgr' | 'grey'): number[] {
  const channel = (index: number): readonly number[] => COLOURS[order === 'bgr' ? 2 - index : index] ?? []
  const product = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
  const trace = COLOURS.reduce((sum, row) => sum + product(row, row), 0)
  return Array.from({ length: channels * channels }, (_, place) => {
    const [row, column] = [Math.floor(place / channels), place % channels]
    if (!isDecorrelated) return row === column ? 1 : 0
    return (channels / trace) * product(channel(row), channel(column))
  })
}
