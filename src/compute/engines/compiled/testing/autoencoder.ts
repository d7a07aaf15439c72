/** The training step of a small convolutional autoencoder with Adam, everything that varies among its inputs. */
import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs'
import type { Step, Tfjs } from '../../engine.ts'

export type AutoencoderState = { weights: Tensor[]; first: Tensor[]; second: Tensor[] }
export type AutoencoderInputs = {
  state: AutoencoderState
  /** `[batch, size, size, 3]`; the size is divisible by two to the power of the layers. */
  images: Tensor4D
  scalars: { rate: Tensor; first: Tensor; second: Tensor }
}
export type AutoencoderOutputs = { state: AutoencoderState; loss: Scalar }

/** Channels after each layer of the encoder, and the size of its kernels. */
export interface AutoencoderForm {
  readonly channels: readonly number[]
  readonly kernel: number
}

const SMALL: AutoencoderForm = { channels: [8, 12], kernel: 4 }

/** Weights from a seed, moments zero. The encoder's filters come first, then the decoder's from the top down. */
export function autoencoderState(
  tf: Tfjs,
  seed: number,
  { channels, kernel }: AutoencoderForm = SMALL,
): AutoencoderState {
  const pairs = channels.map((outer, index) => [channels[index - 1] ?? 3, outer] as const)
  const shapes = [...pairs, ...pairs.toReversed()].map(([inner, outer]) => [kernel, kernel, inner, outer])
  const weights = shapes.map((shape, index) => {
    const range = Math.sqrt(6 / (kernel * kernel * ((shape[2] ?? 1) + (shape[3] ?? 1))))
    return tf.randomUniform(shape, -range, range, 'float32', seed + index)
  })
  const zeros = (): Tensor[] => shapes.map((shape) => tf.zeros(shape))
  return { weights, first: zeros(), second: zeros() }
}

/** One step of Adam on the mean squared error of the reconstruction: strided convolutions, ReLU, transposed convolutions, sigmoid. */
export function autoencoderStep(tf: Tfjs): Step<AutoencoderInputs, AutoencoderOutputs> {
  const reconstruct = (weights: readonly Tensor[], images: Tensor4D): Tensor4D => {
    const depth = weights.length / 2
    const shapes = [images.shape]
    let code = images
    for (const filter of weights.slice(0, depth)) {
      code = tf.relu(tf.conv2d(code, filter as Tensor4D, 2, 'same'))
      shapes.push(code.shape)
    }
    for (const [index, filter] of weights.slice(depth).entries()) {
      const wanted = shapes[depth - 1 - index] ?? images.shape
      code = tf.conv2dTranspose(code, filter as Tensor4D, wanted, 2, 'same')
      code = index === depth - 1 ? tf.sigmoid(code) : tf.relu(code)
    }
    return code
  }
  return ({ state, images, scalars }) => {
    const loss = (...weights: Tensor[]): Scalar => tf.mean(tf.square(tf.sub(reconstruct(weights, images), images)))
    const { value, grads } = tf.valueAndGrads(loss)(state.weights)
    const first = state.first.map((moment, index) => tf.add(tf.mul(moment, 0.9), tf.mul(grads[index] ?? 0, 0.1)))
    const second = state.second.map((moment, index) =>
      tf.add(tf.mul(moment, 0.999), tf.mul(tf.square(grads[index] ?? 0), 0.001)),
    )
    const weights = state.weights.map((weight, index) => {
      const scale = tf.add(tf.sqrt(tf.div(second[index] ?? 0, scalars.second)), 1e-7)
      return tf.sub(weight, tf.mul(scalars.rate, tf.div(tf.div(first[index] ?? 0, scalars.first), scale)))
    })
    return { state: { weights, first, second }, loss: value as Scalar }
  }
}
