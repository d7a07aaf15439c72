import { describe, expect, it } from 'vitest'
import { rateOf, signTest } from './rates.ts'

describe('rateOf', () => {
  it("gives Wilson's interval", () => {
    // By scipy.stats.binomtest(8, 10).proportion_ci(method='wilson').
    const { fraction, low, high } = rateOf(8, 10)
    expect(fraction).toBe(0.8)
    expect(low).toBeCloseTo(0.4901625, 6)
    expect(high).toBeCloseTo(0.9433178, 6)
  })

  it('stays within 0 and 1', () => {
    expect(rateOf(0, 20)).toMatchObject({ fraction: 0, low: 0 })
    expect(rateOf(20, 20)).toMatchObject({ fraction: 1, high: 1 })
    expect(rateOf(0, 0)).toEqual({ correct: 0, count: 0, fraction: 0, low: 0, high: 1 })
  })
})

describe('signTest', () => {
  it('sums the tail of the binomial distribution', () => {
    expect(signTest(5, 0)).toBeCloseTo(1 / 32, 12)
    expect(signTest(3, 1)).toBeCloseTo(5 / 16, 12)
    expect(signTest(0, 0)).toBe(1)
    expect(signTest(0, 4)).toBeCloseTo(1, 12)
    // scipy.stats.binomtest(60, 100, alternative='greater').pvalue
    expect(signTest(60, 40)).toBeCloseTo(0.0284439668, 8)
  })
})
