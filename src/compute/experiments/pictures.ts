/** Arrays of numbers as 8-bit pictures. */
import { CONTACT_SHEET_GAP_PIXELS, contactSheetPlace, sheetColumns } from '../../shared/contact-sheet.ts'

/** 8-bit picture, `[height, width, channels]`. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly pixels: Uint8Array
}

/** Signed values `[height, width, channels]`; 'bgr' is turned to RGB, other numbers of channels than 3 are summed to grey. */
export interface SignedMap {
  readonly values: Float32Array
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly channelOrder: 'grey' | 'rgb' | 'bgr'
}

/** Side in pixels that small pictures are enlarged to at least half of, by a whole factor. */
const TARGET_SIDE = 112
const GAP_GREY = 40

export function largestMagnitude(values: Float32Array): number {
  let largest = 0
  for (const value of values) largest = Math.max(largest, Math.abs(value))
  return largest
}

/**
 * Signed values as grey levels with zero at mid-grey: `value / (2 * magnitude) + 0.5`, clipped to 0…1 (`norm01c` with centre 0
 * of the Deep Visualization Toolbox). A magnitude of 0 gives mid-grey everywhere.
 */
export function signedPicture(map: SignedMap, magnitude: number): Picture {
  const { height, width, channels, values } = map
  const coloured = channels === 3
  const shown = coloured ? 3 : 1
  const pixels = new Uint8Array(height * width * shown)
  const factor = magnitude > 0 ? 1 / (2 * magnitude) : 0
  for (let place = 0; place < height * width; place++) {
    for (let channel = 0; channel < shown; channel++) {
      const source = coloured && map.channelOrder === 'bgr' ? 2 - channel : channel
      let value = values[place * channels + source] ?? 0
      if (!coloured) for (let other = 1; other < channels; other++) value += values[place * channels + other] ?? 0
      pixels[place * shown + channel] = toByte(value * factor + 0.5)
    }
  }
  return { width, height, channels: shown, pixels }
}

/** 0…1 to 0…255, rounded, clipped. */
function toByte(value: number): number {
  return Math.round(Math.min(Math.max(value, 0), 1) * 255)
}

/** Each pixel repeated, so that a small picture can be looked at: the largest whole factor within `TARGET_SIDE`, 1 for larger ones. */
export function enlarged(picture: Picture): Picture {
  const factor = Math.max(1, Math.floor(TARGET_SIDE / Math.max(picture.width, picture.height)))
  if (factor === 1) return picture
  const width = picture.width * factor
  const height = picture.height * factor
  const pixels = new Uint8Array(width * height * picture.channels)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const source = (Math.floor(row / factor) * picture.width + Math.floor(column / factor)) * picture.channels
      const target = (row * width + column) * picture.channels
      for (let channel = 0; channel < picture.channels; channel++)
        pixels[target + channel] = picture.pixels[source + channel] ?? 0
    }
  }
  return { width, height, channels: picture.channels, pixels }
}

/** Pictures of one size in a nearly square grid, row by row, with dark gaps between and around them. */
export function contactSheet(pictures: readonly Picture[]): Picture {
  const [first] = pictures
  if (!first) throw new RangeError('a contact sheet needs a picture')
  const columns = sheetColumns(pictures.length)
  const rows = Math.ceil(pictures.length / columns)
  const width = columns * (first.width + CONTACT_SHEET_GAP_PIXELS) + CONTACT_SHEET_GAP_PIXELS
  const height = rows * (first.height + CONTACT_SHEET_GAP_PIXELS) + CONTACT_SHEET_GAP_PIXELS
  const pixels = new Uint8Array(width * height * first.channels).fill(GAP_GREY)
  for (const [index, picture] of pictures.entries()) {
    const { left, top } = contactSheetPlace(index, pictures.length, first)
    const rowBytes = picture.width * picture.channels
    for (let row = 0; row < picture.height; row++) {
      pixels.set(
        picture.pixels.subarray(row * rowBytes, (row + 1) * rowBytes),
        ((top + row) * width + left) * first.channels,
      )
    }
  }
  return { width, height, channels: first.channels, pixels }
}
