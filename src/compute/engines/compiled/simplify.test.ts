/** What is taken out of a captured step, and that it changes nothing. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import type { TensorTree, Tfjs } from '../engine.ts'
import { eagerStep } from '../eager-step.ts'
import { disposeTensors } from '../tensor-tree.ts'
import { describeOnTensorflow, difference } from './testing/on-tensorflow.ts'

type Inputs = { x: Tensor }

describeOnTensorflow('a simplified step', (engine) => {
  const outside = (tf: Tfjs): Tensor4D => tf.randomUniform([3, 3, 16, 40], -1, 1, 'float32', 5)

  /** Compares two calls, and returns what is left of the step. */
  const operations = async (step: (given: Inputs) => TensorTree, shape: number[]): Promise<number> => {
    const { tf } = engine()
    const compiled = engine().compile(step)
    const plain = eagerStep(tf, 'tensorflow', step)
    for (const seed of [1, 2]) {
      const x = tf.randomUniform(shape, -1, 1, 'float32', seed)
      const [got, expected] = [await compiled.run({ x }), await plain.run({ x })]
      expect(difference(got, expected).identical).toBe(true)
      disposeTensors([x, got, expected])
    }
    const [variant] = compiled.stats().variants
    compiled.dispose()
    return variant?.operations ?? NaN
  }

  test('keeps nothing that returns its input, and reshapes once', async () => {
    const { tf } = engine()
    const step = ({ x }: Inputs): TensorTree => {
      const same = tf.slice(tf.cast(tf.reshape(x, [4, 6]), 'float32'), [0, 0], [4, 6])
      return tf.relu(tf.reshape(tf.reshape(same, [2, 12]), [24]))
    }
    expect(await operations(step, [4, 6])).toBe(2)
  })

  test('keeps one of equal operations, and none that nothing depends on', async () => {
    const { tf } = engine()
    const step = ({ x }: Inputs): TensorTree => {
      tf.sin(x)
      return [
        tf.exp(x),
        tf.add(tf.exp(x), tf.scalar(2)),
        tf.add(tf.exp(x), tf.scalar(2)),
        tf.add(tf.exp(x), tf.scalar(-2)),
      ]
    }
    expect(await operations(step, [5])).toBe(3)
  })

  test('tells NaN, infinity and both zeros apart', async () => {
    const { tf } = engine()
    const step = ({ x }: Inputs): TensorTree =>
      [NaN, Infinity, -Infinity, 0, -0].map((value) => tf.concat([tf.mul(tf.scalar(value), x), tf.tensor1d([value])]))
    expect(await operations(step, [3])).toBe(10)
  })

  test('has computed what depends on tensors from outside alone', async () => {
    const { tf } = engine()
    const filter = outside(tf)
    const step = ({ x }: Inputs): TensorTree => {
      const [left, right] = tf.split(filter, 2, 3)
      return [tf.conv2d(x as Tensor4D, left as Tensor4D, 1, 'same'), tf.sum(tf.abs(right ?? left ?? x))]
    }
    expect(await operations(step, [1, 6, 6, 16])).toBe(1)
    filter.dispose()
  })

  test('does not compute ahead what variables may change', async () => {
    const { tf } = engine()
    const variable = tf.variable(tf.ones([3]))
    const compiled = engine().compile(({ x }: Inputs) => tf.add(x, tf.square(variable)))
    const x = tf.zeros([3])
    for (const value of [1, 2, 3]) {
      variable.assign(tf.fill([3], value))
      const result = await compiled.run({ x })
      expect([...result.dataSync()]).toEqual([value ** 2, value ** 2, value ** 2])
      result.dispose()
    }
    compiled.dispose()
    variable.dispose()
  })

  test('shares what it has computed with other steps, and gives it back with the last of them', async () => {
    const { tf } = engine()
    const before = engine().memory().tensors
    const matrix: Tensor2D = tf.randomUniform([60, 70], -1, 1, 'float32', 3)
    const x: Tensor2D = tf.randomUniform([2, 60], -1, 1, 'float32', 4)
    const make = (factor: number) =>
      engine().compile(({ x: given }: { x: Tensor2D }) => tf.mul(tf.matMul(given, tf.square(matrix)), factor))
    const steps = [make(2), make(3)]
    const inputs = engine().memory().tensors
    const results: Tensor[] = []
    for (const step of steps) {
      for (let call = 0; call < 2; call++) results.push(await step.run({ x }))
    }
    const folded = engine().memory().tensors - inputs - results.length
    // The matrix and x are uploaded at their first use; one square for both steps.
    expect(folded).toBeLessThanOrEqual(1 + 2)
    matrix.dispose()
    const [first, second] = steps
    first?.dispose()
    const last = second === undefined ? undefined : await second.run({ x })
    expect(last).toBeDefined()
    if (last !== undefined) expect(difference(last, results[3] ?? last).identical).toBe(true)
    second?.dispose()
    disposeTensors([x, ...results, ...(last === undefined ? [] : [last])])
    expect(engine().memory().tensors).toBe(before)
  })
})
