/** Zeiler & Fergus (2013), section 3: filters of convolutions whose root mean square grows too large are scaled down. */
import type { Tensor } from '@tensorflow/tfjs'
import type { Tfjs } from '../engines/engine.ts'
import type { Graph } from '../network/graph.ts'

/** Names of the kernels that it holds for: those of convolutions, `[kernelHeight, kernelWidth, inChannels / groups, filters]`. */
export function limitedKernels(graph: Graph): string[] {
  return graph.layers.filter(({ spec }) => spec.type === 'conv2d').map(({ name }) => `${name}/kernel`)
}

/** Every filter whose root mean square is above `maximum` is scaled to it; the others stay as they are, bit for bit. */
export function limitFilters(tf: Tfjs, kernel: Tensor, maximum: number): Tensor {
  const rms = tf.sqrt(tf.mean(tf.square(kernel), [0, 1, 2], true))
  // Divided by the larger of the two: 1 exactly where the filter is small enough.
  return tf.mul(kernel, tf.div(maximum, tf.maximum(rms, maximum)))
}
