/** The rules of compiled steps: caching, ownership, variables, refusals, calls on other threads. */
import type { Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs'
import { expect, test, vi } from 'vitest'
import type { Step, TensorTree } from '../engine.ts'
import { disposeTensors } from '../tensor-tree.ts'
import { describeOnTensorflow } from './testing/on-tensorflow.ts'

type One = { x: Tensor }

describeOnTensorflow('a compiled step', (engine) => {
  const valuesOf = (tensor: Tensor): number[] => [...tensor.dataSync()]
  const tensors = (): number => engine().memory().tensors
  /** Values are uploaded when they are first used, which would disturb the counting of tensors. */
  const uploaded = <T extends Tensor>(tensor: T): T => {
    engine().tf.neg(tensor).dispose()
    return tensor
  }
  const variableOf = (tensor: Tensor): Variable => {
    const variable = engine().tf.variable(tensor)
    tensor.dispose()
    return uploaded(variable)
  }

  test('is captured once for each combination of shapes, data types and names, up to a bound', async () => {
    const { tf } = engine()
    const before = tensors()
    let runs = 0
    const step = engine().compile(
      ({ x }: One) => {
        runs++
        return tf.mul(x, tf.scalar(2, x.dtype === 'int32' ? 'int32' : 'float32'))
      },
      { name: 'double', maxVariants: 2 },
    )
    const call = async (values: number[], dtype: 'float32' | 'int32' = 'float32'): Promise<number[]> => {
      const x = tf.tensor1d(values, dtype)
      const result = await step.run({ x })
      const numbers = valuesOf(result)
      disposeTensors([x, result])
      return numbers
    }
    expect(await call([1, 2])).toEqual([2, 4])
    expect(await call([3, 4])).toEqual([6, 8])
    expect(runs).toBe(2)
    expect(await call([1, 2, 3])).toEqual([2, 4, 6])
    expect(runs).toBe(4)
    expect(step.stats().variants.map(({ inputs }) => inputs)).toEqual(['float32[2]', 'float32[3]'])
    expect(await call([5, 6])).toEqual([10, 12])
    expect(await call([7, 8], 'int32')).toEqual([14, 16])
    expect(step.stats()).toMatchObject({ name: 'double', calls: 5, captured: true })
    expect(step.stats().variants).toMatchObject([
      { inputs: 'float32[2]', operations: 1, constants: 1, captured: 0, calls: 2 },
      { inputs: 'int32[2]', calls: 0 },
    ])
    expect(await call([1, 1, 1])).toEqual([2, 2, 2])
    expect(runs).toBe(8)
    step.dispose()
    expect(step.stats().variants).toEqual([])
    expect(tensors()).toBe(before)
  })

  test('can run operation by operation before it is captured', async () => {
    const { tf } = engine()
    let runs = 0
    const step = engine().compile(({ x }: One) => tf.mul(x, (runs++, 2)), { captureAfter: 2 })
    const x = tf.tensor1d([3])
    for (let count = 0; count < 5; count++) expect(valuesOf(await step.run({ x }))).toEqual([6])
    expect(runs).toBe(4)
    expect(step.stats().variants).toMatchObject([{ calls: 2 }])
    step.dispose()
  })

  test('tells nested inputs apart by their names and nesting', async () => {
    const { tf } = engine()
    type Pair = { a: Tensor; b: Tensor } | { b: Tensor; a: Tensor } | readonly [Tensor, Tensor]
    const step = engine().compile((pair: Pair) => ('a' in pair ? tf.sub(pair.a, pair.b) : tf.add(...pair)))
    const [one, two] = [tf.scalar(1), tf.scalar(2)]
    for (let count = 0; count < 3; count++) {
      expect(valuesOf((await step.run({ a: one, b: two })) as Tensor)).toEqual([-1])
      expect(valuesOf((await step.run({ b: one, a: two })) as Tensor)).toEqual([1])
      expect(valuesOf((await step.run([one, two])) as Tensor)).toEqual([3])
    }
    step.dispose()
  })

  test('returns tensors of its own, whatever the step returns', async () => {
    const { tf } = engine()
    const captured = uploaded(tf.tensor1d([9]))
    const variable = variableOf(tf.tensor1d([8]))
    const x = uploaded(tf.tensor1d([5]))
    const before = tensors()
    const step = engine().compile(({ x: given }: One) => {
      const y = tf.add(given, 1)
      return { given, y, again: y, captured, variable, constant: tf.tensor1d([3]) }
    })
    for (let count = 0; count < 4; count++) {
      const result = await step.run({ x })
      const { again, ...rest } = result
      disposeTensors(rest)
      expect(valuesOf(again)).toEqual([6])
      again.dispose()
      expect([captured, variable, x].map(valuesOf)).toEqual([[9], [8], [5]])
    }
    step.dispose()
    expect(tensors()).toBe(before)
    disposeTensors([captured, variable, x])
  })

  test('takes the same tensor twice, and one that the step also finds outside', async () => {
    const { tf } = engine()
    const shared = tf.tensor1d([2])
    const step = engine().compile(({ a, b }: { a: Tensor; b: Tensor }) => tf.sub(tf.mul(a, 10), tf.mul(b, shared)))
    const other = tf.tensor1d([7])
    for (let count = 0; count < 3; count++) {
      expect(valuesOf(await step.run({ a: shared, b: shared }))).toEqual([16])
      expect(valuesOf(await step.run({ a: shared, b: other }))).toEqual([6])
    }
    shared.dispose()
    expect(valuesOf(await step.run({ a: other, b: other }))).toEqual([56])
    step.dispose()
    other.dispose()
  })

  test('reads variables at every call and assigns them, with optimisers too', async () => {
    const { tf } = engine()
    const initial = tf.tensor1d([1])
    const variable = tf.variable(initial)
    const step = engine().compile(({ x }: One) => {
      variable.assign(tf.add(variable, x))
      return tf.sub(variable, initial)
    })
    const x = tf.tensor1d([2])
    for (let count = 1; count <= 5; count++) {
      const result = await step.run({ x })
      expect([valuesOf(result), valuesOf(variable), valuesOf(initial)]).toEqual([[2 * count], [1 + 2 * count], [1]])
    }
    variable.assign(tf.tensor1d([100]))
    expect(valuesOf(await step.run({ x }))).toEqual([101])

    const train = (compiled: boolean): ((x: Tensor) => Promise<Tensor>) => {
      const weights = tf.variable(tf.tensor1d([1, 2, 3]))
      const optimiser = tf.train.adam(0.1)
      const descend = ({ x: target }: One): Tensor =>
        optimiser.minimize(() => tf.sum(tf.square(tf.sub(weights, target))), true, [weights]) ?? tf.scalar(NaN)
      const one = engine().compile(descend)
      return async (target) => (compiled ? one.run({ x: target }) : tf.tidy(() => descend({ x: target })))
    }
    const [fast, slow] = [train(true), train(false)]
    const target = tf.tensor1d([0, 5, -2])
    for (let count = 0; count < 8; count++) expect(valuesOf(await fast(target))).toEqual(valuesOf(await slow(target)))
    tf.disposeVariables()
    await expect(step.run({ x })).rejects.toMatchObject({ message: expect.stringContaining('has been disposed') })
  })

  test('two steps that share a variable see one another’s assignments in the order of the calls', async () => {
    const { tf } = engine()
    const variable = tf.variable(tf.ones([400, 400]))
    const grow = engine().compile(({ x }: One) => {
      variable.assign(tf.matMul(variable as unknown as Tensor2D, x as Tensor2D))
      return tf.max(variable)
    })
    const shrink = engine().compile(({ x }: One) => {
      variable.assign(tf.div(variable, x))
      return tf.max(variable)
    })
    const [x, hundred] = [tf.fill([400, 400], 0.5), tf.scalar(100)]
    for (let round = 0; round < 4; round++) {
      const calls = [grow.run({ x }), shrink.run({ x: hundred }), grow.run({ x }), shrink.run({ x: hundred })]
      const results = (await Promise.all(calls)).map((tensor) => valuesOf(tensor)[0])
      const start = 4 ** round
      expect(results).toEqual([200 * start, 2 * start, 400 * start, 4 * start])
    }
    disposeTensors([x, hundred])
    grow.dispose()
    shrink.dispose()
    tf.disposeVariables()
  })

  test('leaves the event loop to others, and its inputs may be disposed during the call', async () => {
    const { tf } = engine()
    const step = engine().compile(({ x }: One) => {
      let product = x as Tensor2D
      for (let count = 0; count < 30; count++) product = tf.tanh(tf.matMul(product, x as Tensor2D))
      return tf.sum(product)
    })
    const make = (): Tensor => tf.fill([700, 700], 1 / 700)
    const first = make()
    disposeTensors(await step.run({ x: first }))
    const expected = valuesOf(await step.run({ x: first }))
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const x = tf.tensor(first.dataSync(), [700, 700])
    const call = step.run({ x })
    x.dispose()
    const second = step.run({ x: first })
    step.dispose()
    first.dispose()
    expect(valuesOf(await call)).toEqual(expected)
    expect(valuesOf(await second)).toEqual(expected)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
    await expect(step.run({ x: tf.scalar(1) })).rejects.toMatchObject({ message: expect.stringContaining('disposed') })
  })

  test('is left behind by an interruption, and goes on working', async () => {
    const { tf } = engine()
    const step = engine().compile(({ x }: One) => {
      let product = x as Tensor2D
      for (let count = 0; count < 20; count++) product = tf.tanh(tf.matMul(product, x as Tensor2D))
      return tf.sum(product)
    })
    const x = tf.fill([400, 400], 1 / 400)
    disposeTensors([await step.run({ x }), await step.run({ x })])
    const before = tensors()
    const call = step.run({ x })
    engine().interrupt()
    await expect(call).rejects.toMatchObject({ code: 'cancelled' })
    disposeTensors(await step.run({ x }))
    // What the call that was left behind still computes is thrown away.
    await vi.waitFor(() => expect(tensors()).toBe(before))
    engine().interrupt()
    step.dispose()
    x.dispose()
  })

  test('an operation that fails names itself and its line, and the step goes on working', async () => {
    const { tf } = engine()
    const rows = tf.tensor2d([1, 2, 3, 4], [2, 2])
    const step = engine().compile(({ x }: One) => tf.gather(rows, tf.add(x as Tensor1D, tf.scalar(0, 'int32'))), {
      name: 'pick',
    })
    const [good, bad] = [tf.tensor1d([1, 0], 'int32'), tf.tensor1d([1, 7], 'int32')]
    for (let count = 0; count < 4; count++) expect(valuesOf(await step.run({ x: good }))).toEqual([3, 4, 1, 2])
    const failure = { code: 'internal', message: expect.stringMatching(/pick failed in GatherV2 .*test\.ts:\d+.*7/) }
    bad.dataSync()
    const before = tensors()
    for (let count = 0; count < 3; count++) await expect(step.run({ x: bad })).rejects.toMatchObject(failure)
    expect(tensors()).toBeLessThanOrEqual(before + 1)
    expect(valuesOf(await step.run({ x: good }))).toEqual([3, 4, 1, 2])
    step.dispose()
  })

  test('leaves variables as they were where a step throws', async () => {
    const { tf } = engine()
    const variable = variableOf(tf.scalar(1))
    const step = engine().compile((): Tensor => {
      variable.assign(tf.scalar(2))
      throw new RangeError('no such unit')
    })
    const before = tensors()
    await expect(step.run([])).rejects.toThrow(new RangeError('no such unit'))
    expect(valuesOf(variable)).toEqual([1])
    expect(tensors()).toBe(before)
    tf.disposeVariables()
  })

  const calls = { count: 0 }
  const outside: { tensor?: Tensor } = {}
  const refused: readonly [string, (tf: ReturnType<typeof engine>['tf']) => Step<One, TensorTree>, RegExp][] = [
    [
      'reads values',
      (tf) =>
        ({ x }) =>
          tf.mul(x, x.dataSync()[0] ?? 0),
      /reads values .*test\.ts:\d+:\d+/,
    ],
    [
      'reads values later',
      (tf) =>
        ({ x }) => (void x.data(), tf.neg(x)),
      /reads values .*test\.ts:\d+:\d+/,
    ],
    ['awaits values', (tf) => (async ({ x }: One) => tf.mul(x, (await x.data())[0] ?? 0)) as never, /reads values/],
    [
      'prints',
      (tf) =>
        ({ x }) => (x.print(), tf.neg(x)),
      /reads values/,
    ],
    [
      'makes random numbers',
      (tf) =>
        ({ x }) =>
          tf.add(x, tf.randomNormal([2, 2])),
      /Add.*test\.ts:\d+/,
    ],
    [
      'drops out',
      (tf) =>
        ({ x }) =>
          tf.dropout(x, 0.5),
      /differs in two runs/,
    ],
    [
      'counts',
      (tf) =>
        ({ x }) =>
          tf.add(x, calls.count++),
      /\(\d and \d\), for Add.*test\.ts:\d+/,
    ],
    [
      'changes an attribute',
      (tf) =>
        ({ x }) =>
          tf.leakyRelu(x, 0.1 * ++calls.count),
      /alpha of LeakyRelu.*test\.ts/,
    ],
    [
      'changes an axis',
      (tf) =>
        ({ x }) =>
          tf.sum(x, calls.count++ % 2),
      /Sum.*test\.ts/,
    ],
    [
      'changes its way',
      (tf) =>
        ({ x }) =>
          calls.count++ % 2 ? tf.sin(x) : tf.cos(x),
      /went another way at (Sin|Cos)/,
    ],
    [
      'goes on',
      (tf) =>
        ({ x }) =>
          calls.count++ % 2 ? x : tf.cos(x),
      /another way|went on|other tensors/,
    ],
    [
      'swaps',
      (tf) =>
        ({ x }) =>
          calls.count++ % 2 ? tf.sub(x, tf.neg(x)) : tf.sub(tf.neg(x), x),
      /another way|elsewhere/,
    ],
    [
      'returns other tensors',
      () =>
        ({ x }) =>
          calls.count++ % 2 ? [x] : [x, x],
      /other tensors/,
    ],
    [
      'returns other names',
      () =>
        ({ x }): TensorTree =>
          calls.count++ % 2 ? { a: x } : { b: x },
      /other names/,
    ],
    [
      'keeps state outside',
      (tf) =>
        ({ x }) =>
          (outside.tensor = tf.keep(tf.add(x, outside.tensor ?? tf.zeros([2, 2])))),
      /two runs|second run/,
    ],
    [
      'draws',
      (tf) =>
        ({ x }) =>
          tf.multinomial(x as Tensor2D, 3),
      /Multinomial .*test\.ts:\d+:\d+\) keeps state/,
    ],
    [
      'finds unique values',
      (tf) =>
        ({ x }) =>
          tf.unique(tf.reshape(x, [4])).values,
      /depends on values/,
    ],
    ['makes strings', (tf) => () => tf.tensor(['a']), /strings/],
    [
      'makes variables',
      (tf) =>
        ({ x }) =>
          tf.variable(x, false).sum(),
      /makes variables in every call/,
    ],
  ]
  test.each(refused)('is refused where it %s', async (_, make, message) => {
    const { tf } = engine()
    const x = uploaded(tf.tensor2d([1, 2, 3, 4], [2, 2]))
    outside.tensor = undefined
    const step = engine().compile(make(tf), { name: 'wrong' })
    const run = async (): Promise<void> => {
      for (let count = 0; count < 2; count++) await step.run({ x })
    }
    await expect(run()).rejects.toMatchObject({ code: 'internal', message: expect.stringMatching(message) })
    // The engine works as before.
    expect(valuesOf(tf.add(x, 1))).toEqual([2, 3, 4, 5])
    step.dispose()
    tf.disposeVariables()
  })

  test('frees everything that a refused step made', async () => {
    const { tf } = engine()
    const x = uploaded(tf.tensor2d([1, 2, 3, 4], [2, 2]))
    const before = tensors()
    const steps: Step<One, TensorTree>[] = [
      (given) => tf.add(given.x, calls.count++),
      (given) => tf.mul(tf.sin(given.x), given.x.dataSync()[0] ?? 0),
      (given) => [tf.sin(given.x), 3 as unknown as Tensor],
    ]
    for (const step of steps)
      await expect(engine().compile(step).run({ x })).rejects.toMatchObject({ code: 'internal' })
    expect(tensors()).toBe(before)
  })

  test('refuses disposed inputs and calls inside a gradient', async () => {
    const { tf } = engine()
    const step = engine().compile(({ x }: One) => tf.square(x), { name: 'square' })
    const x = tf.scalar(3)
    disposeTensors(await step.run({ x }))
    const pending: { call?: Promise<Tensor> } = {}
    tf.grad((value) => {
      pending.call = step.run({ x: value })
      return tf.square(value)
    })(x)
    await expect(pending.call).rejects.toMatchObject({ message: expect.stringContaining('inside a gradient') })
    x.dispose()
    await expect(step.run({ x })).rejects.toMatchObject({ message: expect.stringContaining('has been disposed') })
    step.dispose()
  })
})
