/** A few operations and gradients with known results, run before an engine is trusted. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Engine } from './engine.ts'

interface SmokeCase {
  readonly name: string
  /** Returns the tensor to check. Runs inside `tf.tidy`. */
  run(tf: Engine['tf']): Tensor
  readonly expected: readonly number[]
}

const CASES: readonly SmokeCase[] = [
  {
    name: 'matrix product',
    run: (tf) => tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2]), false, true),
    expected: [17, 23, 39, 53],
  },
  {
    name: 'convolution',
    run: (tf) =>
      tf.conv2d(
        tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]),
        tf.tensor4d([1, 2, 3, 4], [2, 2, 1, 1]),
        1,
        'valid',
      ),
    expected: [37, 47, 67, 77],
  },
  {
    name: 'input gradient of a convolution with stride 2',
    run: (tf) =>
      tf.grad((x) => tf.conv2d(x as Tensor4D, tf.tensor4d([1, 2, 3, 4], [2, 2, 1, 1]), 2, 'valid'))(
        tf.zeros([1, 4, 4, 1]),
        tf.tensor4d([1, 10, 100, 1000], [1, 2, 2, 1]),
      ),
    expected: [1, 2, 10, 20, 3, 4, 30, 40, 100, 200, 1000, 2000, 300, 400, 3000, 4000],
  },
  {
    name: 'filter gradient of a 1×1 convolution with stride 2',
    run: (tf) =>
      tf.grad((filter) =>
        tf.conv2d(tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]), filter as Tensor4D, 2, 'valid'),
      )(tf.zeros([1, 1, 1, 1]), tf.tensor4d([1, 10, 100, 1000], [1, 2, 2, 1])),
    expected: [1 + 30 + 700 + 9000],
  },
  {
    name: 'gradient of max pooling',
    run: (tf) =>
      tf.grad((x) => tf.maxPool(x as Tensor4D, 2, 2, 'valid'))(
        tf.tensor4d([1, 4, 2, 3], [1, 2, 2, 1]),
        tf.tensor4d([7], [1, 1, 1, 1]),
      ),
    expected: [0, 7, 0, 0],
  },
  {
    name: 'gradient of ReLU',
    run: (tf) => tf.grad((x) => tf.relu(x))(tf.tensor1d([-1, 2, -3, 4]), tf.tensor1d([5, 6, 7, 8])),
    expected: [0, 6, 0, 8],
  },
  {
    name: 'gradient of the softmax cross-entropy',
    run: (tf) =>
      tf.grad((x) => tf.losses.softmaxCrossEntropy(tf.tensor2d([1, 0], [1, 2]), x as Tensor2D))(
        tf.tensor2d([0, Math.log(3)], [1, 2]),
      ),
    expected: [0.25 - 1, 0.75],
  },
]

/** Throws 'unsupported' naming the first operation whose result is off by more than 1e-4 of the largest value. */
export async function smokeTest(engine: Engine): Promise<void> {
  for (const { name, run, expected } of CASES) {
    const tensor = engine.tf.tidy(() => run(engine.tf))
    const got = await tensor.data()
    tensor.dispose()
    const scale = Math.max(...expected.map(Math.abs))
    const right =
      got.length === expected.length &&
      expected.every((value, index) => Math.abs(value - (got[index] ?? NaN)) <= 1e-4 * scale)
    if (!right) {
      throw new ConvScopeError('unsupported', `The engine ${engine.identity.name} computes wrongly: ${name}`, {
        remedy: 'Choose another engine and report this with the details.',
        details: `${JSON.stringify(engine.identity)}: expected ${expected.join(' ')}, got ${[...got].join(' ')}`,
      })
    }
  }
}
