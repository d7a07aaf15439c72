/** Values at given places of the sorted order, without sorting. */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import type { Tfjs } from '../engines/engine.ts'

/** From so many values a row a search takes less time than sorting all. */
const SEARCH_FROM = 10_000
/** Its last bit is still a normal float: engines take smaller ones for 0. */
const SMALLEST = 2 ** -102

/**
 * The value at `rank` of each row in ascending order, exact, `[rows]`.
 * @param values `[rows, count]`, none negative; those below 2^-102 (2e-31) count as 0
 * @param rank `[rows]`, 0 … count − 1
 */
export function valueAt(tf: Tfjs, values: Tensor2D, rank: Tensor1D): Tensor1D {
  return values.shape[1] < SEARCH_FROM ? sortedAt(tf, values, rank) : searchedAt(tf, values, rank)
}

export function sortedAt(tf: Tfjs, values: Tensor2D, rank: Tensor1D): Tensor1D {
  const [rows, count] = values.shape
  const falling: Tensor1D = tf.reshape(tf.topk(values, count, true).values, [rows * count])
  const lasts = Int32Array.from({ length: rows }, (_, row) => (row + 1) * count - 1)
  const found: Tensor1D = tf.gather(falling, tf.sub(tf.tensor1d(lasts, 'int32'), tf.cast(rank, 'int32')))
  return tf.where(tf.less(found, SMALLEST), tf.zerosLike(found), found)
}

/** A binary search through what a float32 can be, exponent first: 31 counts, whatever the values are. */
export function searchedAt(tf: Tfjs, values: Tensor2D, rank: Tensor1D): Tensor1D {
  const [rows] = values.shape
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
  return tf.reshape(tf.where(hasPower, found, tf.zerosLike(found)), [rows])
}
