/** Histograms of values whose range is not known beforehand: bins of a power of two that double when a value lies outside. */
import type { SafeTensor } from '../network/safetensors.ts'
import { savedPart, tensorsOf, type SavedTensors } from './pass-state.ts'

const BINS = 32
/** Of a bin's width: finer ones would tell no float32 apart. */
const SMALLEST_EXPONENT = -150

export interface Histogram {
  /** Lower edge of the first bin. */
  readonly start: number
  /** Width of a bin. */
  readonly step: number
  readonly counts: number[]
}

/** One histogram a channel. The order of the values does not matter for how many of them a histogram counts. */
export class RunningHistograms {
  /** Width of channel's bins as a power of two. */
  readonly exponents: Int32Array
  /** First bin, in widths from 0. */
  readonly starts: Float64Array
  /** `[channels, 32]`. */
  readonly counts: Int32Array
  /** 1 where a channel has counted something. */
  readonly used: Uint8Array
  /** 1 through the width of a channel's bins. */
  readonly #scales: Float64Array

  /** @param saved what `tensors` gave */
  constructor(channels: number, saved?: SavedTensors) {
    this.exponents = savedPart(saved, 'exponents', () => new Int32Array(channels))
    this.starts = savedPart(saved, 'starts', () => new Float64Array(channels))
    this.counts = savedPart(saved, 'counts', () => new Int32Array(channels * BINS))
    this.used = savedPart(saved, 'used', () => new Uint8Array(channels))
    this.#scales = Float64Array.from(this.exponents, (exponent) => 2 ** -exponent)
  }

  /** Counts a value; one that is not finite is left out. */
  add(channel: number, value: number): void {
    if (!Number.isFinite(value)) return
    if (this.used[channel] !== 1) this.#begin(channel, value)
    let bin = this.#binOf(channel, value)
    if (bin < 0 || bin >= BINS) {
      this.#make(channel, value)
      bin = this.#binOf(channel, value)
    }
    const at = channel * BINS + bin
    this.counts[at] = (this.counts[at] ?? 0) + 1
  }

  /** Everything that the constructor takes back. */
  tensors(): Record<string, SafeTensor> {
    const { exponents, starts, counts, used } = this
    return { ...tensorsOf('F64', { starts }), ...tensorsOf('I32', { exponents, counts }), ...tensorsOf('U8', { used }) }
  }

  /** Without empty bins at both ends. */
  of(channel: number): Histogram {
    const counts = [...this.counts.subarray(channel * BINS, (channel + 1) * BINS)]
    const first = counts.findIndex((count) => count > 0)
    const last = counts.findLastIndex((count) => count > 0)
    const step = 2 ** (this.exponents[channel] ?? 0)
    if (first < 0) return { start: 0, step, counts: [] }
    return { start: ((this.starts[channel] ?? 0) + first) * step, step, counts: counts.slice(first, last + 1) }
  }

  #begin(channel: number, value: number): void {
    this.used[channel] = 1
    // Zeros come first in many channels: a bin of 1/1024 is then a beginning that doubles as needed.
    this.exponents[channel] = value === 0 ? -10 : Math.max(SMALLEST_EXPONENT, Math.ceil(Math.log2(Math.abs(value))) - 4)
    this.starts[channel] = value < 0 ? -BINS : 0
    this.#scales[channel] = 2 ** -(this.exponents[channel] ?? 0)
  }

  #binOf(channel: number, value: number): number {
    return Math.floor(value * (this.#scales[channel] ?? 1)) - (this.starts[channel] ?? 0)
  }

  /** Moves and merges the bins so that the value lies in one. */
  #make(channel: number, value: number): void {
    const old = this.counts.slice(channel * BINS, (channel + 1) * BINS)
    const first = old.findIndex((count) => count > 0)
    const last = old.findLastIndex((count) => count > 0)
    const start = this.starts[channel] ?? 0
    const exponent = this.exponents[channel] ?? 0
    let doublings = 0
    const cell = (bin: number): number => Math.floor((start + bin) / 2 ** doublings)
    const valueCell = (): number => Math.floor(value / 2 ** (exponent + doublings))
    let low = first < 0 ? valueCell() : Math.min(cell(first), valueCell())
    while (first >= 0 && Math.max(cell(last), valueCell()) - low >= BINS) {
      doublings += 1
      low = Math.min(cell(first), valueCell())
    }
    const newStart = low >= 0 && Math.max(first < 0 ? low : cell(last), valueCell()) < BINS ? 0 : low
    const merged = new Int32Array(BINS)
    for (const [bin, count] of old.entries()) {
      if (count > 0) merged[cell(bin) - newStart] = (merged[cell(bin) - newStart] ?? 0) + count
    }
    this.counts.set(merged, channel * BINS)
    this.exponents[channel] = exponent + doublings
    this.#scales[channel] = 2 ** -(exponent + doublings)
    this.starts[channel] = newStart
  }
}
