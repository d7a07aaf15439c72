/**
 * Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3): y = x · s^-beta with s = k + a · sum of x² over
 * `size` channels around, where a is `alpha / size` (Caffe, torch, ONNX) or `alpha` (Krizhevsky, MatConvNet). With an even size the
 * extra channel is above.
 */
import type { Tensor2D } from '@tensorflow/tfjs'
import type { LayerOf } from '../../../shared/network/spec.ts'
import {
  channelsOf,
  elementwise,
  need,
  only,
  type LayerImplementation,
  type Tensor,
  type TensorFlow,
} from '../layer.ts'

export const lrn: LayerImplementation<'lrn'> = {
  ...elementwise,
  forward({ tf, spec }, inputs, mode) {
    const x = only(inputs)
    if (!mode.training) {
      const output = tf.mul(x, fall(tf, scaleOf(tf, spec, x), spec.beta))
      return mode.saving ? { output, saved: { x } } : { output }
    }
    // Own gradient: the library's has no even window.
    const differentiable = tf.customGrad((input, save) => {
      if (typeof input === 'function' || typeof save !== 'function')
        throw new TypeError('unexpected arguments of a custom gradient')
      save([input])
      return {
        value: tf.mul(input, fall(tf, scaleOf(tf, spec, input), spec.beta)),
        gradFunc: (signal, saved) => derivative(tf, spec, signal, only(saved)),
      }
    })
    return { output: differentiable(x) }
  },
  backward({ tf, spec }, signal, saved, rules) {
    return [rules.lrn === 'identity' ? signal : derivative(tf, spec, signal, need(saved, 'x'))]
  },
}

/** dx = R · s^-beta - 2 · a · beta · x · (transposed window sum of R · x · s^(-beta - 1)). */
function derivative(tf: TensorFlow, spec: LayerOf<'lrn'>, signal: Tensor, x: Tensor): Tensor {
  const scale = scaleOf(tf, spec, x)
  const power = fall(tf, scale, spec.beta)
  const weighted = tf.mul(signal, tf.div(tf.mul(x, power), scale))
  const back = sumChannels(tf, weighted, band(tf, channelsOf(x.shape), spec.size), true)
  return tf.sub(tf.mul(signal, power), tf.mul(tf.mul(back, x), 2 * alphaOf(spec) * spec.beta))
}

/** s^-beta. Square roots cost a tenth of a power, and nearly all published networks have beta 0.75. */
function fall(tf: TensorFlow, scale: Tensor, beta: number): Tensor {
  if (beta !== 0.75) return tf.pow(scale, -beta)
  const root = tf.rsqrt(scale)
  return tf.mul(root, tf.sqrt(root))
}

function alphaOf({ convention, alpha, size }: LayerOf<'lrn'>): number {
  return convention === 'caffe' ? alpha / size : alpha
}

function scaleOf(tf: TensorFlow, spec: LayerOf<'lrn'>, x: Tensor): Tensor {
  const sums = sumChannels(tf, tf.square(x), band(tf, channelsOf(x.shape), spec.size), false)
  return tf.add(tf.mul(sums, alphaOf(spec)), spec.k)
}

/** `[from channel, to channel]`: 1 where the channel lies in the window. A product with it sums the windows in one call. */
function band(tf: TensorFlow, channels: number, size: number): Tensor2D {
  const below = Math.floor((size - 1) / 2)
  const above = size - 1 - below
  const values = new Float32Array(channels * channels)
  for (let to = 0; to < channels; to++) {
    for (let from = Math.max(to - below, 0); from <= Math.min(to + above, channels - 1); from++)
      values[from * channels + to] = 1
  }
  return tf.tensor2d(values, [channels, channels])
}

function sumChannels(tf: TensorFlow, x: Tensor, window: Tensor2D, transposed: boolean): Tensor {
  const channels = channelsOf(x.shape)
  const cells = x.size / channels
  const rows: Tensor2D = tf.reshape(x, [cells, channels])
  return tf.reshape(tf.matMul(rows, window, false, transposed), x.shape)
}
