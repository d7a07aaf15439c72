import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { CaseFile } from '../network/conformance/case-file.ts'
import { compare } from '../network/conformance/rows.ts'
import { percentileRank } from './ascent-step.ts'
import { blurMatrix } from './gaussian-blur.ts'

const CONFORMANCE = join(import.meta.dirname, '../../../tests/conformance')
let file: CaseFile
beforeAll(async () => {
  await tf.setBackend('cpu')
  file = await CaseFile.read(CONFORMANCE, 'yosinski-helpers')
})

describe('blurMatrix', () => {
  it.each(['0.3', '0.5', '1.0', '1.7', '3.0', '5.0'])('blurs as scipy does with sigma %s', async (sigma) => {
    const image = file.values('image')
    const [height = 1, width = 1, channels = 1] = image.shape
    const rows = tf.tensor2d(blurMatrix(height, Number(sigma)), [height, height])
    const columns = tf.tensor2d(blurMatrix(width, Number(sigma)), [width, width])
    const blurred = tf.tidy(() => {
      const down = tf.matMul(rows, tf.tensor2d(Float32Array.from(image.data), [height, width * channels]))
      const turned = tf.transpose(tf.reshape(down, [height, width, channels]), [1, 0, 2])
      const across = tf.matMul(columns, tf.reshape(turned, [width, height * channels]))
      return tf.transpose(tf.reshape(across, [width, height, channels]), [1, 0, 2])
    })
    const actual = { shape: blurred.shape, data: await blurred.data() }
    const row = compare('blur', sigma, actual, file.values(`blur/${sigma}`), file.json.tolerance)
    expect(row.ratio).toBeLessThanOrEqual(1)
    tf.dispose([rows, columns, blurred])
  })

  it('is the identity for sigma 0, and keeps what is constant', () => {
    expect([...blurMatrix(3, 0)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1])
    const matrix = blurMatrix(9, 2.5)
    for (let row = 0; row < 9; row++) {
      expect(matrix.subarray(row * 9, (row + 1) * 9).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6)
    }
  })
})

describe('percentileRank', () => {
  it.each(['values', 'values64'])('separates what the percentiles of numpy separate (%s)', (name) => {
    const rising = Array.from(file.values(name).data).sort((a, b) => a - b)
    const expected = file.values(`percentile/${name}`).data
    for (const [index, percentile] of [1, 12.5, 20, 33, 50, 90, 99, 100].entries()) {
      const threshold = rising[percentileRank(percentile, rising.length)] ?? NaN
      const kept = (limit: number): number => rising.filter((value) => value >= limit).length
      expect(kept(threshold)).toBe(kept((expected[index] ?? NaN) - 1e-9))
    }
  })

  it('is the place itself where that is a whole number, whatever rounding does', () => {
    expect(percentileRank(0, 10)).toBe(0)
    expect(percentileRank(100, 10)).toBe(9)
    for (let hundredth = 0; hundredth <= 10_000; hundredth++)
      expect(percentileRank(hundredth / 100, 10_001)).toBe(hundredth)
  })
})
