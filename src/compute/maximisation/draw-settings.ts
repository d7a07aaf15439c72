/** Combinations of regularisers drawn at random. */
import { AscentSettings, type StepPolicy } from '../../shared/experiments/activation-maximisation.ts'
import type {
  RegulariserSearchParams,
  SearchPolicy,
  SearchRanges,
} from '../../shared/experiments/regulariser-search.ts'
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
  const blurEvery = drawnPeriod(random, ranges.blurEvery)
  const normPercentile = drawn(random, ranges.normPercentile)
  const contributionPercentile = drawn(random, ranges.contributionPercentile)
  const policy = drawnPolicy(random, one(random, ranges.policies))
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
  return logarithmic ? evenInLogarithm(place, low, high) : low + place * (high - low)
}

function drawnPeriod(random: RandomStream, periods: SearchRanges['blurEvery']): number {
  if (Array.isArray(periods)) return one(random, periods)
  // Whole numbers n … n + 1 of the logarithmic scale become n, so that the upper end is drawn as often as its share says.
  const { low, high } = periods
  return Math.min(high, Math.floor(evenInLogarithm(random.uniform(), low, high + 1)))
}

/** Numbers of ranges, in the order of the document; what is one number takes nothing from the stream. */
function drawnPolicy(random: RandomStream, policy: SearchPolicy): StepPolicy {
  const number = (given: number | readonly [number, number]): number =>
    typeof given === 'number' ? given : evenInLogarithm(random.uniform(), ...given)
  switch (policy.kind) {
    case 'constant':
      return { kind: policy.kind, rate: number(policy.rate) }
    case 'progress':
      return { kind: policy.kind, maxRate: number(policy.maxRate), desired: number(policy.desired) }
    case 'progress01':
      return {
        kind: policy.kind,
        maxRate: number(policy.maxRate),
        early: number(policy.early),
        late: number(policy.late),
      }
  }
}

function evenInLogarithm(place: number, low: number, high: number): number {
  return Math.exp(Math.log(low) + place * Math.log(high / low))
}

function one<T>(random: RandomStream, choices: readonly T[]): T {
  const chosen = choices[random.below(choices.length)]
  if (chosen === undefined) throw new RangeError('there is nothing to choose from')
  return chosen
}
