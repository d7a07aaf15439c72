/** The addon's own operations against tfjs-node's kernels, and lists of numbers that make no sense. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { describeOnTensorflow, difference } from './compiled/testing/on-tensorflow.ts'
import { noiseSource } from './conformity/conformity-case.ts'
import { BLUR, KEEP_LARGEST } from './picture-operations.ts'
import { convolutionGeometry } from './tensorflow-convolutions.ts'
import { withStockKernels } from './stock-kernels.ts'
import { type NodeBackend } from './tensorflow-kernels.ts'
import {
  CONVOLUTION,
  CONVOLUTION_FILTER_GRADIENT,
  CONVOLUTION_INPUT_GRADIENT,
  ELEMENTWISE,
  FEW_ROWS,
  convolutionNumbers,
  fewRowsNumbers,
  gainsFromOwnKernels,
  ownAttributes,
  productGeometry,
  runConvolution,
} from './tensorflow-own-operations.ts'

type Shape4D = [number, number, number, number]

/** Of the largest number of a result. */
const TOLERANCE = 5e-6

describeOnTensorflow("the addon's own operations", (engine) => {
  const backend = (): NodeBackend => engine().tf.backend() as unknown as NodeBackend
  const available = (): boolean => engine().identity.kernels.endsWith('+addon')
  const noise = (shape: readonly number[], seed: number): Tensor => {
    const next = noiseSource(seed)
    const count = shape.reduce((product, size) => product * size, 1)
    return engine().tf.tensor(Float32Array.from({ length: count }, next), [...shape])
  }
  const unlessAvailable = (skip: (reason: string) => void): void => {
    if (!available()) skip('this processor has no AVX2 with FMA')
  }

  test.for<[input: Shape4D, filter: Shape4D, stride: number, pad: 'same' | 'valid']>([
    [[2, 9, 7, 3], [3, 3, 3, 5], 1, 'same'],
    [[2, 9, 7, 3], [4, 2, 3, 17], 1, 'same'],
    [[5, 8, 8, 2], [3, 3, 2, 8], 1, 'valid'],
    [[3, 8, 8, 9], [4, 4, 9, 6], 2, 'same'],
    [[3, 9, 7, 4], [5, 5, 4, 33], 2, 'same'],
    // A filter smaller than its stride sees nothing of some rows and columns; the last ones are seen by no window.
    [[2, 10, 11, 3], [1, 1, 3, 2], 2, 'same'],
    [[2, 10, 11, 3], [3, 3, 3, 12], 4, 'valid'],
    [[1, 31, 31, 3], [11, 11, 3, 8], 4, 'valid'],
    [[70, 4, 4, 16], [4, 4, 16, 24], 2, 'same'],
    [[1, 1, 1, 40], [1, 1, 40, 71], 1, 'valid'],
    [[3, 1, 1, 13], [1, 1, 13, 100], 1, 'valid'],
    [[19, 1, 1, 300], [1, 1, 300, 10], 1, 'valid'],
  ])('input %j, filter %j, stride %i, %s', ([inputShape, filterShape, stride, pad], { skip }) => {
    unlessAvailable(skip)
    const { tf } = engine()
    const before = engine().memory().tensors
    const geometry = convolutionGeometry(tf, inputShape, filterShape, [stride, stride], pad)
    const [x, filter] = [noise(inputShape, 1) as Tensor4D, noise(filterShape, 2) as Tensor4D]
    const dy = noise(geometry.outputShape, 3)
    const stock = withStockKernels(() => [
      tf.conv2d(x, filter, stride, pad),
      tf.grad((image) => tf.conv2d(image as Tensor4D, filter, stride, pad))(x, dy),
      tf.grad((weights) => tf.conv2d(x, weights as Tensor4D, stride, pad))(filter, dy),
    ])
    const own = [
      runConvolution(backend(), CONVOLUTION, [x, filter], geometry, geometry.outputShape),
      runConvolution(backend(), CONVOLUTION_INPUT_GRADIENT, [dy, filter], geometry, inputShape),
      runConvolution(backend(), CONVOLUTION_FILTER_GRADIENT, [x, dy], geometry, filterShape),
    ]
    for (const [index, result] of own.entries()) {
      expect(difference(result, stock[index] ?? result).relative).toBeLessThan(TOLERANCE)
    }
    tf.dispose([x, filter, dy, ...stock, ...own])
    expect(engine().memory().tensors).toBe(before)
  })

  test('products with and without transposition are those of other kernels, for few and many rows', () => {
    const { tf } = engine()
    for (const rows of [1, 2, 3, 4, 50]) {
      const matrix = noise([33, 19], 2) as Tensor2D
      const pairs: [Tensor, Tensor, boolean, boolean][] = [
        [noise([rows, 33], 1), matrix, false, false],
        [noise([rows, 19], 1), matrix, false, true],
        [noise([rows, 33], 1), noise([rows, 19], 3), true, false],
        [noise([33, rows], 1), noise([19, 33], 3), true, true],
      ]
      for (const [a, b, transposeA, transposeB] of pairs) {
        const product = (): Tensor => tf.matMul(a, b, transposeA, transposeB)
        const [got, expected] = [product(), withStockKernels(product)]
        expect(difference(got, expected).relative).toBeLessThan(TOLERANCE)
        tf.dispose([a, got, expected])
      }
    }
  })

  test('a few rows times a large matrix, and times the transposed one', ({ skip }) => {
    unlessAvailable(skip)
    const { tf } = engine()
    const [lines, columns] = [1203, 459]
    const matrix = noise([lines, columns], 2) as Tensor2D
    for (const rows of [1, 2, 3, 10]) {
      for (const transposed of [false, true]) {
        expect(fewRowsNumbers(rows, [lines, columns], transposed)).toBeDefined()
        const x = noise([rows, transposed ? columns : lines], 1) as Tensor2D
        const product = (): Tensor => tf.matMul(x, matrix, false, transposed)
        const [got, expected] = [product(), withStockKernels(product)]
        expect(difference(got, expected).relative).toBeLessThan(TOLERANCE)
        tf.dispose([x, got, expected])
      }
    }
    expect(fewRowsNumbers(17, [lines, columns], false)).toBeUndefined()
    expect(fewRowsNumbers(65, [lines, columns], true)).toBeUndefined()
    expect(fewRowsNumbers(1, [512, 1024], false)).toBeUndefined()
    matrix.dispose()
  })

  test('lines of a matrix that count for nothing are not read', ({ skip }) => {
    unlessAvailable(skip)
    const { tf } = engine()
    const sizes: [number, number] = [1203, 459]
    const poisoned = noise(sizes, 2).arraySync() as number[][]
    const clean = poisoned.map((line) => [...line])
    for (let line = 0; line < sizes[0]; line += 3) poisoned[line]?.fill(NaN)
    const [matrix, whole] = [tf.tensor2d(poisoned), tf.tensor2d(clean)]
    const unread = tf.tensor1d(clean.map((_, line) => (line % 3 === 0 ? 0 : 1)))
    const run = (transposed: boolean, inputs: readonly Tensor[]): Tensor => {
      const attributes = ownAttributes(
        backend().binding,
        inputs.length,
        fewRowsNumbers(2, sizes, transposed, true) ?? [],
      )
      return backend().executeSingleOutput(FEW_ROWS, attributes, inputs) as Tensor
    }
    const x = tf.mul(noise([2, sizes[0]], 1), unread) as Tensor2D
    expect(difference(run(false, [x, matrix]), tf.matMul(x, whole)).relative).toBeLessThan(TOLERANCE)
    const dy = noise([2, sizes[1]], 3) as Tensor2D
    const wanted = tf.tile(tf.reshape(tf.sub(unread, 0.5), [1, -1]), [2, 1])
    const masked = tf.mul(tf.matMul(dy, whole, false, true), unread)
    expect(difference(run(true, [dy, matrix, wanted]), masked).relative).toBeLessThan(TOLERANCE)
    // A signal that is not finite is seen everywhere.
    const broken = tf.mul(dy, NaN)
    expect([...run(true, [broken, whole, wanted]).dataSync()].every(Number.isNaN)).toBe(true)
    expect(() => run(true, [dy, matrix])).toThrow('an input is missing')
  })

  test('gradients agree with finite differences', () => {
    const { tf } = engine()
    const [x, filter] = [noise([16, 6, 6, 3], 1) as Tensor4D, noise([4, 4, 3, 5], 2) as Tensor4D]
    const loss = (image: Tensor, weights: Tensor): Tensor =>
      tf.sum(tf.square(tf.conv2d(image as Tensor4D, weights as Tensor4D, 2, 'same')))
    for (const [index, gradient] of tf.grads(loss)([x, filter]).entries()) {
      const direction = noise(gradient.shape, 5)
      const along = (step: number): number => {
        const moved = [x, filter].map((tensor, at) =>
          at === index ? tf.add(tensor, tf.mul(direction, step)) : tensor,
        ) as [Tensor, Tensor]
        return loss(...moved).dataSync()[0] ?? NaN
      }
      // The loss is a square, so the central difference has no error but rounding.
      const expected = (along(0.5) - along(-0.5)) / 1
      const got = tf.sum(tf.mul(gradient, direction)).dataSync()[0] ?? NaN
      expect(Math.abs(got - expected)).toBeLessThan(2e-4 * Math.abs(expected) + 1e-2)
    }
  })

  test('lists of numbers that do not fit are errors', ({ skip }) => {
    unlessAvailable(skip)
    const x = noise([4, 3], 1)
    const run = (
      operation: string,
      numbers: readonly number[],
      inputs: readonly Tensor[],
      outputs?: number,
    ): Tensor => {
      const { binding } = backend()
      const more = outputs === undefined ? [] : [{ name: 'M', type: binding.TF_ATTR_INT, value: outputs }]
      const attributes = [...ownAttributes(binding, inputs.length, numbers), ...more]
      return backend().executeSingleOutput(operation, attributes, inputs) as Tensor
    }
    const geometry = productGeometry(4, 3, 2)
    if (geometry === undefined) throw new Error('the product has no geometry')
    const numbers = convolutionNumbers(geometry, [4, 2])
    const matrix = noise([3, 2], 2)
    expect(run(CONVOLUTION, numbers, [x, matrix]).shape).toEqual([4, 2])
    for (const wrong of [
      [],
      numbers.slice(1),
      [...numbers, 1],
      [9, ...numbers.slice(1)],
      numbers.with(2, 5),
      numbers.with(4, 0),
    ])
      expect(() => run(CONVOLUTION, wrong, [x, matrix])).toThrow('makes no sense')
    expect(() => run(CONVOLUTION, numbers, [x, x])).toThrow('input 1 is not 6 numbers')
    expect(() => run(CONVOLUTION, numbers, [x])).toThrow('an input is missing')
    // Rank, shape, columns; one input, whole; no buffer; one instruction: place 1 = -place 0; one output.
    const program = [2, 4, 3, 1, 1, 0, 0, 1, 6, 1, 0, 0, 1]
    expect(difference(run(ELEMENTWISE, program, [x], 1), engine().tf.neg(x)).identical).toBe(true)
    for (const wrong of [
      [],
      program.slice(1),
      [...program, 1],
      program.with(8, 99),
      program.with(9, 0),
      program.with(10, 1),
      program.with(3, 5),
    ])
      expect(() => run(ELEMENTWISE, wrong, [x], 1)).toThrow('makes no sense')
    expect(() => run(ELEMENTWISE, program, [matrix], 1)).toThrow('input 0 is not 12 numbers')
    const product = [2, 4, 2, 4, 3, 2, 0, 0]
    expect(run(FEW_ROWS, product, [x, matrix]).shape).toEqual([4, 2])
    for (const wrong of [
      [],
      product.slice(1),
      [...product, 0],
      product.with(0, -1),
      product.with(2, 3),
      product.with(6, 2),
    ])
      expect(() => run(FEW_ROWS, wrong, [x, matrix])).toThrow('makes no sense')
    for (const operation of [KEEP_LARGEST, BLUR])
      for (const wrong of [[], [4, 1, 3], [4, 0, 3, 1], [4, 1, 2 ** 20, 1], [4, 1, 3, -1]])
        expect(() => run(operation, wrong, [x])).toThrow('makes no sense')
    expect(() => run(KEEP_LARGEST, [4, 1, 3, 0], [x])).toThrow('an input is missing')
    expect(() => run(BLUR, [4, 1, 3, 1], [x, x, x])).toThrow('input 0 is not 4 numbers')
  })

  test('batches with small filters gain, large filters and single pictures do not', () => {
    const gains = (input: Shape4D, filter: Shape4D): boolean =>
      gainsFromOwnKernels(convolutionGeometry(engine().tf, input, filter, [1, 1], 'same'))
    expect(gains([128, 8, 8, 32], [4, 4, 32, 64])).toBe(true)
    expect(gains([1, 8, 8, 32], [4, 4, 32, 64])).toBe(false)
    expect(gains([128, 8, 8, 512], [3, 3, 512, 512])).toBe(false)
    expect(productGeometry(1, 9216, 4096)).toBeUndefined()
    expect(productGeometry(0, 3, 4)).toBeUndefined()
    expect(productGeometry(2 ** 24, 1, 1)).toBeUndefined()
  })
})
