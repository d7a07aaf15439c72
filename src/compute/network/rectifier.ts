/** What the elementwise activation functions share: the way down under the three rules, and gradients for training. */
import type { WalkRules } from '../../shared/network/rules.ts'
import type { LayerOf, LayerType } from '../../shared/network/spec.ts'
import {
  elementwise,
  need,
  only,
  type LayerImplementation,
  type Tensor,
  type TensorFlow,
  type Tensors,
} from './layer.ts'

/** Layers of which the way down depends on the rule for ReLU. */
export const RECTIFIERS: ReadonlySet<LayerType> = new Set(['relu', 'leaky-relu', 'relu6', 'elu', 'silu', 'gelu'])

interface Activation<T extends LayerType> {
  value(tf: TensorFlow, x: Tensor, spec: LayerOf<T>): Tensor
  /** Which tensor the derivative is computed from. */
  readonly from: 'input' | 'output'
  derivative(tf: TensorFlow, from: Tensor, spec: LayerOf<T>): Tensor
  /** What the rules 'deconvnet' and 'guided' do to the signal; absent where the function does not rectify. */
  rectify?(tf: TensorFlow, signal: Tensor, spec: LayerOf<T>): Tensor
  /** Whether the library's own gradient is there and right on every engine. */
  readonly libraryGradient: boolean
}

/** The layer of an elementwise function; `WalkRules` says what each rule means. */
export function activationLayer<T extends LayerType>(activation: Activation<T>): LayerImplementation<T> {
  return {
    ...elementwise,
    forward({ tf, spec }, inputs, mode) {
      const x = only(inputs)
      if (mode.training) {
        return {
          output: activation.libraryGradient ? activation.value(tf, x, spec) : differentiable(tf, activation, x, spec),
        }
      }
      const output = activation.value(tf, x, spec)
      return mode.saving
        ? { output, saved: { [activation.from]: activation.from === 'input' ? x : output } }
        : { output }
    },
    backward({ tf, spec }, signal, saved, rules) {
      return [carryDown(tf, activation, spec, signal, saved, rules.relu)]
    },
  }
}

function carryDown<T extends LayerType>(
  tf: TensorFlow,
  activation: Activation<T>,
  spec: LayerOf<T>,
  signal: Tensor,
  saved: Tensors,
  rule: WalkRules['relu'],
): Tensor {
  if (rule === 'redirected') return redirected(tf, activation, spec, signal, saved)
  const rectify = rule === 'gradient' ? undefined : activation.rectify
  const rectified = rectify === undefined ? signal : rectify(tf, signal, spec)
  if (rule === 'deconvnet' && rectify !== undefined) return rectified
  return tf.mul(rectified, activation.derivative(tf, need(saved, activation.from), spec))
}

function redirected<T extends LayerType>(
  tf: TensorFlow,
  activation: Activation<T>,
  spec: LayerOf<T>,
  signal: Tensor,
  saved: Tensors,
): Tensor {
  const through = tf.mul(signal, activation.derivative(tf, need(saved, activation.from), spec))
  if (activation.rectify === undefined) return through
  const axes = signal.shape.slice(1).map((_, axis) => axis + 1)
  const isThrough = tf.cast(tf.greater(tf.sum(tf.abs(through), axes, true), 0), 'float32')
  const rectified = tf.mul(activation.rectify(tf, signal, spec), tf.sub(1, isThrough))
  return tf.add(through, rectified)
}

function differentiable<T extends LayerType>(
  tf: TensorFlow,
  activation: Activation<T>,
  x: Tensor,
  spec: LayerOf<T>,
): Tensor {
  const apply = tf.customGrad((input, save) => {
    if (typeof input === 'function' || typeof save !== 'function')
      throw new TypeError('unexpected arguments of a custom gradient')
    const value = activation.value(tf, input, spec)
    save([activation.from === 'input' ? input : value])
    return {
      value,
      gradFunc: (signal, saved) => tf.mul(signal, activation.derivative(tf, only(saved), spec)),
    }
  })
  return apply(x)
}

/** rect(R) of the deconvnet and guided rules for a ReLU: max(0, R). */
export function positivePart(tf: TensorFlow, signal: Tensor): Tensor {
  return tf.relu(signal)
}

/** 1 where x > 0, else 0; the derivative of ReLU at 0 is 0. */
export function isPositive(tf: TensorFlow, x: Tensor): Tensor {
  return tf.cast(tf.greater(x, 0), 'float32')
}
