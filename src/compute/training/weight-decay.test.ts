import { beforeAll, expect, it } from 'vitest'
import { WeightDecay } from '../../shared/experiments/train-classifier.ts'
import { startNamed } from '../engines/start-named.ts'
import type { Engine } from '../engines/index.ts'
import { limitFilters } from './filter-limit.ts'
import { networkOf } from './testing/stored-training.ts'
import { decayFactors } from './weight-decay.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startNamed('wasm', { threads: 1 })
})

const graph = networkOf([
  { name: 'input', type: 'input', shape: [6, 6, 1] },
  { name: 'conv', type: 'conv2d', filters: 4, kernel: [3, 3] },
  { name: 'relu', type: 'relu' },
  { name: 'flatten', type: 'flatten' },
  { name: 'dense', type: 'dense', units: 10 },
])
const factors = (decay: object): Record<string, number> => decayFactors(graph, WeightDecay.parse(decay))

it('decays kernels, in the reading that was chosen', () => {
  expect(factors({})).toEqual({})
  expect(factors({ lambda: 0.5 })).toEqual({ 'conv/kernel': 0.5, 'dense/kernel': 0.5 })
  expect(factors({ lambda: [0, 0.1], reading: 'szegedy' })).toEqual({ 'dense/kernel': 0.1, 'dense/bias': 0.1 })
  // λ · Σ w² / k has the gradient 2 λ w / k.
  expect(factors({ lambda: [0.4, 1], reading: 'szegedy-printed' })).toEqual({ 'conv/kernel': 0.2, 'dense/kernel': 0.2 })
})

it('refuses another number of λ than there are layers', () => {
  expect(() => factors({ lambda: [1, 2, 3] })).toThrow('3 λ for weight decay, and 2 layers')
})

it('scales large filters down to the limit and leaves the others', () => {
  const { tf } = engine
  const kernel = tf.tensor4d([0.05, 3, -0.05, 4], [2, 1, 1, 2])
  const limited = limitFilters(tf, kernel, 0.1)
  const [small, large] = [0, 1].map((filter) =>
    Array.from(limited.dataSync()).filter((_, place) => place % 2 === filter),
  )
  expect(small).toEqual([Math.fround(0.05), Math.fround(-0.05)])
  expect(Math.hypot(...(large ?? [])) / Math.SQRT2).toBeCloseTo(0.1, 6)
  expect((large?.[1] ?? NaN) / (large?.[0] ?? NaN)).toBeCloseTo(4 / 3, 6)
})
