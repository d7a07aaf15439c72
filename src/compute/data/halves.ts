/** Random halves of a split, such as P1 and P2 of Szegedy et al. (2013), section 4. */
import { halfCount } from '../../shared/datasets.ts'
import { RandomStream } from '../random.ts'

/** Indices of one half of `count` pictures, rising. The two halves of a seed share nothing and together are everything. */
export function halfIndices(count: number, seed: number, index: 0 | 1): Uint32Array {
  const order = new RandomStream(seed, 'halves').permutation(count)
  const first = halfCount(count, 0)
  return (index === 0 ? order.slice(0, first) : order.slice(first)).sort()
}
