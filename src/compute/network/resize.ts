/** Resizing pictures of bytes, in the ways that the networks' own pipelines did. */

/** `[height, width, channels]`, row by row. */
export interface Picture {
  readonly shape: readonly [number, number, number]
  readonly data: Uint8Array | Uint8ClampedArray | Float32Array
}
export interface FloatPicture {
  readonly shape: readonly [number, number, number]
  readonly data: Float32Array
}

/**
 * - `nearest`: the pixel under the centre;
 * - `pil-bilinear`: a triangle that widens when shrinking, rows after columns, both rounded to bytes (Pillow, torchvision);
 * - `opencv-linear`: between the four nearest pixel centres, rounded to bytes;
 * - `caffe`: the same without rounding (caffe.io.resize_image).
 */
export type ResizeFilter = 'nearest' | 'pil-bilinear' | 'opencv-linear' | 'caffe'

/** The picture at another size; values stay between 0 and 255. */
export function resize({ shape, data }: Picture, height: number, width: number, filter: ResizeFilter): FloatPicture {
  const [oldHeight, oldWidth, channels] = shape
  const source: FloatPicture = { shape, data: new Float32Array(data) }
  if (height === oldHeight && width === oldWidth) return source
  const rounding = filter !== 'caffe'
  const columns = tapsOf(oldWidth, width, filter)
  const rows = tapsOf(oldHeight, height, filter)
  // Pillow rounds after each direction; the others round once.
  const wide = resample(
    source.data,
    { outer: oldHeight, size: oldWidth, inner: channels },
    columns,
    filter === 'pil-bilinear',
  )
  const high = resample(wide, { outer: 1, size: oldHeight, inner: width * channels }, rows, rounding)
  return { shape: [height, width, channels], data: high }
}

/** For every output pixel the first input pixel and the weights from there on. */
interface Taps {
  readonly first: number
  readonly weights: readonly number[]
}

function tapsOf(from: number, to: number, filter: ResizeFilter): Taps[] {
  const scale = from / to
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale
    if (filter === 'nearest') return { first: Math.min(Math.floor(centre), from - 1), weights: [1] }
    if (filter === 'pil-bilinear') return triangle(centre, Math.max(scale, 1), from)
    const low = Math.floor(centre - 0.5)
    const part = centre - 0.5 - low
    if (low < 0) return { first: 0, weights: [1] }
    return low >= from - 1 ? { first: from - 1, weights: [1] } : { first: low, weights: [1 - part, part] }
  })
}

/** Pillow's precompute_coeffs for the triangle filter. */
function triangle(centre: number, support: number, size: number): Taps {
  const first = Math.max(Math.trunc(centre - support + 0.5), 0)
  const end = Math.min(Math.trunc(centre + support + 0.5), size)
  const raw = Array.from({ length: end - first }, (_, tap) =>
    Math.max(1 - Math.abs((tap + first - centre + 0.5) / support), 0),
  )
  const total = raw.reduce((sum, weight) => sum + weight, 0)
  return { first, weights: raw.map((weight) => weight / total) }
}

/** Along the middle axis of `[outer, size, inner]`. Written for speed: trainings resize every picture in every epoch. */
function resample(
  data: Float32Array,
  { outer, size, inner }: { outer: number; size: number; inner: number },
  taps: readonly Taps[],
  rounding: boolean,
): Float32Array {
  const result = new Float32Array(outer * taps.length * inner)
  for (let block = 0; block < outer; block++) {
    for (let index = 0; index < taps.length; index++) {
      const { first, weights } = taps[index] as Taps
      const source = (block * size + first) * inner
      const target = (block * taps.length + index) * inner
      for (let cell = 0; cell < inner; cell++) {
        let sum = 0
        for (let tap = 0; tap < weights.length; tap++)
          sum += (weights[tap] as number) * (data[source + tap * inner + cell] as number)
        result[target + cell] = rounding ? Math.min(Math.max(Math.floor(sum + 0.5), 0), 255) : sum
      }
    }
  }
  return result
}
