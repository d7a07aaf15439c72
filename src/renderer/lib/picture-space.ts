import type { Preprocessing } from '../../shared/network/spec.ts'
import type { NumberArray } from '../../shared/npy.ts'

/**
 * A network's input `[height, width, channels]` back in grey levels or colours of the picture it was made from:
 * `(value * std + mean) / scale`, clipped to 0…255, in the order of the network's channels.
 */
export function toPictureValues(input: NumberArray, preprocessing: Preprocessing): NumberArray {
  const channels = input.shape.at(-1) ?? 1
  const { scale, mean, std } = preprocessing
  const values = new Float32Array(input.values.length)
  for (let i = 0; i < values.length; i++) {
    const channel = i % channels
    const level = ((input.values[i] ?? 0) * (std[channel] ?? 1) + (mean[channel] ?? 0)) / scale
    values[i] = Math.min(255, Math.max(0, level))
  }
  return { shape: input.shape, values }
}
