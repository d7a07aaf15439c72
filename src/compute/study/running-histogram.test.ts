import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RunningHistograms } from './running-histogram.ts'

it('counts every value in the bin that holds it, whatever the range', () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true, min: -1_000_000, max: 1_000_000 }), { minLength: 1, maxLength: 60 }),
      (values) => {
        const histograms = new RunningHistograms(2)
        for (const value of values) histograms.add(1, value)
        const { start, step, counts } = histograms.of(1)
        expect(counts.length).toBeLessThanOrEqual(32)
        const expected = new Array<number>(counts.length).fill(0)
        for (const value of values) {
          const bin = Math.floor(value / step) - Math.round(start / step)
          expected[bin] = (expected[bin] ?? 0) + 1
        }
        expect(counts).toEqual(expected)
        expect(histograms.of(0).counts).toEqual([])
      },
    ),
  )
})
