/** Operations on whole pictures that tfjs lacks. Some engines have kernels for them; elsewhere they are composed by whoever needs them. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'

export const KEEP_LARGEST = 'ConvScopeKeepLargest'
export const BLUR = 'ConvScopeBlur'

export type PictureShape = readonly [batch: number, height: number, width: number, channels: number]

export interface KeepLargestInputs {
  /** `[batch, height * width * channels]` */
  readonly pictures: Tensor2D
  /** With these the measure of a pixel is the size of the sum of their products with the picture; without, the sum of squares. */
  readonly factors?: Tensor2D | undefined
  /** `[batch]`: of the smallest measure that stays, in ascending order, 0 … pixels − 1; measures below 2^-102 count as 0. */
  readonly rank: Tensor1D
}

export interface BlurInputs {
  readonly pictures: Tensor2D
  /** `[batch, height, height]` and `[batch, width, width]`; products with their zeros are left out. */
  readonly rows: Tensor3D
  readonly columns: Tensor3D
}

/** Pictures times 0 where a pixel's measure is less than the one of the given rank, else times 1; undefined where the engine has no kernel. */
export function keepLargest(tf: Tfjs, inputs: KeepLargestInputs, shape: PictureShape): Tensor2D | undefined {
  const { pictures, factors, rank } = inputs
  return run(tf, KEEP_LARGEST, factors === undefined ? { pictures, rank } : { pictures, factors, rank }, shape)
}

/** Each picture's rows, then its columns multiplied with its matrices; undefined where the engine has no kernel. */
export function blurPictures(
  tf: Tfjs,
  { pictures, rows, columns }: BlurInputs,
  shape: PictureShape,
): Tensor2D | undefined {
  return run(tf, BLUR, { pictures, rows, columns }, shape)
}

function run(tf: Tfjs, name: string, inputs: Record<string, Tensor>, shape: PictureShape): Tensor2D | undefined {
  const known: object | undefined = tf.getKernel(name, tf.getBackend())
  return known && tf.engine().runKernel<Tensor2D>(name, inputs, { shape: [...shape] })
}
