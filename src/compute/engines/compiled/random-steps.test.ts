/** Small random steps: compiled equals operation by operation, on the inputs of the capture and on others. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eagerStep } from '../eager-step.ts'
import type { Tfjs } from '../engine.ts'
import { disposeTensors } from '../tensor-tree.ts'
import { describeOnTensorflow, difference, SAME_KERNELS } from './testing/on-tensorflow.ts'

type Operation = (tf: Tfjs, a: Tensor, b: Tensor) => Tensor

/** All keep the shape [n, n] and float32, so that any operation can follow any other. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: (tf, a, b) => tf.add(a, b),
  subtract: (tf, a, b) => tf.sub(a, tf.mul(b, 0.5)),
  multiply: (tf, a, b) => tf.mul(a, b),
  divide: (tf, a, b) => tf.div(a, tf.add(tf.abs(b), 1)),
  product: (tf, a, b) => tf.tanh(tf.matMul(a as Tensor2D, b as Tensor2D, false, true)),
  relu: (tf, a) => tf.relu(a),
  sigmoid: (tf, a) => tf.sigmoid(a),
  transpose: (tf, a) => tf.transpose(a),
  reverse: (tf, a) => tf.reverse(a, 1),
  softmax: (tf, a) => tf.softmax(a),
  rowSums: (tf, a, b) => tf.add(tf.sum(a, 1, true), b),
  choose: (tf, a, b) => tf.where(tf.greater(a, b), a, b),
  clip: (tf, a) => tf.clipByValue(a, -0.5, 0.5),
  shift: (tf, a) => tf.concat([tf.slice(a, [1, 0]), tf.slice(a, [0, 0], [1, -1])], 0),
  integers: (tf, a) => tf.cast(tf.cast(tf.mul(a, 4), 'int32'), 'float32'),
  gather: (tf, a) => tf.gather(a, tf.range(0, a.shape[0] ?? 0, 1, 'int32')),
  constant: (tf, a) => tf.add(a, tf.linspace(0, 1, a.shape[1] ?? 1)),
  convolve: (tf, a, b) =>
    tf.reshape(
      tf.conv2d<Tensor4D>(
        tf.reshape(a, [1, a.shape[0] ?? 0, a.shape[1] ?? 0, 1]),
        tf.reshape(tf.slice(b, [0, 0], [1, 1]), [1, 1, 1, 1]),
        1,
        'same',
      ),
      a.shape,
    ),
}
const DIFFERENTIABLE = new Set([
  'add',
  'subtract',
  'multiply',
  'product',
  'relu',
  'sigmoid',
  'transpose',
  'softmax',
  'clip',
  'convolve',
])

const program = fc.record({
  size: fc.integer({ min: 1, max: 6 }),
  inputs: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  operations: fc.array(fc.record({ name: fc.constantFrom(...Object.keys(OPERATIONS)), a: fc.nat(20), b: fc.nat(20) }), {
    minLength: 1,
    maxLength: 12,
  }),
  outputs: fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
  gradient: fc.boolean(),
})

describeOnTensorflow('random steps', (engine) => {
  test('give the same compiled and operation by operation', async () => {
    const { tf } = engine()
    const before = engine().memory().tensors
    await fc.assert(
      fc.asyncProperty(program, async ({ size, inputs, seed, operations, outputs, gradient }) => {
        const usable = gradient ? operations.filter(({ name }) => DIFFERENTIABLE.has(name)) : operations
        const compute = (given: readonly Tensor[]): Tensor[] => {
          const values = [...given]
          const at = (index: number): Tensor => values[index % values.length] ?? tf.zeros([size, size])
          for (const { name, a, b } of usable) values.push(OPERATIONS[name]?.(tf, at(a), at(b)) ?? at(a))
          return outputs.map((index) => at(values.length - 1 - (index % values.length)))
        }
        const step = (given: readonly Tensor[]): readonly Tensor[] =>
          gradient
            ? tf.grads((...all) => tf.addN(compute(all).map((tensor) => tf.mul(tensor, tensor))))([...given])
            : compute(given)
        const make = (call: number): Tensor[] =>
          Array.from({ length: inputs }, (_, index) =>
            tf.randomUniform([size, size], -1, 1, 'float32', seed + 10 * call + index),
          )
        const usesAll = !gradient || dependsOnAll(usable, outputs, inputs)
        if (!usesAll) return
        const compiled = engine().compile(step)
        const plain = eagerStep(tf, 'tensorflow', step)
        for (let call = 0; call < 3; call++) {
          const given = make(call)
          const got = await compiled.run(given)
          const expected = await plain.run(given)
          const found = difference(got, expected)
          expect(found.relative).toBeLessThanOrEqual(5e-6)
          // The gradient of a sigmoid behind that of a product is part of its kernel, and rounds its last bit otherwise.
          const rounds = ['product', 'sigmoid'].every((one) => usable.some(({ name }) => name === one))
          expect(found.identical || rounds || !SAME_KERNELS).toBe(true)
          disposeTensors([given, got, expected])
        }
        compiled.dispose()
      }),
      { numRuns: 150, seed: 20_261_123 },
    )
    expect(engine().memory().tensors).toBe(before)
  })
})

/** tfjs refuses gradients of inputs that the results do not depend on. */
function dependsOnAll(
  operations: readonly { readonly name: string; readonly a: number; readonly b: number }[],
  outputs: readonly number[],
  inputs: number,
): boolean {
  const needs = Array.from({ length: inputs }, (_, index) => new Set([index]))
  const at = (index: number): Set<number> => needs[index % needs.length] ?? new Set()
  const single = new Set(['relu', 'sigmoid', 'transpose', 'softmax', 'clip'])
  for (const { name, a, b } of operations) needs.push(new Set([...at(a), ...(single.has(name) ? [] : at(b))]))
  const found = new Set(outputs.flatMap((index) => [...at(needs.length - 1 - (index % needs.length))]))
  return found.size === inputs
}
