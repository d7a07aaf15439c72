/** The stored training of a small classifier: gradients, and ten steps of each optimiser, on whatever engine. */
import { join } from 'node:path'
import type { Tensor4D } from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { NetworkSpec } from '../../../shared/network/spec.ts'
import type { Engine } from '../../engines/index.ts'
import { CaseFile } from '../../network/conformance/case-file.ts'
import { buildGraph } from '../../network/graph.ts'
import { logitsOf } from '../classifier-logits.ts'
import { lossAndGradients, trainingStep, type TrainingInputs, type TrainingOutputs } from '../classifier-step.ts'
import { decayFactors } from '../weight-decay.ts'
import { initialState, stepScalars, type BatchOptimiser, type Tensors } from '../optimiser.ts'

const CONFORMANCE = join(import.meta.dirname, '../../../../tests/conformance')

export const networkOf = (layers: unknown[], preprocessing: object = { channelOrder: 'grey' }) =>
  buildGraph(
    NetworkSpec.parse({
      format: 'convscope-network',
      version: 1,
      name: 'test',
      title: 'Test',
      preprocessing,
      layers,
    }),
  )

/** Network A of the stored case. */
const networkA = () =>
  networkOf([
    { name: 'input', type: 'input', shape: [28, 28, 1] },
    { name: 'conv1', type: 'conv2d', filters: 8, kernel: [5, 5] },
    { name: 'relu1', type: 'relu' },
    { name: 'pool1', type: 'max-pool', kernel: [2, 2], stride: [2, 2] },
    { name: 'conv2', type: 'conv2d', filters: 16, kernel: [5, 5] },
    { name: 'relu2', type: 'relu' },
    { name: 'pool2', type: 'max-pool', kernel: [2, 2], stride: [2, 2] },
    { name: 'flatten', type: 'flatten' },
    { name: 'fc3', type: 'dense', units: 32 },
    { name: 'relu3', type: 'relu' },
    { name: 'fc4', type: 'dense', units: 10 },
  ])

/** The case prints λ · Σ w² / k. */
const storedDecay = (): Record<string, number> =>
  decayFactors(networkA(), { reading: 'szegedy-printed', lambda: [0.01, 0.03, 0.1, 0.01] })

/** Largest difference, relative to the largest expected magnitude. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0
  let scale = 0
  for (let index = 0; index < expected.length; index++) {
    largest = Math.max(largest, Math.abs((actual[index] ?? NaN) - (expected[index] ?? 0)))
    scale = Math.max(scale, Math.abs(expected[index] ?? 0))
  }
  return largest / scale
}

export function storedTrainingTests(engineOf: () => Engine): void {
  describe('the stored training of network A', () => {
    const names = ['conv1', 'conv2', 'fc3', 'fc4'].flatMap((layer) => [`${layer}/kernel`, `${layer}/bias`])
    const load = async () => {
      const engine = engineOf()
      const { tf } = engine
      const file = await CaseFile.read(CONFORMANCE, 'training-classifier')
      const weights: Tensors = Object.fromEntries(names.map((name) => [name, file.tensor(tf, `weights/${name}`)]))
      const images = file.tensor(tf, 'batch') as Tensor4D
      const labels = tf.tensor1d(Int32Array.from(file.values('labels').data), 'int32')
      return { file, weights, images, labels, logits: logitsOf(engine, networkA()) }
    }

    it('has the stored gradients', async () => {
      const { file, weights, images, labels, logits } = await load()
      const { gradients, errors } = lossAndGradients(engineOf().tf, logits, { weights, images, labels, masks: {} })
      for (const name of names) {
        const stored = file.values(`grad/plain/${name}`)
        expect(difference(gradients[name]?.dataSync() ?? [], stored.data), name).toBeLessThan(1e-4)
      }
      expect(errors.dataSync()[0]).toBeGreaterThanOrEqual(0)
    })

    it.each<[loss: string, title: string, optimiser: BatchOptimiser]>([
      ['plain', 'adam', { kind: 'adam', learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }],
      ['decay', 'adam', { kind: 'adam', learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }],
      ['plain', 'sgd-momentum', { kind: 'momentum', learningRate: 0.02, momentum: 0.9, nesterov: false }],
    ])(
      'has the stored weights with %s loss after 10 steps of %s, through a compiled step',
      async (loss, title, optimiser) => {
        const engine = engineOf()
        const { tf } = engine
        const { file, weights: start, images, labels, logits } = await load()
        const step = engine.compile(
          trainingStep(tf, logits, optimiser, { decay: loss === 'decay' ? storedDecay() : {} }),
        )
        const sums = { lossSum: tf.scalar(0), errorSum: tf.scalar(0) }
        let current: TrainingOutputs = {
          weights: start,
          statistics: {},
          state: initialState(tf, optimiser, start),
          ...sums,
        }
        const firstLosses: number[] = []
        for (let index = 1; index <= 10; index++) {
          const numbers = stepScalars(optimiser, optimiser.learningRate, index)
          const scalars = {
            learningRate: tf.scalar(numbers.learningRate),
            firstCorrection: tf.scalar(numbers.firstCorrection),
            secondCorrection: tf.scalar(numbers.secondCorrection),
          }
          const inputs: TrainingInputs = { ...current, frozen: {}, scalars, images, labels, masks: {} }
          current = await step.run(inputs)
          firstLosses.push(current.lossSum.dataSync()[0] ?? NaN)
        }
        // The stored losses include the decay, which a training does not add up.
        const losses = file.values(`loss/plain/${title}`).data
        expect(firstLosses[0]).toBeCloseTo(losses[0] ?? NaN, 5)
        if (loss === 'plain') {
          const total = Array.from(losses)
            .slice(0, 10)
            .reduce((sum, each) => sum + each, 0)
          expect(firstLosses[9]).toBeCloseTo(total, 3)
        }
        for (const name of names) {
          const before = file.values(`weights/${name}`).data
          const change = (values: ArrayLike<number>): number[] =>
            Array.from(values, (value, place) => value - (before[place] ?? 0))
          const stored = file.values(`w/${loss}/${title}/10/${name}`).data
          expect(difference(change(current.weights[name]?.dataSync() ?? []), change(stored)), name).toBeLessThan(1e-2)
        }
      },
    )
  })
}
