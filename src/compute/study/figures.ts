/** Pictures beside and below one another, as in the figures of Zeiler & Fergus (2013). */
import type { Picture } from '../experiments/pictures.ts'

/** Levels of the ground on which tiles lie, and of a place where there is nothing. */
const GROUND = 255
const NOTHING_DARK = 120
const NOTHING_LIGHT = 168

export interface GridOptions {
  readonly columns: number
  readonly gap: number
}

/** A picture with three channels. */
export function toColour(picture: Picture): Picture {
  if (picture.channels === 3) return picture
  const pixels = new Uint8Array(picture.width * picture.height * 3)
  for (const [place, level] of picture.pixels.entries()) pixels.fill(level, place * 3, place * 3 + 3)
  return { ...picture, channels: 3, pixels }
}

/** Each pixel repeated `factor` times in both directions. */
export function magnified(picture: Picture, factor: number): Picture {
  if (factor === 1) return picture
  const { width, height, channels } = picture
  const pixels = new Uint8Array(width * height * factor * factor * channels)
  const line = new Uint8Array(width * factor * channels)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width * factor; column++) {
      const from = (row * width + Math.floor(column / factor)) * channels
      for (let channel = 0; channel < channels; channel++) {
        line[column * channels + channel] = picture.pixels[from + channel] ?? 0
      }
    }
    for (let copy = 0; copy < factor; copy++) pixels.set(line, (row * factor + copy) * line.length)
  }
  return { width: width * factor, height: height * factor, channels, pixels }
}

/** The whole factor by which tiles of a size are enlarged to about `side` pixels. */
export function factorTo(side: number, width: number, height: number): number {
  return Math.max(1, Math.floor(side / Math.max(width, height)))
}

/** Slanting stripes: here is nothing to see, which grey would not say. */
export function nothing(width: number, height: number): Picture {
  const pixels = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const level = (row + column) % 8 < 4 ? NOTHING_DARK : NOTHING_LIGHT
      pixels.fill(level, (row * width + column) * 3, (row * width + column) * 3 + 3)
    }
  }
  return { width, height, channels: 3, pixels }
}

/** Pictures row by row; every column is as wide as its widest picture, every row as high as its highest. */
export function grid(pictures: readonly Picture[], { columns, gap }: GridOptions): Picture {
  const across = Math.max(1, Math.min(columns, pictures.length))
  const down = Math.ceil(pictures.length / across)
  const widths = Array.from({ length: across }, (_, column) =>
    Math.max(0, ...pictures.filter((_picture, index) => index % across === column).map(({ width }) => width)),
  )
  const heights = Array.from({ length: down }, (_, row) =>
    Math.max(0, ...pictures.slice(row * across, (row + 1) * across).map(({ height }) => height)),
  )
  const width = sum(widths) + gap * (across - 1)
  const height = sum(heights) + gap * (down - 1)
  const pixels = new Uint8Array(width * height * 3).fill(GROUND)
  for (const [index, picture] of pictures.entries()) {
    const column = index % across
    const row = Math.floor(index / across)
    const left = sum(widths.slice(0, column)) + gap * column
    const top = sum(heights.slice(0, row)) + gap * row
    place(toColour(picture), pixels, width, top, left)
  }
  return { width, height, channels: 3, pixels }
}

/** Side by side with a gap, aligned at the top. */
export function beside(pictures: readonly Picture[], gap: number): Picture {
  return grid(pictures, { columns: pictures.length, gap })
}

/**
 * Figure 2: for every channel a square of its projections on the left, and the same square of patches on the right.
 * @param channels of every channel the projections and patches, strongest first
 */
export function figureTwo(channels: readonly { projections: Picture[]; patches: Picture[] }[]): Picture {
  const square = (pictures: readonly Picture[]): Picture =>
    grid(pictures, { columns: Math.ceil(Math.sqrt(pictures.length)), gap: 1 })
  const columns = Math.ceil(Math.sqrt(channels.length))
  const left = grid(
    channels.map(({ projections }) => square(projections)),
    { columns, gap: 6 },
  )
  const right = grid(
    channels.map(({ patches }) => square(patches)),
    { columns, gap: 6 },
  )
  return beside([left, right], 18)
}

/** The part of a picture that a window holds, mid-grey outside the picture. */
export function cutPicture(picture: Picture, top: number, left: number, height: number, width: number): Picture {
  const { channels } = picture
  const pixels = new Uint8Array(height * width * channels).fill(128)
  for (let row = Math.max(0, -top); row < Math.min(height, picture.height - top); row++) {
    for (let column = Math.max(0, -left); column < Math.min(width, picture.width - left); column++) {
      const from = ((top + row) * picture.width + left + column) * channels
      pixels.set(picture.pixels.subarray(from, from + channels), (row * width + column) * channels)
    }
  }
  return { width, height, channels, pixels }
}

function place(picture: Picture, pixels: Uint8Array, width: number, top: number, left: number): void {
  const line = picture.width * 3
  for (let row = 0; row < picture.height; row++) {
    pixels.set(picture.pixels.subarray(row * line, (row + 1) * line), ((top + row) * width + left) * 3)
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
