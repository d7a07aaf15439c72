/** Every operation and gradient of the conformity table, and more: compiled equals operation by operation, on inputs it was not captured with. */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { noiseSource, type ConformityCase } from '../conformity/conformity-case.ts'
import { ELEMENTARY_CASES } from '../conformity/elementary-cases.ts'
import { LAYER_CASES } from '../conformity/layer-cases.ts'
import { SHAPE_CASES } from '../conformity/shape-cases.ts'
import { eagerStep } from '../eager-step.ts'
import type { Engine, Step, TensorTree, Tfjs } from '../engine.ts'
import { disposeTensors } from '../tensor-tree.ts'
import { withStockKernels } from '../stock-kernels.ts'
import { describeOnTensorflow, difference, SAME_KERNELS } from './testing/on-tensorflow.ts'

type Inputs = readonly Tensor[]

/** Captures on the first inputs, then compares calls on three others; returns the worst. */
async function compare(
  engine: Engine,
  name: string,
  step: Step<Inputs, TensorTree>,
  inputs: (call: number) => Tensor[],
  exact: boolean,
): Promise<{ relative: number; identical: boolean; captured: boolean }> {
  const compiled = engine.compile(step, { name, exact })
  const plain = eagerStep(engine.tf, 'tensorflow', step, { name })
  let relative = 0
  let identical = true
  for (let call = 0; call < 4; call++) {
    const given = inputs(call)
    const got = await compiled.run(given)
    const expected = exact ? await withStockKernels(() => plain.run(given)) : await plain.run(given)
    const found = difference(got, expected)
    relative = Math.max(relative, found.relative)
    identical &&= found.identical
    disposeTensors([given, got, expected])
  }
  const { captured } = compiled.stats()
  compiled.dispose()
  return { relative, identical, captured }
}

/** The result of a case and the gradients of all its inputs. */
function resultAndGradients(tf: Tfjs, { run }: ConformityCase): Step<Inputs, TensorTree> {
  return (inputs) => {
    const apply = (...all: Tensor[]): Tensor => {
      const [a = tf.scalar(0), b = a, c = a, d = a] = all
      return run(tf, a, b, c, d)
    }
    const result = apply(...inputs)
    return [result, ...tf.grads(apply)([...inputs], tf.cos(tf.cast(result, 'float32')))]
  }
}

const floats = (tf: Tfjs, shape: readonly number[], seed: number): Tensor => {
  const noise = noiseSource(seed)
  const count = shape.reduce((product, size) => product * size, 1)
  return tf.tensor(Float32Array.from({ length: count }, noise), [...shape])
}
const integers = (tf: Tfjs, shape: readonly number[], seed: number, below = 5): Tensor => {
  const noise = noiseSource(seed)
  const count = shape.reduce((product, size) => product * size, 1)
  const values = Int32Array.from({ length: count }, () => Math.floor(((noise() + 1) / 2) * below))
  return tf.tensor(values, [...shape], 'int32')
}
const truths = (tf: Tfjs, shape: readonly number[], seed: number): Tensor =>
  tf.tidy(() => tf.cast(integers(tf, shape, seed, 2), 'bool'))

interface OperationCase {
  readonly name: string
  inputs(tf: Tfjs, seed: number): Tensor[]
  run(tf: Tfjs, a: Tensor, b: Tensor): TensorTree
}

/** Other data types, several results, empty tensors, and operations that the table leaves to others. */
const MORE_CASES: readonly OperationCase[] = [
  {
    name: 'integers',
    inputs: (tf, seed) => [integers(tf, [3, 4], seed), integers(tf, [3, 4], seed + 9)],
    run: (tf, a, b) => ({
      sum: tf.add(a, b),
      product: tf.mul(a, b),
      less: tf.less(a, b),
      most: tf.max(a, 1),
      total: tf.sum(a),
      remainder: tf.mod(a, tf.add(b, tf.onesLike(b))),
      mixed: tf.add(a, tf.cast(b, 'float32')),
      floor: tf.floorDiv(a, tf.add(b, tf.onesLike(b))),
    }),
  },
  {
    name: 'truth values',
    inputs: (tf, seed) => [truths(tf, [5], seed), truths(tf, [5], seed + 9)],
    run: (tf, a, b) => ({
      and: tf.logicalAnd(a, b),
      or: tf.logicalOr(a, b),
      not: tf.logicalNot(a),
      xor: tf.logicalXor(a, b),
      any: tf.any(a),
      all: tf.all(b),
      chosen: tf.where(a, tf.zerosLike(b), b),
      number: tf.cast(a, 'float32'),
    }),
  },
  {
    name: 'comparisons',
    inputs: (tf, seed) => [floats(tf, [4, 3], seed), floats(tf, [3], seed + 9)],
    run: (tf, a, b) => [
      tf.greater(a, b),
      tf.greaterEqual(a, b),
      tf.less(a, b),
      tf.lessEqual(a, b),
      tf.equal(a, a),
      tf.notEqual(a, b),
      tf.where(tf.greater(a, b), a, tf.neg(a)),
      tf.minimum(a, b),
      tf.maximum(a, b),
      tf.isNaN(a),
      tf.isFinite(tf.log(a)),
    ],
  },
  {
    name: 'several results',
    inputs: (tf, seed) => [floats(tf, [6, 5], seed), floats(tf, [6, 5], seed + 9)],
    run: (tf, a, b) => ({
      split: tf.split(a, [1, 2, 3]),
      even: tf.split(a, 5, 1),
      unstacked: tf.unstack(b, 1),
      top: { ...tf.topk(a, 2) },
      moments: { ...tf.moments(b, 0) },
      stacked: tf.stack([a, b], 1),
      joined: tf.concat([a, b, a], 0),
    }),
  },
  {
    name: 'indices',
    inputs: (tf, seed) => [floats(tf, [6, 5], seed), integers(tf, [4], seed)],
    run: (tf, a, b) => ({
      rows: tf.gather(a, b),
      most: tf.argMax(a, 1),
      least: tf.argMin(a),
      hot: tf.oneHot(b as Tensor1D, 5),
      points: tf.gatherND(a, tf.stack([b, b], 1)),
      spread: tf.scatterND(tf.stack([b], 1), tf.cast(b, 'float32'), [7]),
      segments: tf.unsortedSegmentSum(a, tf.range(0, 6, 1, 'int32').mod(tf.scalar(3, 'int32')).toInt() as Tensor1D, 3),
      gradient: tf.grad((x) => tf.gather(x, b))(a),
    }),
  },
  {
    name: 'an empty tensor',
    inputs: (tf, seed) => [tf.zeros([0, 3]), floats(tf, [3], seed)],
    run: (tf, a, b) => ({
      added: tf.add(a, b),
      joined: tf.concat([a, tf.reshape(b, [1, 3])], 0),
      sum: tf.sum(a),
      back: a,
      product: tf.matMul(a as Tensor2D, tf.reshape(b, [3, 1])),
      sliced: tf.slice(tf.reshape(b, [1, 3]), [0, 0], [0, 3]),
    }),
  },
  {
    name: 'statistics',
    inputs: (tf, seed) => [floats(tf, [4, 5, 3], seed), floats(tf, [3], seed + 9)],
    run: (tf, a, b) => [
      tf.mean(a, [0, 2], true),
      tf.prod(a, 1),
      tf.logSumExp(a, 2),
      tf.norm(a),
      tf.cumsum(a, 1),
      tf.cumprod(a, 2),
      tf.softmax(a),
      tf.logSoftmax(a),
      tf.mul(a, b),
    ],
  },
  {
    name: 'curves',
    inputs: (tf, seed) => [floats(tf, [30], seed), floats(tf, [30], seed + 9)],
    run: (tf, a, b) => [
      tf.sin(a),
      tf.cos(a),
      tf.tan(a),
      tf.asin(a),
      tf.atan2(a, b),
      tf.sinh(a),
      tf.erf(a),
      tf.expm1(a),
      tf.log1p(tf.abs(a)),
      tf.rsqrt(tf.abs(a)),
      tf.reciprocal(a),
      tf.sign(a),
      tf.round(a),
      tf.ceil(a),
      tf.floor(a),
      tf.softplus(a),
      tf.selu(a),
      tf.elu(a),
      tf.relu6(a),
      tf.leakyRelu(a, 0.1),
      tf.prelu(a, b),
      tf.pow(tf.abs(a), b),
      tf.step(a),
      tf.squaredDifference(a, b),
      tf.clipByValue(a, -0.5, 0.25),
    ],
  },
  {
    name: 'images',
    inputs: (tf, seed) => [floats(tf, [2, 8, 6, 3], seed), floats(tf, [3, 3, 3, 2], seed + 9)],
    run: (tf, a, b) => {
      const x = a as Tensor4D
      const f = b as Tensor4D
      return [
        tf.image.resizeBilinear(x, [5, 9], true),
        tf.image.resizeNearestNeighbor(x, [4, 4]),
        tf.image.flipLeftRight(x),
        tf.reverse(x, [1]),
        tf.tile(x, [1, 2, 1, 1]),
        tf.mirrorPad(
          x,
          [
            [0, 0],
            [1, 1],
            [2, 0],
            [0, 0],
          ],
          'reflect',
        ),
        tf.stridedSlice(x, [0, 0, 0, 0], [2, 8, 6, 3], [1, 2, 3, 1]),
        tf.depthToSpace(tf.concat([x, x, x, x], 3), 2, 'NHWC'),
        tf.conv2d(x, f, 1, 'same', 'NHWC', 2),
        tf.conv1d(tf.reshape(x, [2, 48, 3]) as Tensor3D, tf.reshape(f, [9, 3, 2]) as Tensor3D, 1, 'same'),
        tf.fused.conv2d({ x, filter: f, strides: 1, pad: 'same', activation: 'relu' }),
        tf.transpose(x, [3, 0, 2, 1]),
        tf.batchToSpaceND(
          tf.tile(x, [2, 1, 1, 1]),
          [2, 2],
          [
            [0, 0],
            [0, 0],
          ],
        ),
        tf.spaceToBatchND(
          x,
          [2, 2],
          [
            [0, 0],
            [0, 0],
          ],
        ),
      ]
    },
  },
  {
    name: 'products',
    inputs: (tf, seed) => [floats(tf, [4, 3, 5], seed), floats(tf, [4, 5, 2], seed + 9)],
    run: (tf, a, b) => [
      tf.matMul(a, b),
      tf.matMul(a, a, false, true),
      tf.dot(tf.reshape(a, [12, 5]), tf.slice(tf.reshape(b, [20, 2]), [0, 0], [5, 2])),
      tf.outerProduct(tf.reshape(a, [60]) as Tensor1D, tf.reshape(b, [40]) as Tensor1D),
      tf.einsum('bij,bjk->bk', a, b),
    ],
  },
  {
    name: 'constants and captured tensors',
    inputs: (tf, seed) => [floats(tf, [3], seed), floats(tf, [3], seed + 9)],
    run: (tf, a, b) => [
      tf.scalar(3),
      tf.tensor1d([1, NaN, -0, Infinity]),
      tf.fill([2, 2], 7, 'int32'),
      tf.add(tf.range(0, 40_000), tf.sum(tf.mul(a, b))),
      tf.linspace(0, 1, 5),
      tf.eye(3),
      a,
      a,
    ],
  },
]

describeOnTensorflow('compiled steps and the same steps operation by operation', (engine) => {
  for (const exact of [true, false]) {
    const kernels = exact ? "tfjs-node's own kernels" : 'replaced kernels'
    test.each([...LAYER_CASES, ...ELEMENTARY_CASES, ...SHAPE_CASES])(
      `agree with ${kernels}: $name`,
      async (conformityCase) => {
        const { tf } = engine()
        const inputs = (call: number): Tensor[] =>
          conformityCase.shapes.map((shape, index) => {
            const noise = noiseSource(100 * call + index + 1)
            const count = shape.reduce((product, size) => product * size, 1)
            const { values } = conformityCase
            const one = (): number => (values === undefined ? noise() : values(index, noise()))
            return tf.tensor(Float32Array.from({ length: count }, one), [...shape])
          })
        const before = engine().memory().tensors
        const step = resultAndGradients(tf, conformityCase)
        const found = await compare(engine(), conformityCase.name, step, inputs, exact)
        expect(found.captured).toBe(true)
        expect(found.relative).toBeLessThanOrEqual(SAME_KERNELS ? 1e-6 : 5e-6)
        expect(engine().memory().tensors).toBe(before)
      },
    )
    test.each(MORE_CASES)(`agree with ${kernels}: $name`, async ({ name, inputs, run }) => {
      const { tf } = engine()
      const before = engine().memory().tensors
      const step = ([a, b]: Inputs): TensorTree => run(tf, a ?? tf.scalar(0), b ?? tf.scalar(0))
      const found = await compare(engine(), name, step, (call) => inputs(tf, 7 + 1000 * call), exact)
      if (SAME_KERNELS) expect(found).toEqual({ relative: 0, identical: true, captured: true })
      expect(found.captured).toBe(true)
      expect(found.relative).toBeLessThanOrEqual(5e-6)
      expect(engine().memory().tensors).toBe(before)
    })
  }
})
