import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { startNamed } from '../engines/start-named.ts'
import { disposeTensors, type Engine } from '../engines/index.ts'
import { initialWeights } from '../network/architectures/initial-weights.ts'
import { RandomStream } from '../random.ts'
import { logitsOf } from './classifier-logits.ts'
import { lossAndGradients } from './classifier-step.ts'
import { byRole } from './network-tensors.ts'
import type { Tensors } from './optimiser.ts'
import { uploadTensors } from './tensor-file.ts'
import { storedResidualTests } from './testing/stored-residual.ts'
import { networkOf, storedTrainingTests } from './testing/stored-training.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startNamed('wasm', { threads: 1 })
})

storedTrainingTests(() => engine)
storedResidualTests(() => engine)

describe('lossAndGradients', () => {
  /** Smooth layers only: at a kink, a central difference is not the gradient. */
  const smooth = () =>
    networkOf([
      { name: 'input', type: 'input', shape: [6, 6, 1] },
      { name: 'conv', type: 'conv2d', filters: 3, kernel: [3, 3] },
      { name: 'norm', type: 'batch-norm' },
      { name: 'tanh', type: 'tanh' },
      { name: 'pool', type: 'avg-pool', kernel: [2, 2], stride: [2, 2] },
      { name: 'flatten', type: 'flatten' },
      { name: 'dense1', type: 'dense', units: 8 },
      { name: 'sigmoid', type: 'sigmoid' },
      { name: 'dropout', type: 'dropout', rate: 0.5 },
      { name: 'dense2', type: 'dense', units: 4 },
      { name: 'softmax', type: 'softmax' },
    ])

  it('agrees with central differences along random directions, dropout and batch statistics included', () => {
    const { tf } = engine
    const graph = smooth()
    const logits = logitsOf(engine, graph)
    const { weights, statistics: others } = byRole(graph, uploadTensors(tf, initialWeights(graph, 3)))
    const random = new RandomStream(3, 'order')
    const images = tf.tensor4d(
      Float32Array.from({ length: 5 * 36 }, () => random.normal()),
      [5, 6, 6, 1],
    )
    const labels = tf.tensor1d([0, 1, 2, 3, 1], 'int32')
    const masks = { dropout: tf.tensor2d(new RandomStream(3, 'dropout').dropoutMask(40, 0.5), [5, 8]) }
    const lossAt = (at: Tensors): number =>
      tf.tidy(
        () => lossAndGradients(tf, logits, { weights: at, others, images, labels, masks }).loss.dataSync()[0] ?? NaN,
      )
    const { gradients } = lossAndGradients(tf, logits, { weights, others, images, labels, masks })
    for (const [name, weight] of Object.entries(weights)) {
      const direction = tf.tensor(
        Float32Array.from({ length: weight.size }, () => random.normal()),
        weight.shape,
      )
      const moved = (distance: number): Tensors => ({ ...weights, [name]: tf.add(weight, tf.mul(direction, distance)) })
      const distance = 4e-3
      const measured = (lossAt(moved(distance)) - lossAt(moved(-distance))) / (2 * distance)
      const predicted = tf.sum(tf.mul(gradients[name] ?? tf.scalar(NaN), direction)).dataSync()[0] ?? NaN
      expect(Math.abs(measured - predicted), name).toBeLessThan(1e-3 * Math.max(Math.abs(predicted), 0.1))
    }
  })

  it('leaves nothing behind but its results', () => {
    const { tf } = engine
    const graph = smooth()
    const { weights, statistics: others } = byRole(graph, uploadTensors(tf, initialWeights(graph, 3)))
    const images: Tensor4D = tf.zeros([2, 6, 6, 1])
    const labels: Tensor1D = tf.tensor1d([0, 1], 'int32')
    const masks = { dropout: tf.ones([2, 8]) }
    const before = tf.memory().numTensors
    const results = tf.tidy(() =>
      lossAndGradients(tf, logitsOf(engine, graph), { weights, others, images, labels, masks }),
    )
    disposeTensors(results)
    expect(tf.memory().numTensors).toBe(before)
  })
})
