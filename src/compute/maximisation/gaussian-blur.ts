/** Gaussian blur as a product with a matrix, so that a change of its width changes values and never a shape. */

/** scipy cuts the kernel at four standard deviations. */
const TRUNCATE = 4

/**
 * The matrix `[size, size]` (row-major) that blurs a line of `size` pixels as `scipy.ndimage.gaussian_filter1d` does: weights
 * exp(−k²/2σ²) for |k| ≤ int(4σ + 0.5), normalised, the line reflected with its edge repeated (d c b a | a b c d | d c b a).
 * @param sigma standard deviation in pixels; 0 gives the identity
 */
export function blurMatrix(size: number, sigma: number): Float32Array {
  const matrix = new Float32Array(size * size)
  const radius = Math.trunc(TRUNCATE * sigma + 0.5)
  const weights = Array.from({ length: 2 * radius + 1 }, (_, index) =>
    radius === 0 ? 1 : Math.exp(-((index - radius) ** 2) / (2 * sigma * sigma)),
  )
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const row = new Float64Array(size)
  for (let place = 0; place < size; place++) {
    row.fill(0)
    for (const [index, weight] of weights.entries()) {
      const source = reflected(place + index - radius, size)
      row[source] = (row[source] ?? 0) + weight / total
    }
    matrix.set(row, place * size)
  }
  return matrix
}

/** Reflected with the edge repeated: −1 becomes 0, `size` becomes `size − 1`. */
function reflected(index: number, size: number): number {
  const period = 2 * size
  const place = ((index % period) + period) % period
  return place < size ? place : period - 1 - place
}
