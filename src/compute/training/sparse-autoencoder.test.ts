import type { Tensor2D } from '@tensorflow/tfjs'
import { beforeAll, expect, it } from 'vitest'
import { Pretraining } from '../../shared/experiments/train-classifier.ts'
import type { Engine } from '../engines/engine.ts'
import { startNamed } from '../engines/start-named.ts'
import { RandomStream } from '../random.ts'
import type { Tensors } from './optimiser.ts'
import { rateAt } from './pretraining.ts'
import { autoencoderLoss } from './sparse-autoencoder.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startNamed('wasm', { threads: 1 })
})

const [pictures, inputs, units] = [5, 6, 3]
const pretraining = Pretraining.parse({ kind: 'sparse-autoencoder', activity: 0.2, sparsityWeight: 0.7, lambda: 0.3 })
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))

/** The formula of `Pretraining`, value by value in float64. */
function expectedLoss(x: Float32Array, weights: Record<string, Float32Array | Float64Array>): number {
  const at = (name: string, index: number): number => weights[name]?.[index] ?? NaN
  const means = new Float64Array(units)
  let error = 0
  for (let picture = 0; picture < pictures; picture++) {
    const pixel = (index: number): number => x[picture * inputs + index] ?? NaN
    const code = Array.from({ length: units }, (_, unit) => {
      let sum = at('bias', unit)
      for (let index = 0; index < inputs; index++) sum += pixel(index) * at('kernel', index * units + unit)
      return sigmoid(sum)
    })
    code.forEach((value, unit) => (means[unit] = (means[unit] ?? 0) + value / pictures))
    for (let index = 0; index < inputs; index++) {
      let sum = at('backBias', index)
      code.forEach((value, unit) => (sum += value * at('backKernel', unit * inputs + index)))
      error += (sigmoid(sum) - pixel(index)) ** 2 / 2
    }
  }
  const divergence = means.reduce((sum, m) => sum + 0.2 * Math.log(0.2 / m) + 0.8 * Math.log(0.8 / (1 - m)), 0)
  const squares = ['kernel', 'backKernel']
    .flatMap((name) => [...(weights[name] ?? [])])
    .reduce((sum, w) => sum + w * w, 0)
  return error / pictures + 0.7 * divergence + (0.3 / 2) * squares
}

it('is the formula, and its gradient', () => {
  const { tf } = engine
  const random = new RandomStream(4, 'order')
  const normal = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal())
  const values = {
    kernel: normal(inputs * units),
    bias: normal(units),
    backKernel: normal(units * inputs),
    backBias: normal(inputs),
  }
  const shapes = { kernel: [inputs, units], bias: [units], backKernel: [units, inputs], backBias: [inputs] }
  const x = Float32Array.from({ length: pictures * inputs }, () => random.uniform())
  const weights: Tensors = Object.fromEntries(
    Object.entries(values).map(([name, data]) => [name, tf.tensor(data, shapes[name as keyof typeof shapes])]),
  )
  const batch: Tensor2D = tf.tensor2d(x, [pictures, inputs])
  const { loss, gradients, activity } = autoencoderLoss(tf, weights, batch, pretraining)
  expect(loss.dataSync()[0]).toBeCloseTo(expectedLoss(x, values), 4)
  expect(activity.dataSync()[0]).toBeGreaterThan(0)
  for (const [name, data] of Object.entries(values)) {
    const gradient = gradients[name]?.dataSync() ?? []
    for (const index of data.keys()) {
      const moved = (by: number): number => {
        const changed = Float64Array.from(data, (value, place) => (place === index ? value + by : value))
        return expectedLoss(x, { ...values, [name]: changed })
      }
      expect(gradient[index], `${name} ${index}`).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 3)
    }
  }
})

it('has a rate that stays for half of the steps and ends at a fiftieth', () => {
  const rates = [1, 50, 75, 100].map((step) => rateAt({ ...pretraining, learningRate: 0.5 }, step, 100))
  expect(rates.map((rate) => Number(rate.toFixed(6)))).toEqual([0.5, 0.5, 0.255, 0.01])
})
