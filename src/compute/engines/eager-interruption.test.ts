import type { Tensor } from '@tensorflow/tfjs'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { startCpu } from './cpu.ts'
import { listenBetweenKernels } from './eager-interruption.ts'
import type { Engine } from './engine.ts'
import { disposeTensors } from './tensor-tree.ts'

/** Longer than the time between two looks. */
const SPIN_MS = 25

let engine: Engine
beforeAll(async () => {
  engine = await startCpu()
})
afterEach(() => listenBetweenKernels(() => undefined))

function spin(): void {
  const end = performance.now() + SPIN_MS
  while (performance.now() < end) Math.sqrt(end)
}

it('an eager run ends before the kernel at which somebody interrupted, and frees what it made', async () => {
  const { tf } = engine
  const x = tf.scalar(3)
  const reached: string[] = []
  const step = engine.compile(({ x: given }: { x: Tensor }) => {
    const root = tf.grad((value) => {
      const square = tf.square(value)
      reached.push('square')
      spin()
      const sine = tf.sin(square)
      reached.push('sine')
      return sine
    })
    return root(given)
  })
  const before = engine.memory().tensors
  listenBetweenKernels(() => engine.interrupt())
  await expect(step.run({ x })).rejects.toMatchObject({ code: 'cancelled' })
  expect(reached.at(-1)).not.toBe('sine')
  expect(engine.memory().tensors).toBe(before)
  listenBetweenKernels(() => undefined)
  const result = await step.run({ x })
  expect((await result.data())[0]).toBeCloseTo(6 * Math.cos(9), 5)
  expect(reached.at(-1)).toBe('sine')
  disposeTensors([result, x])
})

it('an interruption while nothing runs does nothing', async () => {
  const { tf } = engine
  const step = engine.compile(({ x }: { x: Tensor }) => tf.neg(x))
  engine.interrupt()
  const x = tf.scalar(2)
  const result = await step.run({ x })
  expect((await result.data())[0]).toBe(-2)
  disposeTensors([result, x])
})
