import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { describeOnTensorflow } from '../engines/compiled/testing/on-tensorflow.ts'
import type { Tfjs } from '../engines/engine.ts'
import { RandomStream } from '../random.ts'
import { searchedAt, sortedAt } from './order-statistics.ts'

const COUNT = 257
const random = new RandomStream(3, 'order')
/** Rows as they occur and as they are hard: all kinds of sizes, mostly zeros, equal ones, neighbouring floats, the ends of the range. */
const ROWS = [
  Array.from({ length: COUNT }, () => Math.abs(random.normal())),
  Array.from({ length: COUNT }, () => 10 ** (68 * random.uniform() - 30)),
  Array.from({ length: COUNT }, () => Math.max(0, random.normal() - 1)),
  Array.from({ length: COUNT }, () => random.below(3)),
  Array.from({ length: COUNT }, () => 1 + random.below(5) * 2 ** -23),
  Array.from({ length: COUNT }, () => (random.below(2) > 0 ? 3.4028234663852886e38 : 2 ** -102)),
  new Array<number>(COUNT).fill(0.1),
  new Array<number>(COUNT).fill(0),
].map((row) => Float32Array.from(row))

function checkOn(engine: () => Tfjs): void {
  it.each([0, 1, 63, 128, 200, 254, 255, 256])('gives what sorting gives at %i', async (rank) => {
    const values = engine().tensor2d(Float32Array.from(ROWS.flatMap((row) => [...row])), [ROWS.length, COUNT])
    const ranks = engine().tensor1d(ROWS.map(() => rank))
    const expected = ROWS.map((row) => row.slice().sort()[rank])
    for (const way of [searchedAt, sortedAt]) {
      const found = engine().tidy(() => way(engine(), values, ranks))
      expect([...(await found.data())]).toEqual(expected)
      found.dispose()
    }
    engine().dispose([values, ranks])
  })
}

describe('values in the sorted order', () => {
  beforeAll(() => tf.setBackend('cpu'))
  checkOn(() => tf)
})

describeOnTensorflow('values in the sorted order on TensorFlow', (engine) => checkOn(() => engine().tf))
