/** Values at given places of the sorted order, without sorting. */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import type { Tfjs } from '../engines/engine.ts'

/** From so many values a row a search for two of them takes less time than sorting all. */
export const SEARCH_FROM = 10_000
/** Its last bit is still a normal float: engines take smaller ones for 0. */
const SMALLEST = 2 ** -102
const LARGEST = 3.4028234663852886e38

/**
 * The values at `rank` and at the place after it (the last one where there is none) of each row in ascending order, exact. A binary search
 * through what a float32 can be, exponent first: 31 counts, whatever the values are.
 * @param values `[rows, count]`, none negative; those below 2^-102 (2e-31) count as 0
 * @param rank `[rows]`, 0 … count − 1
 */
export function neighboursAt(tf: Tfjs, values: Tensor2D, rank: Tensor1D): { lower: Tensor1D; upper: Tensor1D } {
  const [rows, count] = values.shape
  const wanted = tf.reshape(rank, [rows, 1])
  const below = (limit: Tensor2D): Tensor2D => tf.sum(tf.cast(tf.less(values, limit), 'float32'), 1, true)
  const reached = (limit: Tensor2D): Tensor2D => tf.lessEqual(below(limit), wanted)
  let power = tf.fill([rows, 1], SMALLEST) as Tensor2D
  const hasPower = reached(power)
  for (let exponent = 128; exponent >= 1; exponent /= 2) {
    // In two factors, since 2^128 is no float32; beyond the largest one the limit becomes infinite, which nothing reaches.
    const half = Math.floor(exponent / 2)
    const limit = tf.mul(tf.mul(power, 2 ** half), 2 ** (exponent - half)) as Tensor2D
    power = tf.where(reached(limit), limit, power)
  }
  let found = power
  for (let bit = 1; bit <= 23; bit++) {
    const limit = tf.add(found, tf.mul(power, 2 ** -bit)) as Tensor2D
    found = tf.where(reached(limit), limit, found)
  }
  const lower = tf.where(hasPower, found, tf.zerosLike(found)) as Tensor2D
  const isMore = tf.greater(values, lower)
  const more = tf.sum(tf.cast(isMore, 'float32'), 1, true)
  const next = tf.min(tf.where(isMore, values, tf.fill(values.shape, LARGEST)), 1, true)
  // The place after the rank holds the same value where that value reaches so far, and there is none after the last.
  const isSame = tf.logicalOr(tf.greater(tf.sub(count - 1, more), wanted), tf.equal(more, 0))
  const upper = tf.where(isSame, lower, next)
  return { lower: tf.reshape(lower, [rows]), upper: tf.reshape(upper, [rows]) }
}
