/** Numbers as colours, for pictures that are written to files. */
import { classColour } from '../../shared/class-colours.ts'
import type { Picture } from '../experiments/pictures.ts'

type Colour = readonly [number, number, number]

/** Nine places of matplotlib's viridis (CC0), from low to high. */
const VIRIDIS: readonly Colour[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
]
const NEGATIVE: Colour = [5, 48, 97]
const POSITIVE: Colour = [103, 0, 31]
/** `[height, width]` values as viridis from `low` to `high`; mid-grey where `known` is 0. */
export function heatPicture(values: Float32Array, height: number, width: number, known?: Int32Array): Picture {
  const shown = [...values].filter((_, place) => known === undefined || (known[place] ?? 0) > 0)
  const low = shown.reduce((least, value) => Math.min(least, value), Infinity)
  const high = shown.reduce((most, value) => Math.max(most, value), -Infinity)
  const pixels = new Uint8Array(height * width * 3).fill(128)
  for (const [place, value] of values.entries()) {
    if (known !== undefined && (known[place] ?? 0) === 0) continue
    pixels.set(viridis(high > low ? (value - low) / (high - low) : 0.5), place * 3)
  }
  return { width, height, channels: 3, pixels }
}

/** A matrix `[size, size]` of values from -1 (blue) over 0 (white) to 1 (red); grey where there is none. */
export function correlationPicture(matrix: Float64Array, size: number): Picture {
  const pixels = new Uint8Array(size * size * 3).fill(128)
  for (const [place, value] of matrix.entries()) {
    if (Number.isNaN(value)) continue
    const end = value < 0 ? NEGATIVE : POSITIVE
    const level = (channel: 0 | 1 | 2): number => Math.round(255 + Math.abs(value) * (end[channel] - 255))
    pixels.set([level(0), level(1), level(2)], place * 3)
  }
  return { width: size, height: size, channels: 3, pixels }
}

/** `[height, width]` class indices, one colour a class; mid-grey for -1. */
export function labelPicture(labels: Int32Array, height: number, width: number): Picture {
  const pixels = new Uint8Array(height * width * 3).fill(128)
  for (const [place, label] of labels.entries()) if (label >= 0) pixels.set(classColour(label), place * 3)
  return { width, height, channels: 3, pixels }
}

function viridis(value: number): number[] {
  const place = Math.min(Math.max(value, 0), 1) * (VIRIDIS.length - 1)
  const below = Math.min(Math.floor(place), VIRIDIS.length - 2)
  const part = place - below
  const low = VIRIDIS[below] ?? [0, 0, 0]
  const high = VIRIDIS[below + 1] ?? [0, 0, 0]
  return low.map((level, channel) => Math.round(level + part * ((high[channel] ?? 0) - level)))
}
