/** The addon's kernels for walks against the same walks composed of TensorFlow's operations. */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { GRADIENT_RULES, type BackwardRules } from '../../../shared/network/rules.ts'
import { LayerSpec, type LayerOf, type Padding } from '../../../shared/network/spec.ts'
import { describeOnTensorflow, difference } from '../../engines/compiled/testing/on-tensorflow.ts'
import { noiseSource } from '../../engines/conformity/conformity-case.ts'
import { withStockKernels } from '../../engines/stock-kernels.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import type { LayerContext } from '../layer.ts'
import { conv2d } from './conv2d.ts'
import { maxPool } from './max-pool.ts'

/** Of the largest number of a result. */
const TOLERANCE = 5e-6

describeOnTensorflow('kernels of the addon for walks', (engine) => {
  const noise = (shape: readonly number[], seed: number): Tensor => {
    const next = noiseSource(seed)
    return engine().tf.tensor(Float32Array.from({ length: sizeOf(shape) }, next), [...shape])
  }
  const unlessAvailable = (skip: (reason: string) => void): void => {
    if (!engine().identity.kernels.endsWith('+addon')) skip('this processor has no AVX2 with FMA')
  }

  interface Pool {
    readonly shape: readonly [number, number, number]
    readonly kernel: [number, number]
    readonly stride: [number, number]
    readonly padding?: Padding
    readonly rounding?: 'floor' | 'ceil'
    readonly pictures?: number
    readonly signals?: number
  }

  test.for<Pool>([
    { shape: [9, 7, 3], kernel: [3, 3], stride: [2, 2] },
    { shape: [8, 8, 70], kernel: [2, 2], stride: [2, 2], signals: 3 },
    { shape: [8, 9, 130], kernel: [3, 2], stride: [2, 1] },
    {
      shape: [7, 7, 5],
      kernel: [3, 3],
      stride: [2, 2],
      rounding: 'ceil',
      padding: [1, 1, 1, 1],
      pictures: 5,
      signals: 5,
    },
    { shape: [6, 5, 1], kernel: [3, 3], stride: [1, 1], padding: 'same', signals: 6 },
    { shape: [8, 8, 8], kernel: [2, 2], stride: [3, 3], pictures: 2, signals: 2 },
  ])(
    'pooling %j',
    ({ shape, kernel, stride, padding = 'valid', rounding = 'floor', pictures = 1, signals = 1 }, { skip }) => {
      unlessAvailable(skip)
      const { tf } = engine()
      const spec = LayerSpec.parse({
        name: 'p',
        type: 'max-pool',
        kernel,
        stride,
        padding,
        rounding,
      }) as LayerOf<'max-pool'>
      const outputShape = maxPool.outputShape(spec, [shape])
      const context: LayerContext<'max-pool'> = { tf, spec, inputShapes: [shape], outputShape, weights: {} }
      // Few different values: ties in most windows.
      const x = tf.round(tf.mul(noise([pictures, ...shape], 1), 2))
      const up = (): Tensor[] => {
        const { output, saved } = maxPool.forward(context, [x], { training: false, saving: true })
        return [output, saved?.['winners'] ?? x]
      }
      const [output, winners] = up()
      expect(difference([output, winners] as Tensor[], withStockKernels(up)).relative).toBe(0)
      const signal = noise([signals, ...outputShape], 2)
      for (const unpool of ['sum', 'overwrite', 'max'] as const) {
        const rules: BackwardRules = { ...GRADIENT_RULES, unpool }
        const down = (): Tensor[] => [...maxPool.backward(context, signal, { winners: winners as Tensor }, rules)]
        expect(difference(down(), withStockKernels(down)).relative).toBeLessThan(TOLERANCE)
      }
    },
  )

  interface Convolution {
    readonly shape: readonly [number, number, number]
    readonly kernel: [number, number]
    readonly filters: number
    readonly stride?: [number, number]
    readonly padding?: Padding
    readonly groups?: number
    readonly signals?: number
  }

  test.for<Convolution>([
    { shape: [9, 7, 3], kernel: [3, 3], filters: 5 },
    { shape: [31, 29, 3], kernel: [11, 11], filters: 20, stride: [4, 4] },
    { shape: [13, 13, 24], kernel: [5, 5], filters: 16, padding: 'same', groups: 2, signals: 5 },
    { shape: [6, 6, 33], kernel: [3, 3], filters: 9, padding: [1, 1, 1, 1], signals: 2 },
    { shape: [8, 10, 1], kernel: [1, 1], filters: 3, stride: [2, 2], signals: 4 },
    { shape: [1, 12, 7], kernel: [1, 4], filters: 8, stride: [1, 3] },
  ])(
    'the gradient of %j by its input',
    ({ shape, kernel, filters, stride = [1, 1], padding = 'valid', groups = 1, signals = 1 }, { skip }) => {
      unlessAvailable(skip)
      const { tf } = engine()
      const written = { name: 'c', type: 'conv2d', kernel, filters, stride, padding, groups, bias: false }
      const spec = LayerSpec.parse(written) as LayerOf<'conv2d'>
      const outputShape = conv2d.outputShape(spec, [shape])
      const weights = { kernel: noise([...kernel, shape[2] / groups, filters], 1) }
      const context: LayerContext<'conv2d'> = { tf, spec, inputShapes: [shape], outputShape, weights, sparse: true }
      const dense = noise([signals, ...outputShape], 2)
      // None, one in eight, all.
      for (const [index, least] of [2, 0.75, -2].entries()) {
        const signal = tf.mul(dense, tf.cast(tf.greater(dense, least), 'float32'))
        const down = (): Tensor[] => [...conv2d.backward(context, signal, {}, GRADIENT_RULES)]
        const got = down()
        expect(difference(got, withStockKernels(down)).relative).toBeLessThan(TOLERANCE)
        expect(index === 0).toBe((tf.max(tf.abs(got[0] ?? dense)).dataSync()[0] ?? 0) === 0)
      }
      const broken = tf.mul(dense, NaN)
      expect(conv2d.backward(context, broken, {}, GRADIENT_RULES)[0]?.dataSync().some(Number.isNaN)).toBe(true)
    },
  )

  test.for<[size: number, kernel: number, stride: number, pad: 'same' | 'valid']>([
    [8, 3, 1, 'same'],
    [9, 5, 1, 'same'],
    [13, 4, 2, 'same'],
    [12, 3, 2, 'valid'],
  ])(
    'the tape of %i cells, kernel %i, stride %i, %s, behind a max pooling',
    async ([size, kernel, stride, pad], { skip }) => {
      unlessAvailable(skip)
      const { tf } = engine()
      const filter = noise([kernel, kernel, 3, 20], 1) as Tensor4D
      const x = noise([2, size, size, 3], 2) as Tensor4D
      const loss = (image: Tensor): Tensor => {
        const mapped = tf.relu(tf.conv2d(image as Tensor4D, filter, stride, pad))
        return tf.sum(tf.square(tf.maxPool(mapped, 2, 2, 'valid')))
      }
      const gradient = (): Tensor => tf.grad(loss)(x)
      expect(difference(gradient(), withStockKernels(gradient)).relative).toBeLessThan(TOLERANCE)
      const { kernelNames } = await tf.profile(gradient)
      expect(kernelNames).toContain('ConvScopeSparseInputGradient')
    },
  )

  test('numbers and tensors that do not fit are errors', ({ skip }) => {
    unlessAvailable(skip)
    const { tf } = engine()
    const maps = noise([1, 4, 4, 2], 1)
    const run = (name: string, inputs: Record<string, Tensor>, numbers: readonly number[]) => () =>
      tf.engine().runKernel(name, inputs, { numbers: [...numbers] })
    const pool = [1, 4, 4, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 1]
    for (const wrong of [
      [],
      pool.slice(1),
      [0, ...pool.slice(1)],
      [...pool.slice(0, 12), 3, 1],
      [...pool.slice(0, 13), 2],
    ])
      expect(run('ConvScopeMaxPool', { x: maps }, wrong)).toThrow('makes no sense')
    expect(run('ConvScopeMaxPool', { x: noise([1, 4, 3, 2], 1) }, pool)).toThrow('input 0 is not 32 numbers')
    const small = noise([1, 2, 2, 2], 1)
    expect(run('ConvScopeUnpool', { signal: small, switches: maps }, pool)).toThrow('input 1 is not 8 numbers')
    const convolution = [0, 4, 1, 4, 4, 2, 1, 4, 4, 2, 2, 2, 3, 1, 1, 0, 0, 3, 3]
    const signal = noise([1, 3, 3, 3], 1)
    expect(run('ConvScopeSparseInputGradient', { signal, taps: maps }, convolution)).toThrow(
      'input 1 is not 48 numbers',
    )
    expect(run('ConvScopeSparseInputGradient', { signal, taps: maps }, [1, ...convolution.slice(1)])).toThrow(
      'makes no sense',
    )
  })
})
