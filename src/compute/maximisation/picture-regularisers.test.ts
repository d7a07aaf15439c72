/** The engine's own kernels against the operations that they replace. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { describeOnTensorflow, difference } from '../engines/compiled/testing/on-tensorflow.ts'
import { blurPictures, keepLargest, type PictureShape } from '../engines/picture-operations.ts'
import { RandomStream } from '../random.ts'
import { blurMatrix } from './gaussian-blur.ts'
import { composedBlur, composedKeep } from './picture-regularisers.ts'

const SHAPES: readonly PictureShape[] = [
  [1, 9, 7, 3],
  [3, 17, 8, 3],
  [2, 30, 33, 1],
  [2, 5, 6, 4],
  // So large that the operations count instead of sorting, which takes long.
  [1, 101, 100, 3],
]

describeOnTensorflow('regularisers of whole pictures', (engine) => {
  const unlessAvailable = (skip: (reason: string) => void): void => {
    if (!engine().identity.kernels.includes('+addon')) skip('this processor has no AVX2 with FMA')
  }
  const noise = (shape: PictureShape, seed: number, edit = (value: number): number => value): Tensor2D => {
    const random = new RandomStream(seed, 'start')
    const [batch, ...rest] = shape
    const size = rest.reduce((product, length) => product * length, 1)
    const values = Float32Array.from({ length: batch * size }, () => edit(100 * random.normal()))
    return engine().tf.tensor2d(values, [batch, size])
  }

  test.for(SHAPES)('keep the same pixels bit for bit, pictures of %j', (shape, { skip }) => {
    unlessAvailable(skip)
    const { tf } = engine()
    const [batch, height, width] = shape
    const before = engine().memory().tensors
    // As they are, with many equal measures, with measures below the smallest, and with mostly zeros.
    const edits = [
      undefined,
      Math.round,
      (value: number): number => value * 1e-21,
      (value: number) => Math.max(0, value),
    ]
    for (const [index, edit] of edits.slice(height > 100 ? 2 : 0).entries()) {
      const [pictures, factors] = [noise(shape, index, edit), noise(shape, 10 + index, edit)]
      for (const part of [0, 0.5, 1]) {
        const ranks = Float32Array.from({ length: batch }, (_, row) => Math.floor(part * (height * width - 1 - row)))
        const rank = tf.tensor1d(ranks)
        for (const inputs of [
          { pictures, rank },
          { pictures, factors, rank },
        ]) {
          const own = tf.tidy(() => keepLargest(tf, inputs, shape) ?? tf.zeros([1]))
          const expected = tf.tidy(() => composedKeep(tf, inputs, shape))
          expect(difference(own, expected).identical).toBe(true)
          tf.dispose([own, expected])
        }
        rank.dispose()
      }
      tf.dispose([pictures, factors])
    }
    expect(engine().memory().tensors).toBe(before)
  })

  test('what is no number stays none, and infinite measures are the largest', ({ skip }) => {
    unlessAvailable(skip)
    const { tf } = engine()
    const pictures = tf.tensor2d([[1, NaN, 3, Infinity, -2, 0.5]])
    const kept = (place: number): number[] => {
      const rank: Tensor1D = tf.tensor1d([place])
      const result = tf.tidy(() => keepLargest(tf, { pictures, rank }, [1, 2, 3, 1]) ?? tf.zeros([1]))
      const values = [...result.dataSync()]
      tf.dispose([rank, result])
      return values
    }
    expect(kept(2)).toEqual([0, NaN, 3, Infinity, -2, 0])
    expect(kept(3)).toEqual([0, NaN, 3, Infinity, -0, 0])
    expect(kept(4)).toEqual([0, NaN, 0, Infinity, -0, 0])
    expect(kept(5)).toEqual([0, NaN, 0, Infinity, -0, 0])
    pictures.dispose()
  })

  test.for(SHAPES)('blur alike, pictures of %j', (shape, { skip }) => {
    unlessAvailable(skip)
    const { tf } = engine()
    const [batch, height, width] = shape
    const before = engine().memory().tensors
    const pictures = noise(shape, 3)
    for (const sigma of [0, 0.3, 1, 2.6, 40]) {
      const matrices = (size: number): Tensor3D => {
        const all = Array.from({ length: batch }, (_, row) => [...blurMatrix(size, sigma * (1 + row))])
        return tf.tensor3d(all.flat(), [batch, size, size])
      }
      const own = { rows: matrices(height), columns: matrices(width) }
      const got: Tensor = tf.tidy(() => blurPictures(tf, { pictures, ...own }, shape) ?? tf.zeros([1]))
      const expected = tf.tidy(() => composedBlur(tf, pictures, shape, own))
      expect(difference(got, expected).relative).toBeLessThan(1e-6)
      tf.dispose([got, expected, own.rows, own.columns])
    }
    pictures.dispose()
    expect(engine().memory().tensors).toBe(before)
  })
})
