/** Between a network's input values and grey levels: pictures are optimised in grey levels minus the mean, 0 … 255 wide. */
import { meanImageOf } from '../network/mean-image.ts'
import type { Network } from '../network/network.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface GreyLevels {
  /** `[height, width, channels]` of the network's input. */
  readonly shape: readonly [number, number, number]
  /** Grey levels that the network's zero stands for, in the shape of the input, channels in network order. */
  readonly mean: Float32Array
  /** Network values of one grey level, one a channel. */
  readonly toNetwork: Float32Array
}

/** From `(value · scale − mean) / std`: a network value of 0 is `mean / scale` grey levels, a grey level is `scale / std`. */
export function greyLevelsOf({ graph, spec }: Network): GreyLevels {
  const [height = 1, width = 1, channels = 1] = graph.input.shape
  const { preprocessing } = spec
  const { scale, mean, std } = preprocessing
  const image = meanImageOf(preprocessing)
  const meanAt = (place: number): number => (image ? image[place] : mean[place % channels]) ?? 0
  return {
    shape: [height, width, channels],
    mean: Float32Array.from({ length: sizeOf(graph.input.shape) }, (_, place) => meanAt(place) / scale),
    toNetwork: Float32Array.from({ length: channels }, (_, channel) => scale / (std[channel] ?? 1)),
  }
}
