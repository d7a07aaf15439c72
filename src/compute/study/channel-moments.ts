/** Sums over the values of channels from which distributions and correlations follow, exact to float64 in one pass. */
import type { SafeTensor } from '../network/safetensors.ts'
import { savedPart, tensorsOf, type SavedTensors } from './pass-state.ts'
import { RunningHistograms, type Histogram } from './running-histogram.ts'

export interface ChannelMoment {
  readonly minimum: number
  readonly maximum: number
  readonly mean: number
  /** Divided by the number of values. */
  readonly deviation: number
  /** Share of the values that are exactly 0. */
  readonly zeros: number
  readonly histogram: Histogram
}

export class ChannelMoments {
  readonly channels: number
  /** `[channels]`. */
  readonly #sums: Float64Array
  readonly #minima: Float32Array
  readonly #maxima: Float32Array
  readonly #zeros: Float64Array
  /** `[channels, channels]`, of which the upper triangle is used. */
  readonly #products: Float64Array
  readonly #histograms: RunningHistograms
  #samples: number

  constructor(channels: number, saved?: SavedTensors) {
    this.channels = channels
    this.#sums = savedPart(saved, 'sums', () => new Float64Array(channels))
    this.#minima = savedPart(saved, 'minima', () => new Float32Array(channels).fill(Infinity))
    this.#maxima = savedPart(saved, 'maxima', () => new Float32Array(channels).fill(-Infinity))
    this.#zeros = savedPart(saved, 'zeros', () => new Float64Array(channels))
    this.#products = savedPart(saved, 'products', () => new Float64Array(channels * channels))
    this.#histograms = new RunningHistograms(channels, saved)
    this.#samples = savedPart(saved, 'samples', () => new Float64Array(1))[0] ?? 0
  }

  get samples(): number {
    return this.#samples
  }

  /** Takes `[rows, channels]`. */
  add(values: Float32Array): void {
    const { channels } = this
    const products = this.#products
    for (let start = 0; start < values.length; start += channels) {
      this.#samples += 1
      for (let channel = 0; channel < channels; channel++) {
        const value = values[start + channel] ?? NaN
        this.#count(channel, value)
        // Rectified activations are 0 more often than not.
        if (value === 0) continue
        const line = channel * channels
        for (let other = channel; other < channels; other++) {
          products[line + other] = (products[line + other] ?? 0) + value * (values[start + other] ?? NaN)
        }
      }
    }
  }

  of(channel: number): ChannelMoment {
    const mean = (this.#sums[channel] ?? NaN) / this.#samples
    return {
      minimum: this.#minima[channel] ?? NaN,
      maximum: this.#maxima[channel] ?? NaN,
      mean,
      deviation: Math.sqrt(this.#covariance(channel, channel)),
      zeros: (this.#zeros[channel] ?? NaN) / this.#samples,
      histogram: this.#histograms.of(channel),
    }
  }

  /** Whether all values are the same. */
  isConstant(channel: number): boolean {
    return this.#minima[channel] === this.#maxima[channel]
  }

  /** Pearson's coefficients `[channels, channels]`, 1 on the diagonal; NaN for constant channels. */
  correlations(): Float64Array {
    const { channels } = this
    const matrix = new Float64Array(channels * channels).fill(NaN)
    const deviations = Float64Array.from({ length: channels }, (_, channel) =>
      this.isConstant(channel) ? NaN : Math.sqrt(this.#covariance(channel, channel)),
    )
    for (let row = 0; row < channels; row++) {
      if (!this.isConstant(row)) matrix[row * channels + row] = 1
      for (let column = row + 1; column < channels; column++) {
        const scale = (deviations[row] ?? NaN) * (deviations[column] ?? NaN)
        const value = this.#covariance(row, column) / scale
        const within = Math.min(1, Math.max(-1, value))
        matrix[row * channels + column] = within
        matrix[column * channels + row] = within
      }
    }
    return matrix
  }

  /** Everything that the constructor takes back. */
  tensors(): Record<string, SafeTensor> {
    const doubles = {
      sums: this.#sums,
      zeros: this.#zeros,
      products: this.#products,
      samples: new Float64Array([this.#samples]),
    }
    return {
      ...tensorsOf('F64', doubles),
      ...tensorsOf('F32', { minima: this.#minima, maxima: this.#maxima }),
      ...this.#histograms.tensors(),
    }
  }

  #count(channel: number, value: number): void {
    this.#sums[channel] = (this.#sums[channel] ?? 0) + value
    if (value < (this.#minima[channel] ?? NaN)) this.#minima[channel] = value
    if (value > (this.#maxima[channel] ?? NaN)) this.#maxima[channel] = value
    if (value === 0) this.#zeros[channel] = (this.#zeros[channel] ?? 0) + 1
    this.#histograms.add(channel, value)
  }

  /** Of `row` up to `column`; the variance where both are the same. Rounding never makes a variance negative. */
  #covariance(row: number, column: number): number {
    const samples = this.#samples
    const product = (this.#sums[row] ?? NaN) * (this.#sums[column] ?? NaN)
    const value = ((this.#products[row * this.channels + column] ?? NaN) - product / samples) / samples
    return row === column ? Math.max(0, value) : value
  }
}
