/** What several operations of a captured step become, and that it computes the same. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import type { TensorTree } from '../engine.ts'
import { eagerStep } from '../eager-step.ts'
import { disposeTensors } from '../tensor-tree.ts'
import { describeOnTensorflow, difference, SAME_KERNELS, type Difference } from './testing/on-tensorflow.ts'

type Inputs = readonly Tensor[]

/** Convolutions that no activation joins where oneDNN computes them. */
const LEFT_TO_ONEDNN = SAME_KERNELS ? 0 : 1

describeOnTensorflow('fused operations', (engine) => {
  const make = (shape: number[], seed: number): Tensor => engine().tf.randomUniform(shape, -1, 1, 'float32', seed)

  /** Two calls against the step operation by operation: the worst difference, and the number of operations. */
  const run = async (
    step: (inputs: Inputs) => TensorTree,
    shapes: number[][],
  ): Promise<Difference & { operations: number }> => {
    const compiled = engine().compile(step)
    const plain = eagerStep(engine().tf, 'tensorflow', step)
    const found: Difference[] = []
    for (const seed of [1, 20]) {
      const inputs = shapes.map((shape, index) => make(shape, seed + index))
      const [got, expected] = [await compiled.run(inputs), await plain.run(inputs)]
      found.push(difference(got, expected))
      disposeTensors([inputs, got, expected])
    }
    const operations = compiled.stats().variants[0]?.operations ?? NaN
    compiled.dispose()
    const relative = Math.max(...found.map((one) => one.relative))
    return { relative, identical: found.every(({ identical }) => identical), operations }
  }
  const expected = (operations: number, otherwise: number): number =>
    engine().identity.kernels.endsWith('+addon') ? operations : otherwise

  test('a chain with short operands and several results is one operation, with the same bits', async () => {
    const { tf } = engine()
    const step = ([x, row, column, factor]: Inputs): TensorTree => {
      const [a, b, c, d] = [x ?? [], row ?? [], column ?? [], factor ?? []]
      const sum = tf.add(tf.mul(a, b), c)
      const root = tf.sqrt(tf.abs(sum))
      return [root, tf.div(tf.sub(tf.square(sum), d), tf.add(root, 1)), tf.neg(tf.maximum(root, tf.relu(sum)))]
    }
    for (const [rows, columns] of [
      [1, 1],
      [7, 3],
      [300, 17],
      [3, 5000],
      [2, 1024],
    ] as const) {
      const shapes = [[rows, columns], [columns], [rows, 1], []]
      const found = await run(step, shapes)
      expect(found).toEqual({ relative: 0, identical: true, operations: expected(1, 11) })
    }
  })

  test('shapes that repeat differently stay apart', async () => {
    const { tf } = engine()
    const step = ([x, a, b]: Inputs): TensorTree => tf.add(tf.mul(x ?? [], a ?? []), b ?? [])
    // Columns of 4 and of 12 have no common view.
    const found = await run(step, [[2, 3, 4], [4], [3, 4]])
    expect(found.identical).toBe(true)
    expect(found.operations).toBe(2)
  })

  test('chains that need one another through something else stay apart', async () => {
    const { tf } = engine()
    const step = ([x]: Inputs): TensorTree => {
      const a = tf.square(x ?? [])
      const summed = tf.cumsum(a, 0)
      return [tf.add(a, summed), tf.mul(tf.neg(summed), tf.abs(a))]
    }
    const found = await run(step, [[6, 4]])
    expect(found.identical).toBe(true)
    expect(found.operations).toBe(expected(4, 6))
  })

  test('what is needed again keeps its memory', async () => {
    const { tf } = engine()
    const step = ([x]: Inputs): TensorTree => {
      const made = tf.cumsum(x ?? [], 0)
      return [tf.sub(tf.square(made), made), made, tf.cumsum(made, 1)]
    }
    expect((await run(step, [[9, 130]])).identical).toBe(true)
    const once = ([y]: Inputs): TensorTree => {
      const made = tf.cumsum(y ?? [], 0)
      const first = tf.square(made)
      return [first, tf.sub(first, made), tf.add(tf.mul(made, 3), first)]
    }
    expect((await run(once, [[9, 1300]])).identical).toBe(true)
  })

  test('what lies between the members of a chain is still computed before what needs it', async () => {
    const { tf } = engine()
    const step = ([x, y]: Inputs): TensorTree => {
      const squares = tf.square(x ?? [])
      const sums = tf.sum(squares, 0)
      const sizes = tf.abs(y ?? [])
      const both = tf.add(squares, sizes)
      return [both, tf.mul(sizes, sums)]
    }
    expect(await run(step, [[3, 4], [4]])).toMatchObject({ identical: true })
  })

  test.each(['relu', 'sigmoid', 'linear'] as const)(
    'bias and %s join products and convolutions',
    async (activation) => {
      const { tf } = engine()
      const activate = (sums: Tensor): Tensor => (activation === 'linear' ? sums : tf[activation](sums))
      const step = ([rows, matrix, bias, images, filter, filterBias]: Inputs): TensorTree => {
        const x = images as Tensor4D
        const f = filter as Tensor4D
        const outer = tf.conv2d(x, f, 2, 'same')
        return [
          activate(tf.add(tf.matMul(rows as Tensor2D, matrix as Tensor2D), bias ?? 0)),
          activate(tf.add(outer, filterBias ?? 0)),
          activate(tf.conv2dTranspose(outer, f, x.shape, 2, 'same')),
        ]
      }
      const shapes = [[5, 30], [30, 20], [20], [16, 6, 6, 3], [3, 3, 3, 10], [10]]
      const found = await run(step, shapes)
      expect(found.relative).toBeLessThan(activation === 'sigmoid' ? 5e-6 : 1e-12)
      // The convolution is used twice, so its bias stays outside; a sigmoid is not elementwise in the sense of the other programs.
      const fused = (activation === 'sigmoid' ? 5 : 4) + (activation === 'linear' ? 0 : LEFT_TO_ONEDNN)
      expect(found.operations).toBe(expected(fused, activation === 'linear' ? 5 : 8))
    },
  )

  test.each(['relu', 'sigmoid'] as const)('the gradient of %s joins that of what follows', async (activation) => {
    const { tf } = engine()
    const step = ([images, filter, rows, matrix]: Inputs): TensorTree => {
      const dense = (x: Tensor): Tensor => tf.matMul(tf[activation](x) as Tensor2D, matrix as Tensor2D)
      const outer = (x: Tensor): Tensor => tf.conv2d(tf[activation](x) as Tensor4D, filter as Tensor4D, 2, 'same')
      return [tf.grad(dense)(rows ?? tf.scalar(0)), tf.grad(outer)(images ?? tf.scalar(0))]
    }
    for (const count of [1, 6]) {
      const found = await run(step, [
        [16, 5, 5, 3],
        [3, 3, 3, 7],
        [count, 30],
        [30, 20],
      ])
      expect(found.relative).toBeLessThan(activation === 'sigmoid' ? 5e-6 : 1e-12)
      // That of a ReLU alone still is a chain of its own.
      expect(found.operations).toBe(expected(4 + (activation === 'sigmoid' ? LEFT_TO_ONEDNN : 0), 6))
    }
  })

  test('`exact` leaves everything as it is', async () => {
    const { tf } = engine()
    const compiled = engine().compile(({ x }: { x: Tensor }) => tf.neg(tf.square(tf.abs(x))), { exact: true })
    const x = make([3], 1)
    ;(await compiled.run({ x })).dispose()
    expect(compiled.stats().variants[0]?.operations).toBe(3)
    compiled.dispose()
    x.dispose()
  })
})
