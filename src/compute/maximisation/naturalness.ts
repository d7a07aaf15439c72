/** How natural a picture looks: its edges' orientations beside those of natural pictures (Mahendran & Vedaldi 2016, section 6). */

const BINS = 18

/**
 * Histogram of gradient orientations over 180°, each pixel weighted by its gradient's length, summing to 1; zeros for a flat picture.
 * @param values `[height, width, channels]` in grey levels; channels are averaged
 */
export function orientationHistogram(
  values: ArrayLike<number>,
  [height, width, channels]: readonly [number, number, number],
): Float64Array {
  const grey = new Float64Array(height * width)
  for (let place = 0; place < grey.length; place++) {
    for (let channel = 0; channel < channels; channel++)
      grey[place] = (grey[place] ?? 0) + (values[place * channels + channel] ?? 0) / channels
  }
  const histogram = new Float64Array(BINS)
  let total = 0
  for (let row = 1; row < height - 1; row++) {
    for (let column = 1; column < width - 1; column++) {
      const at = row * width + column
      const across = (grey[at + 1] ?? 0) - (grey[at - 1] ?? 0)
      const down = (grey[at + width] ?? 0) - (grey[at - width] ?? 0)
      const length = Math.hypot(across, down)
      const turn = (((Math.atan2(down, across) / Math.PI) % 1) + 1) % 1
      const bin = Math.min(BINS - 1, Math.floor(turn * BINS))
      histogram[bin] = (histogram[bin] ?? 0) + length
      total += length
    }
  }
  return total > 0 ? histogram.map((value) => value / total) : histogram
}

/** Mean of histograms, summing to 1 where any does. */
export function meanHistogram(histograms: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(BINS)
  for (const histogram of histograms) for (const [bin, value] of histogram.entries()) sum[bin] = (sum[bin] ?? 0) + value
  const total = sum.reduce((all, value) => all + value, 0)
  return total > 0 ? sum.map((value) => value / total) : sum
}

/** Histogram intersection: 1 for equal ones, 0 for ones that share nothing. */
export function overlap(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, bin) => sum + Math.min(value, b[bin] ?? 0), 0)
}
