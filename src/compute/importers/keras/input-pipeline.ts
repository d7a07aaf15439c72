/** Layers at the beginning of a Keras model that only change the range of the picture: they become preprocessing. */
import type { Finding } from '../../../shared/network/finding.ts'
import type { Preprocessing } from '../../../shared/network/spec.ts'
import type { KerasWeights } from './layers.ts'
import { numberOf } from './settings.ts'
import type { KerasLayer } from './topology.ts'

/** Network input = (byte · scale - mean) / std. */
export class InputPipeline {
  #stated = false
  #scale = 1
  #mean: number[] = [0]
  #std: number[] = [1]

  /** Whether the model says how bytes come in. */
  get isStated(): boolean {
    return this.#stated
  }

  /** Takes a layer of rescaling or normalisation into the pipeline; false for every other layer. */
  takes(layer: KerasLayer, weights: KerasWeights, shape: readonly number[]): boolean {
    const channels = shape.at(-1) ?? 1
    if (layer.className === 'Rescaling') {
      const factor = numberOf(layer.config, 'scale', 1)
      const offset = numberOf(layer.config, 'offset', 0)
      if (!(factor > 0)) return false
      // factor · (x · scale - mean) / std + offset
      this.#scale *= factor
      this.#mean = this.#mean.map((mean, channel) => mean * factor - offset * (this.#std[channel] ?? 1))
    } else if (layer.className === 'Normalization') {
      const means = listOf(weights['mean']?.values(), layer.config['mean'])
      const variances = listOf(weights['variance']?.values(), layer.config['variance'])
      const fits = means !== undefined && variances !== undefined && means.length === variances.length
      if (!fits || (means.length !== channels && means.length !== 1) || !variances.every((value) => value > 0))
        return false
      const at = (list: readonly number[], channel: number): number => list[channel] ?? list[0] ?? 0
      const range = Array.from({ length: channels }, (_, channel) => channel)
      const std = range.map((channel) => at(this.#std, channel))
      this.#mean = range.map((channel) => at(this.#mean, channel) + at(means, channel) * (std[channel] ?? 1))
      this.#std = range.map((channel) => (std[channel] ?? 1) * Math.sqrt(at(variances, channel)))
    } else return false
    this.#stated = true
    return true
  }

  preprocessing(channels: number): Pick<Preprocessing, 'scale' | 'mean' | 'std'> {
    if (!this.#stated) return { scale: 1 / 255, mean: [], std: [] }
    const wide = (list: readonly number[]): number[] =>
      Array.from({ length: channels }, (_, channel) => list[channel] ?? list[0] ?? 0)
    return { scale: this.#scale, mean: wide(this.#mean), std: wide(this.#std) }
  }

  /** What has to be checked where the model does not say how pictures come in. */
  guess(source: string): Finding {
    return {
      code: 'guessed-preprocessing',
      severity: 'warning',
      message: `${source} does not say how pictures are prepared; they are taken as RGB from 0 to 1.`,
      remedy:
        'Set the preprocessing that the network was trained with (range, mean, channel order), or let the model doctor try them.',
    }
  }
}

function listOf(values: Float32Array | undefined, written: unknown): readonly number[] | undefined {
  if (values !== undefined) return [...values]
  if (typeof written === 'number') return [written]
  const flat: unknown[] = Array.isArray(written) ? written.flat(4) : []
  return flat.length > 0 && flat.every((value) => typeof value === 'number') ? flat : undefined
}
