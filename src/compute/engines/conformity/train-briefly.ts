/** A short training run whose outcome tells whether an engine repeats itself bit for bit. */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import { noiseArray } from './conformity-case.ts'
import type { Engine } from '../engine.ts'
import { disposeTensors } from '../tensor-tree.ts'

const BATCH = 4
const STEPS = 5
const RATE = 0.1

/**
 * Five steps of gradient descent of a small network with strided, transposed and 1×1 convolutions, max pooling and a dense layer.
 * @returns the loss of every step and all parameters at the end, as they are on the engine.
 */
export async function trainBriefly(engine: Engine): Promise<Float32Array> {
  const { tf } = engine
  const noise = (shape: number[], seed: number, scale: number): Tensor =>
    tf.tensor(
      Float32Array.from(noiseArray(shape, seed).data, (value) => scale * value),
      shape,
    )
  const images = noise([BATCH, 16, 16, 3], 1, 1)
  const targets = noise([BATCH, 12, 12, 4], 2, 1)
  const labels = tf.tidy(() => tf.oneHot(tf.range(0, BATCH, 1, 'int32'), 10, 1, 0, 'float32'))
  let parameters: Tensor[] = [
    noise([5, 5, 3, 8], 3, 0.2),
    noise([1, 1, 8, 8], 4, 0.2),
    noise([2, 2, 4, 8], 5, 0.2),
    noise([6 * 6 * 8, 10], 6, 0.1),
  ]
  const step = engine.compile(
    (inputs: { parameters: Tensor[]; images: Tensor; targets: Tensor; labels: Tensor }) => {
      const loss = (...[first, second, third, dense]: Tensor[]): Tensor => {
        if (first === undefined || second === undefined || third === undefined || dense === undefined)
          throw new Error('four parameters')
        const low = tf.relu(tf.conv2d(inputs.images as Tensor4D, first as Tensor4D, 1, 'valid'))
        const code = tf.tanh(tf.conv2d(tf.maxPool(low, 2, 2, 'valid'), second as Tensor4D, 1, 'valid'))
        const rebuilt = tf.conv2dTranspose(code, third as Tensor4D, [BATCH, 12, 12, 4], 2, 'valid')
        const logits = tf.matMul(tf.reshape(code, [BATCH, 6 * 6 * 8]), dense)
        return tf.add(
          tf.losses.meanSquaredError(inputs.targets, rebuilt),
          tf.losses.softmaxCrossEntropy(inputs.labels, logits),
        )
      }
      const { value, grads } = tf.valueAndGrads(loss)(inputs.parameters)
      const next = inputs.parameters.map((parameter, index) => tf.sub(parameter, tf.mul(grads[index] ?? 0, RATE)))
      return { loss: value, parameters: next }
    },
    { name: 'training check' },
  )
  const outcome: number[] = []
  for (let count = 0; count < STEPS; count++) {
    const result = await step.run({ parameters, images, targets, labels })
    disposeTensors(parameters)
    parameters = result.parameters
    outcome.push(...(await result.loss.data()))
    result.loss.dispose()
  }
  for (const parameter of parameters) outcome.push(...(await parameter.data()))
  step.dispose()
  disposeTensors([...parameters, images, targets, labels])
  return Float32Array.from(outcome)
}
