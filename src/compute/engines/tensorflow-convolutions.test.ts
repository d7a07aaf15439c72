import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { describeOnTensorflow, difference } from './compiled/testing/on-tensorflow.ts'
import { noiseSource } from './conformity/conformity-case.ts'
import { convolutionGeometry, filterGradient, gainsForInput, inputGradient } from './tensorflow-convolutions.ts'
import { withStockKernels } from './stock-kernels.ts'
import { type NodeBackend } from './tensorflow-kernels.ts'

type Shape4D = [number, number, number, number]

describeOnTensorflow('gradients of convolutions as convolutions', (engine) => {
  const noise = (shape: readonly number[], seed: number): Tensor4D => {
    const next = noiseSource(seed)
    const count = shape.reduce((product, size) => product * size, 1)
    return engine().tf.tensor4d(Float32Array.from({ length: count }, next), shape as Shape4D)
  }

  test.each<[input: Shape4D, filter: Shape4D, stride: number, pad: 'same' | 'valid']>([
    [[2, 9, 7, 3], [3, 3, 3, 5], 1, 'same'],
    [[2, 9, 7, 3], [4, 2, 3, 5], 1, 'same'],
    [[1, 8, 8, 2], [3, 3, 2, 4], 1, 'valid'],
    [[3, 8, 8, 4], [4, 4, 4, 6], 2, 'same'],
    [[3, 9, 7, 4], [5, 5, 4, 6], 2, 'same'],
    [[3, 9, 7, 4], [3, 3, 4, 6], 2, 'same'],
    // The last row and column are seen by no window.
    [[2, 10, 11, 3], [3, 3, 3, 2], 4, 'valid'],
    [[1, 31, 31, 3], [11, 11, 3, 8], 4, 'valid'],
    [[4, 6, 6, 3], [2, 2, 3, 4], 3, 'same'],
    [[64, 4, 4, 32], [4, 4, 32, 32], 2, 'same'],
    [[64, 12, 12, 32], [3, 3, 32, 32], 1, 'same'],
  ])('input %j, filter %j, stride %i, %s', (inputShape, filterShape, stride, pad) => {
    const { tf } = engine()
    const backend = tf.backend() as unknown as NodeBackend
    const before = engine().memory().tensors
    const geometry = convolutionGeometry(tf, inputShape, filterShape, [stride, stride], pad)
    const [x, filter, dy] = [noise(inputShape, 1), noise(filterShape, 2), noise(geometry.outputShape, 3)]
    const stock = withStockKernels(() => [
      tf.grad((image) => tf.conv2d(image as Tensor4D, filter, stride, pad))(x, dy),
      tf.grad((weights) => tf.conv2d(x, weights as Tensor4D, stride, pad))(filter, dy),
    ])
    const own: Tensor[] = [
      inputGradient(tf, backend, dy, filter, geometry),
      filterGradient(tf, backend, x, dy, geometry),
    ]
    for (const [index, gradient] of own.entries()) {
      expect(difference(gradient, stock[index] ?? gradient).relative).toBeLessThan(5e-6)
    }
    tf.dispose([x, filter, dy, ...stock, ...own])
    expect(engine().memory().tensors).toBe(before)
  })

  test('only shapes that gain are replaced', () => {
    const { tf } = engine()
    const gains = (input: Shape4D, filter: Shape4D, stride: number, pad: 'same' | 'valid'): boolean =>
      gainsForInput(convolutionGeometry(tf, input, filter, [stride, stride], pad))
    expect(gains([1, 224, 224, 64], [3, 3, 64, 64], 1, 'same')).toBe(true)
    expect(gains([128, 4, 4, 64], [4, 4, 64, 128], 2, 'same')).toBe(true)
    expect(gains([1, 224, 224, 3], [3, 3, 3, 64], 1, 'same')).toBe(false)
    expect(gains([128, 12, 12, 32], [5, 5, 32, 64], 1, 'valid')).toBe(false)
    expect(gains([1, 56, 56, 64], [1, 1, 64, 64], 1, 'same')).toBe(false)
    // Padded before, as networks of this program do it.
    expect(gains([1, 114, 114, 64], [3, 3, 64, 64], 1, 'valid')).toBe(true)
    expect(gains([32, 7, 7, 256], [3, 3, 256, 384], 1, 'valid')).toBe(true)
    expect(gains([32, 19, 19, 48], [5, 5, 48, 128], 1, 'valid')).toBe(false)
  })
})
