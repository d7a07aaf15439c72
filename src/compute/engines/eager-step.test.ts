import type { Tensor } from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { startCpu } from './cpu.ts'
import type { Engine, Step, TensorTree } from './engine.ts'
import { disposeTensors } from './tensor-tree.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startCpu()
})

describe('a step without graphs', () => {
  test('maps nested tensors to nested tensors and keeps nothing but its result', async () => {
    const { tf } = engine
    const inputs = { point: tf.tensor1d([1, 2]), parts: [tf.scalar(3), { deep: tf.scalar(4) }] as const }
    const before = engine.memory().tensors
    const step = engine.compile(
      ({ point, parts: [factor, { deep }] }: typeof inputs) => ({
        scaled: tf.mul(tf.mul(point, factor), deep),
        list: [tf.sum(point), [tf.neg(deep)]] as const,
      }),
      { name: 'scale' },
    )
    const { scaled, list } = await step.run(inputs)
    expect([...(await scaled.data())]).toEqual([12, 24])
    expect((await list[0].data())[0]).toBe(3)
    expect((await list[1][0]?.data())?.[0]).toBe(-4)
    expect(engine.memory().tensors).toBe(before + 3)
    expect(step.stats()).toMatchObject({ name: 'scale', calls: 1, captured: false })
    disposeTensors({ scaled, list })
    expect(engine.memory().tensors).toBe(before)
    disposeTensors(inputs)
  })

  test('returns tensors of its own where the step returns an input or one tensor twice', async () => {
    const { tf } = engine
    const x = tf.tensor1d([5])
    const step = engine.compile(({ x }: { x: Tensor }) => {
      const y = tf.add(x, 1)
      return { x, y, again: y }
    })
    const result = await step.run({ x })
    disposeTensors([result.x, result.y])
    expect((await x.data())[0]).toBe(5)
    expect((await result.again.data())[0]).toBe(6)
    disposeTensors([x, result.again])
  })

  test.each([
    ['a Promise', () => Promise.resolve(engine.tf.scalar(1))],
    ['number', () => ({ loss: 3 })],
    ['undefined', () => undefined],
  ])('refuses a step that returns %s, and frees what it made', async (kind, step) => {
    const before = engine.memory().tensors
    const compiled = engine.compile(step as unknown as Step<TensorTree, TensorTree>, { name: 'wrong' })
    await expect(compiled.run([])).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining(kind) })
    // The Promise's own tensor is made inside the tidy as well.
    expect(engine.memory().tensors).toBe(before)
  })

  test('an error of the step comes out as it is', async () => {
    const step = engine.compile(() => {
      throw new RangeError('no such unit')
    })
    await expect(step.run([])).rejects.toThrow(new RangeError('no such unit'))
  })

  test('refuses to run after disposal', async () => {
    const step = engine.compile(() => engine.tf.scalar(1))
    step.dispose()
    await expect(step.run([])).rejects.toMatchObject({ code: 'internal' })
  })
})
