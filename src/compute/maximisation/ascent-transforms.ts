/**
 * Random transforms of the picture before the network looks at it (lucid's `transform`: jitter, scale, rotate), so that what it becomes does
 * not depend on single pixels. One bilinear look at the turned, enlarged and moved picture, with the mean outside; its gradient is the
 * transpose of that.
 */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import type { AscentSettings } from '../../shared/experiments/ascent-settings.ts'
import type { Tfjs } from '../engines/engine.ts'
import { RandomStream } from '../random.ts'

/** Pixels that every pixel of the transformed picture is made of. */
const NEIGHBOURS = 4

export type AscentTransforms = {
  /**
   * Int32 `[4 * batch * height * width]`: for each of the four neighbours of each pixel, where it lies in `[batch * height * width]`; their
   * number for what lies outside.
   */
  readonly places: Tensor1D
  /** `[4 * batch * height * width, 1]`: how much of it. */
  readonly shares: Tensor2D
}

/** `moved` `[row, column]` in pixels, enlarged by `scale` and turned by `angle` (radians, anticlockwise) around the middle. */
export interface Transform {
  readonly moved: readonly [number, number]
  readonly scale: number
  readonly angle: number
}

export const UNCHANGED: Transform = { moved: [0, 0], scale: 1, angle: 0 }

export type TransformRanges = Pick<AscentSettings, 'jitterPixels' | 'scaleRange' | 'rotationDegrees'>

export function isTransformed({ jitterPixels, scaleRange, rotationDegrees }: TransformRanges): boolean {
  return jitterPixels > 0 || scaleRange > 0 || rotationDegrees > 0
}

/** The transform of an iteration; depends on nothing but the seed, the number of the start, the iteration and the ranges. */
export function drawTransform(ranges: TransformRanges, seed: number, start: number, step: number): Transform {
  const random = new RandomStream(seed, 'transforms', start, step)
  const pixels = (): number => Math.floor(random.uniform() * (2 * ranges.jitterPixels + 1)) - ranges.jitterPixels
  const around = (reach: number): number => (2 * random.uniform() - 1) * reach
  return {
    moved: [pixels(), pixels()],
    scale: 1 + around(ranges.scaleRange),
    angle: (around(ranges.rotationDegrees) * Math.PI) / 180,
  }
}

/** @param transforms one a picture */
export function transformTensors(
  tf: Tfjs,
  height: number,
  width: number,
  transforms: readonly Transform[],
): AscentTransforms {
  const size = height * width
  const total = transforms.length * size
  const places = new Int32Array(NEIGHBOURS * total).fill(total)
  const shares = new Float32Array(NEIGHBOURS * total)
  const [middleRow, middleColumn] = [(height - 1) / 2, (width - 1) / 2]
  for (const [picture, { moved, scale, angle }] of transforms.entries()) {
    const [across, along] = [Math.cos(angle) / scale, Math.sin(angle) / scale]
    for (let pixel = 0; pixel < size; pixel++) {
      const down = Math.floor(pixel / width) - middleRow - moved[0]
      const right = (pixel % width) - middleColumn - moved[1]
      const row = middleRow + across * down + along * right
      const column = middleColumn - along * down + across * right
      const [top, left] = [Math.floor(row), Math.floor(column)]
      for (let neighbour = 0; neighbour < NEIGHBOURS; neighbour++) {
        const [y, x] = [top + (neighbour >> 1), left + (neighbour & 1)]
        const share = (1 - Math.abs(row - y)) * (1 - Math.abs(column - x))
        if (share <= 0 || y < 0 || x < 0 || y >= height || x >= width) continue
        const at = neighbour * total + picture * size + pixel
        places[at] = picture * size + y * width + x
        shares[at] = share
      }
    }
  }
  return { places: tf.tensor1d(places, 'int32'), shares: tf.tensor2d(shares, [places.length, 1]) }
}

/** The transformed pictures. @param pictures `[batch * height * width, channels]` */
export function transformed(tf: Tfjs, pictures: Tensor2D, { places, shares }: AscentTransforms): Tensor2D {
  const [pixels, channels] = pictures.shape
  const withOutside = tf.concat([pictures, tf.fill([1, channels], 0)], 0) as Tensor2D
  const parts = tf.mul(tf.gather(withOutside, places), shares)
  return tf.sum(tf.reshape(parts, [NEIGHBOURS, pixels, channels]), 0)
}

/** The gradient by the pictures of a gradient by the transformed pictures, both `[batch * height * width, channels]`. */
export function transformedBack(tf: Tfjs, gradient: Tensor2D, { places, shares }: AscentTransforms): Tensor2D {
  const [pixels, channels] = gradient.shape
  const parts = tf.mul(tf.tile(gradient, [NEIGHBOURS, 1]), shares)
  const sums: Tensor2D = tf.scatterND(tf.reshape(places, [places.size, 1]), parts, [pixels + 1, channels])
  return tf.slice(sums, [0, 0], [pixels, channels])
}
