/** Longer runs: a training bit for bit, and nothing left behind by many calls and many compiled steps. */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { eagerStep } from '../eager-step.ts'
import type { CompiledStep, Step } from '../engine.ts'
import { disposeTensors } from '../tensor-tree.ts'
import { withStockKernels } from '../stock-kernels.ts'
import {
  autoencoderStep,
  autoencoderState,
  type AutoencoderInputs,
  type AutoencoderOutputs,
} from './testing/autoencoder.ts'
import { describeOnTensorflow, difference } from './testing/on-tensorflow.ts'

const MEGABYTE = 2 ** 20

describeOnTensorflow('compiled steps over many calls', (engine) => {
  const train = async (
    step: CompiledStep<AutoencoderInputs, AutoencoderOutputs>,
    steps: number,
    around: <T>(body: () => Promise<T>) => Promise<T> = (body) => body(),
  ): Promise<{ losses: number[]; state: AutoencoderOutputs['state'] }> => {
    const { tf } = engine()
    let state = autoencoderState(tf, 4)
    const losses: number[] = []
    for (let index = 1; index <= steps; index++) {
      const images = tf.randomUniform([8, 16, 16, 3], 0, 1, 'float32', index) as Tensor4D
      const scalars = [0.01, 1 - 0.9 ** index, 1 - 0.999 ** index].map((value) => tf.scalar(value))
      const [rate, first, second] = scalars as [Tensor, Tensor, Tensor]
      const result = await around(() => step.run({ state, images, scalars: { rate, first, second } }))
      disposeTensors([state, images, scalars])
      state = result.state
      losses.push(result.loss.dataSync()[0] ?? NaN)
      result.loss.dispose()
    }
    return { losses, state }
  }

  test.each([true, false])('40 steps with Adam are the same bit for bit (own kernels: %s)', async (exact) => {
    const { tf } = engine()
    const step: Step<AutoencoderInputs, AutoencoderOutputs> = autoencoderStep(tf)
    const compiled = engine().compile(step, { exact })
    const fast = await train(compiled, 40)
    const slow = await train(eagerStep(tf, 'tensorflow', step), 40, (body) => (exact ? withStockKernels(body) : body()))
    expect(fast.losses).toEqual(slow.losses)
    expect(fast.losses[39]).toBeLessThan(fast.losses[0] ?? 0)
    expect(difference(fast.state, slow.state).identical).toBe(true)
    disposeTensors([fast.state, slow.state])
    compiled.dispose()
  })

  test('replaced kernels stay within 5e-6 of the own ones', async () => {
    const { tf } = engine()
    const step = autoencoderStep(tf)
    const [own, replaced] = [engine().compile(step, { exact: true }), engine().compile(step)]
    const state = autoencoderState(tf, 4)
    const images = tf.randomUniform([8, 16, 16, 3], 0, 1, 'float32', 5) as Tensor4D
    const scalars = { rate: tf.scalar(0), first: tf.scalar(0.1), second: tf.scalar(0.001) }
    for (let call = 0; call < 2; call++) {
      const [a, b] = [await own.run({ state, images, scalars }), await replaced.run({ state, images, scalars })]
      expect(difference(a.state.first, b.state.first).relative).toBeLessThan(5e-6)
      expect(difference(a.loss, b.loss).relative).toBeLessThan(5e-6)
      disposeTensors([a, b])
    }
    disposeTensors([state, images, scalars])
    own.dispose()
    replaced.dispose()
  })

  test('calls and compiled steps leave no tensors behind and no memory', async () => {
    const { tf } = engine()
    const step = engine().compile(autoencoderStep(tf))
    disposeTensors((await train(step, 20)).state)
    const x = tf.ones([4, 4])
    const cycle = async (index: number): Promise<void> => {
      const once = engine().compile(({ x: given }: { x: Tensor }) => tf.add(tf.relu(tf.matMul(given, given)), index))
      for (let call = 0; call < 3; call++) disposeTensors(await once.run({ x }))
      once.dispose()
    }
    for (let index = 0; index < 20; index++) await cycle(index)
    const tensors = engine().memory().tensors
    // V8 makes its own heap larger while much is allocated; that is no leak.
    const memory = (): number => process.memoryUsage().rss - process.memoryUsage().heapTotal
    const resident = memory()
    disposeTensors((await train(step, 300)).state)
    for (let index = 0; index < 60; index++) await cycle(index)
    expect(engine().memory().tensors).toBe(tensors)
    expect(memory() - resident).toBeLessThan(32 * MEGABYTE)
    step.dispose()
    x.dispose()
  })
})
