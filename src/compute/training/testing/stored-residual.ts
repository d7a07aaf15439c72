/** The stored training of a residual network with batch normalisation, step by step, on whatever engine. */
import { join } from 'node:path'
import type { Tensor4D } from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../engines/index.ts'
import { CaseFile } from '../../network/conformance/case-file.ts'
import { logitsOf } from '../classifier-logits.ts'
import { lossAndGradients, trainingStep, type TrainingOutputs } from '../classifier-step.ts'
import { byRole } from '../network-tensors.ts'
import { initialState, stepScalars, type BatchOptimiser, type Tensors } from '../optimiser.ts'
import { difference, networkOf } from './stored-training.ts'

const CONFORMANCE = join(import.meta.dirname, '../../../../tests/conformance')

export function storedResidualTests(engineOf: () => Engine): void {
  describe('the stored training of a residual network', () => {
    const load = async () => {
      const engine = engineOf()
      const { tf } = engine
      const file = await CaseFile.read(CONFORMANCE, 'training-residual')
      const graph = networkOf((file.json.network as { layers: unknown[] }).layers, { channelOrder: 'rgb' })
      const names = file.arrayNames
        .filter((name) => name.startsWith('start/'))
        .map((name) => name.slice('start/'.length))
      const start: Tensors = Object.fromEntries(names.map((name) => [name, file.tensor(tf, `start/${name}`)]))
      const pictures = file.values('pictures')
      const images: Tensor4D = tf.tensor(
        Float32Array.from(pictures.data, (byte) => byte / 255 - 0.5),
        pictures.shape as [number, number, number, number],
      )
      const labels = tf.tensor1d(Int32Array.from(file.values('labels').data), 'int32')
      const values = (name: string): ArrayLike<number> => file.values(name).data
      return { tf, graph, names, start, images, labels, values, logits: logitsOf(engine, graph), file }
    }

    it('has the stored gradients through the statistics of the batch', async () => {
      const { tf, graph, start, images, labels, logits, values } = await load()
      const { weights, statistics: others } = byRole(graph, start)
      const { gradients, loss } = lossAndGradients(tf, logits, { weights, others, images, labels, masks: {} })
      expect(loss.dataSync()[0]).toBeCloseTo(values('losses')[0] ?? NaN, 5)
      expect(Object.keys(gradients)).toHaveLength(29)
      for (const [name, gradient] of Object.entries(gradients)) {
        expect(difference(gradient.dataSync(), values(`gradient/${name}`)), name).toBeLessThan(1e-4)
      }
    })

    it('has the stored losses, weights, running statistics and logits through a compiled step', async () => {
      const { tf, graph, names, start, images, labels, logits, values, file } = await load()
      const { rate, momentum, steps } = file.json.parameters as { rate: number; momentum: number; steps: number }
      const used = (tensors: Tensors): ArrayLike<number> => logits(tensors, images, undefined).logits.dataSync()
      expect(difference(used(start), values('logits/start'))).toBeLessThan(1e-4)
      const optimiser: BatchOptimiser = { kind: 'momentum', learningRate: rate, momentum, nesterov: false }
      const step = engineOf().compile(trainingStep(tf, logits, optimiser))
      const { frozen, ...first } = byRole(graph, start)
      const sums = { lossSum: tf.scalar(0), errorSum: tf.scalar(0) }
      let current: TrainingOutputs = { ...first, state: initialState(tf, optimiser, first.weights), ...sums }
      const summed: number[] = [0]
      for (let index = 1; index <= steps; index++) {
        const scalars = Object.fromEntries(
          Object.entries(stepScalars(optimiser, rate, index)).map(([name, value]) => [name, tf.scalar(value)]),
        ) as {
          learningRate: typeof sums.lossSum
          firstCorrection: typeof sums.lossSum
          secondCorrection: typeof sums.lossSum
        }
        current = await step.run({ ...current, frozen, scalars, images, labels, masks: {} })
        summed.push(current.lossSum.dataSync()[0] ?? NaN)
        if (index !== 1 && index !== steps) continue
        const all = { ...current.weights, ...current.statistics }
        expect(Object.keys(all).sort()).toEqual([...names].sort())
        for (const [name, tensor] of Object.entries(all)) {
          expect(difference(tensor.dataSync(), values(`after/${index}/${name}`)), `${name} ${index}`).toBeLessThan(1e-3)
        }
      }
      const losses = summed.slice(1).map((sum, index) => sum - (summed[index] ?? NaN))
      expect(difference(losses, values('losses'))).toBeLessThan(1e-4)
      expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] ?? NaN))
      expect(difference(used({ ...current.weights, ...current.statistics }), values('logits/end'))).toBeLessThan(1e-3)
      step.dispose()
    })
  })
}
