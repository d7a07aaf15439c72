/** The pictures with the largest activations of every channel of a layer; its size does not depend on the number of pictures. */
import type { SafeTensor } from '../network/safetensors.ts'
import { savedPart, tensorsOf, type SavedTensors } from './pass-state.ts'
import { RunningHistograms, type Histogram } from './running-histogram.ts'

export interface TopEntry {
  readonly picture: number
  /** Largest activation of the channel anywhere in the picture. */
  readonly value: number
}

export interface ChannelStatistics {
  readonly maximum: number
  readonly minimum: number
  readonly mean: number
  /** Of the pictures' largest activations. */
  readonly histogram: Histogram
  /** Mean of the pictures' largest activations by class; null for a class without pictures. */
  readonly classMeans: (number | null)[]
}

export class TopTable {
  readonly channels: number
  readonly count: number
  readonly classes: number
  /** `[channels, count]`, largest first; -Infinity where there is none. */
  readonly #values: Float32Array
  readonly #pictures: Int32Array
  /** `[channels]`. */
  readonly #minima: Float32Array
  readonly #sums: Float64Array
  /** `[channels, classes]`. */
  readonly #classSums: Float64Array
  readonly #classCounts: Float64Array
  readonly #histograms: RunningHistograms
  #seen = 0

  constructor(channels: number, count: number, classes: number, saved?: SavedTensors) {
    this.channels = channels
    this.count = count
    this.classes = classes
    this.#values = savedPart(saved, 'values', () => new Float32Array(channels * count).fill(-Infinity))
    this.#pictures = savedPart(saved, 'pictures', () => new Int32Array(channels * count).fill(-1))
    this.#minima = savedPart(saved, 'minima', () => new Float32Array(channels).fill(Infinity))
    this.#sums = savedPart(saved, 'sums', () => new Float64Array(channels))
    this.#classSums = savedPart(saved, 'class-sums', () => new Float64Array(channels * classes))
    this.#classCounts = savedPart(saved, 'class-counts', () => new Float64Array(classes))
    this.#histograms = new RunningHistograms(channels, saved)
    this.#seen = savedPart(saved, 'seen', () => new Float64Array(1))[0] ?? 0
  }

  /**
   * Takes the largest activations of one picture, `[channels]`. Pictures come in ascending order, so that of equal ones the first stays.
   * @param label the picture's class, if it has one
   */
  offer(picture: number, maxima: Float32Array, label: number | null): void {
    const { count, channels, classes } = this
    this.#seen += 1
    if (label !== null) this.#classCounts[label] = (this.#classCounts[label] ?? 0) + 1
    for (let channel = 0; channel < channels; channel++) {
      const value = maxima[channel] ?? NaN
      if (value > (this.#values[(channel + 1) * count - 1] ?? Infinity)) this.#insert(channel, picture, value)
      if (value < (this.#minima[channel] ?? 0)) this.#minima[channel] = value
      this.#sums[channel] = (this.#sums[channel] ?? 0) + value
      this.#histograms.add(channel, value)
      if (label === null) continue
      const at = channel * classes + label
      this.#classSums[at] = (this.#classSums[at] ?? 0) + value
    }
  }

  /** Largest first; of equal ones the picture with the lower index. */
  top(channel: number): TopEntry[] {
    const entries: TopEntry[] = []
    for (let place = channel * this.count; place < (channel + 1) * this.count; place++) {
      const picture = this.#pictures[place] ?? -1
      if (picture >= 0) entries.push({ picture, value: this.#values[place] ?? NaN })
    }
    return entries
  }

  statistics(channel: number): ChannelStatistics {
    const classMeans = Array.from({ length: this.classes }, (_, label) => {
      const pictures = this.#classCounts[label] ?? 0
      return pictures > 0 ? (this.#classSums[channel * this.classes + label] ?? 0) / pictures : null
    })
    return {
      maximum: this.#values[channel * this.count] ?? NaN,
      minimum: this.#minima[channel] ?? NaN,
      mean: (this.#sums[channel] ?? 0) / this.#seen,
      histogram: this.#histograms.of(channel),
      classMeans,
    }
  }

  /** Whether pictures make a difference to the channel; if there is only one, whether it is above 0. */
  responds(channel: number): boolean {
    const { maximum, minimum } = this.statistics(channel)
    return this.#seen > 1 ? maximum > minimum : maximum > 0
  }

  /** Everything that `constructor` takes back. */
  tensors(): Record<string, SafeTensor> {
    const floats = { values: this.#values, minima: this.#minima }
    const doubles = {
      sums: this.#sums,
      'class-sums': this.#classSums,
      'class-counts': this.#classCounts,
      seen: new Float64Array([this.#seen]),
    }
    return {
      ...tensorsOf('F32', floats),
      ...tensorsOf('F64', doubles),
      ...tensorsOf('I32', { pictures: this.#pictures }),
      ...this.#histograms.tensors(),
    }
  }

  #insert(channel: number, picture: number, value: number): void {
    const first = channel * this.count
    let place = first + this.count - 1
    while (place > first && value > (this.#values[place - 1] ?? Infinity)) {
      this.#values[place] = this.#values[place - 1] ?? NaN
      this.#pictures[place] = this.#pictures[place - 1] ?? -1
      place -= 1
    }
    this.#values[place] = value
    this.#pictures[place] = picture
  }
}
