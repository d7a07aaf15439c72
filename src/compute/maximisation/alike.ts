/** Groups of pictures that look alike. */

/** Correlation from which two pictures count as alike. */
const ALIKE = 0.8

/**
 * Goes through the pictures from the one with the largest score down; each joins the first group whose first member it correlates with by 0.8
 * or more, or begins a new one. Flat pictures are alike.
 * @param pictures `[count, size]`
 * @returns the group of each picture
 */
export function groupsOfAlike(pictures: Float32Array, scores: readonly number[]): number[] {
  const size = pictures.length / Math.max(1, scores.length)
  const normalised = scores.map((_, index) => standardised(pictures.subarray(index * size, (index + 1) * size)))
  const order = scores.map((_, index) => index).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
  const leaders: number[] = []
  const groups = scores.map(() => 0)
  for (const index of order) {
    const own = normalised[index]
    const found = leaders.findIndex((leader) => own && alike(own, normalised[leader]))
    groups[index] = found >= 0 ? found : leaders.push(index) - 1
  }
  return groups
}

function alike(a: Float64Array, b: Float64Array | undefined): boolean {
  if (!b) return false
  const flat = (values: Float64Array): boolean => values.every((value) => value === 0)
  if (flat(a) || flat(b)) return flat(a) && flat(b)
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0)
  return sum >= ALIKE
}

/** Mean 0 and length 1, so that a product of two is their correlation. */
function standardised(values: Float32Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const centred = Float64Array.from(values, (value) => value - mean)
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0))
  return length > 1e-6 * values.length ? centred.map((value) => value / length) : new Float64Array(values.length)
}
