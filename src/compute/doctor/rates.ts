/** Shares of right answers, and whether one way is right more often than another. */
import type { Rate } from '../../shared/network/examination.ts'

/** Of the normal distribution, for 95 %. */
const QUANTILE = 1.959963984540054

/** Right answers with the score interval of Wilson (1927). */
export function rateOf(correct: number, count: number): Rate {
  if (count === 0) return { correct, count, fraction: 0, low: 0, high: 1 }
  const fraction = correct / count
  const square = QUANTILE ** 2
  const centre = (fraction + square / (2 * count)) / (1 + square / count)
  const margin =
    (QUANTILE * Math.sqrt((fraction * (1 - fraction)) / count + square / (4 * count ** 2))) / (1 + square / count)
  return {
    correct,
    count,
    fraction,
    low: correct === 0 ? 0 : Math.max(centre - margin, 0),
    high: correct === count ? 1 : Math.min(centre + margin, 1),
  }
}

/**
 * Sign test on the pictures that only one of two ways got right: how probable it is that chance alone favours the first so much.
 * @param first pictures that only the first got right
 * @param second pictures that only the second got right
 */
export function signTest(first: number, second: number): number {
  const count = first + second
  let term = 0.5 ** count
  let sum = 0
  for (let successes = count; successes >= first; successes--) {
    sum += term
    term *= successes / (count - successes + 1)
  }
  return Math.min(sum, 1)
}
