/** Between a network's input values and grey levels: pictures are optimised in grey levels minus the mean, 0 … 255 wide. */
import type { Network } from '../network/network.ts'

export interface GreyLevels {
  /** `[height, width, channels]` of the network's input. */
  readonly shape: readonly [number, number, number]
  /** Grey levels that the network's zero stands for, one a channel in network order. */
  readonly mean: Float32Array
  /** Network values of one grey level, one a channel. */
  readonly toNetwork: Float32Array
}

/** From `(value · scale − mean) / std`: a network value of 0 is `mean / scale` grey levels, a grey level is `scale / std`. */
export function greyLevelsOf({ graph, spec }: Network): GreyLevels {
  const [height = 1, width = 1, channels = 1] = graph.input.shape
  const { scale, mean, std } = spec.preprocessing
  return {
    shape: [height, width, channels],
    mean: Float32Array.from({ length: channels }, (_, channel) => (mean[channel] ?? 0) / scale),
    toNetwork: Float32Array.from({ length: channels }, (_, channel) => scale / (std[channel] ?? 1)),
  }
}
