/** Combinations of regularisers drawn at random. */
import { AscentSettings } from '../../shared/experiments/activation-maximisation.ts'
import type { RegulariserSearchParams, SearchRanges } from '../../shared/experiments/regulariser-search.ts'
import { RandomStream } from '../random.ts'

type Range = SearchRanges['decay']

/** Draw number `index`; depends on nothing but the seed, the number and the ranges. */
export function drawSettings(
  { ranges, iterations, scale }: Pick<RegulariserSearchParams, 'ranges' | 'iterations' | 'scale'>,
  seed: number,
  index: number,
): AscentSettings {
  const random = new RandomStream(seed, 'search', index)
  const decay = drawn(random, ranges.decay, true)
  const blurSigma = drawn(random, ranges.blurSigma)
  const blurEvery = one(random, ranges.blurEvery)
  const normPercentile = drawn(random, ranges.normPercentile)
  const contributionPercentile = drawn(random, ranges.contributionPercentile)
  const policy = one(random, ranges.policies)
  return AscentSettings.parse({
    name: `draw ${index + 1}`,
    iterations,
    policy,
    scale,
    decay,
    blurSigma,
    blurEvery: blurSigma > 0 ? blurEvery : 0,
    normPercentile,
    contributionPercentile,
  })
}

function drawn(random: RandomStream, { low, high, off }: Range, logarithmic = false): number {
  const isOff = random.uniform() < off
  const place = random.uniform()
  if (isOff) return 0
  return logarithmic ? Math.exp(Math.log(low) + place * Math.log(high / low)) : low + place * (high - low)
}

function one<T>(random: RandomStream, choices: readonly T[]): T {
  const chosen = choices[random.below(choices.length)]
  if (chosen === undefined) throw new RangeError('there is nothing to choose from')
  return chosen
}
