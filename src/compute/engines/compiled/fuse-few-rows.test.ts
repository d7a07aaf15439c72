/** Which products leave out lines of their matrices, and that the results stay the same. */
import type { Tensor2D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { eagerStep } from '../eager-step.ts'
import { FEW_ROWS } from '../tensorflow-own-operations.ts'
import type { NodeBackend } from '../tensorflow-kernels.ts'
import { disposeTensors } from '../tensor-tree.ts'
import { captureStep } from './capture.ts'
import { FoldedTensors } from './folded-tensors.ts'
import { fuseFewRows } from './fuse-few-rows.ts'
import { OperationList } from './operation-list.ts'
import { simplify } from './simplify.ts'
import { describeOnTensorflow, difference } from './testing/on-tensorflow.ts'

const LINES = 1203
const COLUMNS = 459

describeOnTensorflow('products of a few rows with a large matrix', (engine) => {
  const make = (shape: [number, number], seed: number): Tensor2D =>
    engine().tf.randomUniform(shape, -1, 1, 'float32', seed)

  /** Up through a rectifier and the matrix, and down again, as the walks through dense layers go. */
  const walk =
    (matrix: Tensor2D) =>
    ({ x, signal }: { x: Tensor2D; signal: Tensor2D }) => {
      const { tf } = engine()
      const y: Tensor2D = tf.relu(x)
      const down = tf.matMul(signal, matrix, false, true)
      return {
        up: tf.matMul(y, matrix),
        down: tf.mul(down, tf.cast(tf.greater(y, 0), 'float32')),
        whole: tf.matMul(tf.square(signal), matrix, false, true),
      }
    }

  test('leave out what a 0 or a mask makes 0, where the matrix is finite', ({ skip }) => {
    if (!engine().identity.kernels.includes('+addon')) skip('this processor has no AVX2 with FMA')
    const { tf } = engine()
    const backend = tf.backend() as unknown as NodeBackend
    const operations = new OperationList(backend.binding.functions.operations())
    const inputs = { x: make([2, LINES], 1), signal: make([2, COLUMNS], 2) }
    for (const isFinite of [true, false]) {
      const matrix = make([LINES, COLUMNS], 3)
      const used = isFinite
        ? matrix
        : tf.div<Tensor2D>(matrix, tf.sub(1, tf.oneHot(tf.fill([LINES], 5, 'int32'), COLUMNS)))
      const { recording, result } = captureStep(tf, backend, operations, 'walk', walk(used), inputs)
      if (recording === undefined) throw new Error('the step was not recorded')
      const folded = new FoldedTensors(backend)
      const { nodes } = fuseFewRows(simplify(recording, folded), backend.binding, folded)
      const products = nodes.filter(({ operation }) => operation === FEW_ROWS)
      const leavesOut = products.map(({ attributes, inputs: { length } }) => [
        (attributes.find(({ name }) => name === 'numbers')?.value as number[]).at(-1),
        length,
      ])
      // Down, up, and the one that nothing masks.
      expect(leavesOut).toEqual(
        isFinite
          ? [
              [1, 3],
              [1, 2],
              [0, 2],
            ]
          : [
              [0, 2],
              [0, 2],
              [0, 2],
            ],
      )
      disposeTensors(result)
    }
    disposeTensors(inputs)
  })

  test('give the same numbers', async () => {
    const matrix = make([LINES, COLUMNS], 3)
    const compiled = engine().compile(walk(matrix))
    const plain = eagerStep(engine().tf, 'tensorflow', walk(matrix))
    for (const seed of [1, 7]) {
      const inputs = { x: make([2, LINES], seed), signal: make([2, COLUMNS], seed + 1) }
      const [got, expected] = [await compiled.run(inputs), await plain.run(inputs)]
      // But for the sign of a 0.
      expect(difference(got, expected).relative).toBe(0)
      disposeTensors([inputs, got, expected])
    }
    compiled.dispose()
    matrix.dispose()
  })
})
