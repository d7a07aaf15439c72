import type { ArrayValues } from '../../shared/npy.ts'
import { mapEntry, type ColourMap, type Limits } from './colour-maps.ts'

/** One picture inside a larger array: pixel p, colour channel k lies at `start + p * pixelStep + k`. */
export interface PictureSource {
  readonly values: ArrayValues
  readonly start: number
  readonly pixelStep: number
  readonly width: number
  readonly height: number
  /** 3 for a picture in colour (red, green, blue unless `bgr`), otherwise 1. */
  readonly channels: 1 | 3
  readonly bgr?: boolean
}

/** Channel `channel` of an array `[height, width, channels]`. */
export function channelOf(values: ArrayValues, shape: readonly number[], channel: number): PictureSource {
  const [height = 1, width = 1, channels = 1] = shape
  return { values, start: channel, pixelStep: channels, width, height, channels: 1 }
}

/** Picture `index` of an array `[count, height, width, channels]`; its first channel only where it has neither 1 nor 3. */
export function pictureOf(values: ArrayValues, shape: readonly number[], index: number, bgr = false): PictureSource {
  const [, height = 1, width = 1, channels = 1] = shape
  const start = index * height * width * channels
  return { values, start, pixelStep: channels, width, height, channels: channels === 3 ? 3 : 1, bgr }
}

/** Smallest and largest value of the picture. */
export function rangeOf({ values, start, pixelStep, width, height, channels }: PictureSource): Limits {
  let low = Infinity
  let high = -Infinity
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let k = 0; k < channels; k++) {
      const value = values[start + pixel * pixelStep + k] ?? 0
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  return low <= high ? { low, high } : { low: 0, high: 0 }
}

/** Values at a place, one a colour channel. */
export function valuesAt(source: PictureSource, row: number, column: number): number[] {
  const at = source.start + (row * source.width + column) * source.pixelStep
  return Array.from({ length: source.channels }, (_, k) => source.values[at + k] ?? 0)
}

/**
 * Writes the picture as RGBA into `target` (a row is `targetWidth` pixels long) with its upper left corner at
 * `left`, `top`. Colour pictures spread each channel between the limits (zero of signed ones is mid-grey); with a map other than
 * grey they show the channel of largest magnitude.
 */
export function paint(
  source: PictureSource,
  limits: Limits,
  map: { name: string; table: ColourMap },
  target: Uint8ClampedArray,
  targetWidth: number,
  left = 0,
  top = 0,
): void {
  const { values, start, pixelStep, width, height } = source
  const inColour = source.channels === 3 && map.name === 'grey'
  for (let row = 0; row < height; row++) {
    let to = ((top + row) * targetWidth + left) * 4
    for (let column = 0; column < width; column++, to += 4) {
      const at = start + (row * width + column) * pixelStep
      if (inColour) {
        for (let k = 0; k < 3; k++) target[to + (source.bgr ? 2 - k : k)] = mapEntry(values[at + k] ?? 0, limits)
      } else {
        const value = source.channels === 3 ? strongest(values, at) : (values[at] ?? 0)
        const entry = mapEntry(value, limits) * 3
        target[to] = map.table[entry] ?? 0
        target[to + 1] = map.table[entry + 1] ?? 0
        target[to + 2] = map.table[entry + 2] ?? 0
      }
      target[to + 3] = 255
    }
  }
}

function strongest(values: ArrayValues, at: number): number {
  let found = values[at] ?? 0
  for (let k = 1; k < 3; k++) {
    const value = values[at + k] ?? 0
    if (Math.abs(value) > Math.abs(found)) found = value
  }
  return found
}

/** Picture of a sheet of `columns` columns, in pixels of the sheet. */
export function sheetPlace(
  index: number,
  columns: number,
  width: number,
  height: number,
): { left: number; top: number } {
  return { left: (index % columns) * width, top: Math.floor(index / columns) * height }
}
