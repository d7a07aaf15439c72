/** How published rates are carried over to networks of other sizes and value ranges. */
import type { AscentScale, AscentSettings, StepPolicy } from '../../shared/experiments/activation-maximisation.ts'
import { RandomStream } from '../random.ts'
import type { AscentLayer } from './ascent-layer.ts'
import { Ascent, type AscentStart } from './ascent.ts'
import type { GreyLevels } from './grey-levels.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** The published rate, and the progress that the published settings ask of a step. */
const PUBLISHED_RATE = 100
const PUBLISHED_PROGRESS = 2

/** What a step of the published rate raises the unit by at its start, in standard deviations. */
const RATE_PROGRESS = 4
/** Beyond the numbers of start pictures. */
const NOISE_STREAM = 1_000_000
/** Pictures of uniform noise that a layer's spread is measured on. */
const NOISE_PICTURES = 8

/**
 * The published progress of 2 is taken to mean one standard deviation s of the layer's activations on pictures of uniform noise (0 … 255), and
 * the published rate of 100 the step that would, by linear prediction, raise the unit by 4 s from its start: progress is multiplied by s / 2,
 * a rate by 4 s / (100 · |g|²), with the median |g| of the start pictures whose gradient is not zero. (Our rule: the paper tuned these values to
 * CaffeNet.) Where every gradient is zero, rates stay as they are.
 * @param starts units of the layer, each at its start
 */
export async function ascentScale(
  layer: AscentLayer,
  starts: readonly AscentStart[],
  seed: number,
): Promise<AscentScale> {
  const slopes = [...(await firstGradientNorms(layer, starts))]
    .filter((norm) => norm > 0 && Number.isFinite(norm))
    .sort((a, b) => a - b)
  const slope = slopes[Math.floor(slopes.length / 2)]
  const spread = await layer.deviationOn(noise(layer.grey, seed))
  if (slope === undefined || !(spread > 0)) return { layer: layer.layer, progress: 1, rate: 1 }
  return {
    layer: layer.layer,
    progress: spread / PUBLISHED_PROGRESS,
    rate: (RATE_PROGRESS * spread) / (PUBLISHED_RATE * slope * slope),
  }
}

async function firstGradientNorms(layer: AscentLayer, starts: readonly AscentStart[]): Promise<Float32Array> {
  const ascent = new Ascent(layer, starts)
  try {
    return await ascent.gradientNorms()
  } finally {
    ascent.dispose()
  }
}

function noise({ shape, mean }: GreyLevels, seed: number): Float32Array {
  const random = new RandomStream(seed, 'start', NOISE_STREAM)
  const size = sizeOf(shape)
  return Float32Array.from(
    { length: NOISE_PICTURES * size },
    (_, place) => 255 * random.uniform() - (mean[place % size] ?? 0),
  )
}

/** Rates, progress and the weight of diversity as the layer needs them; settings that say `published` stay. Probabilities are not scaled. */
export function scaled(settings: AscentSettings, scale: AscentScale): AscentSettings {
  if (settings.scale === 'published') return settings
  const diversityWeight = settings.diversityWeight * scale.progress
  return { ...settings, policy: scaledPolicy(settings.policy, scale), diversityWeight }
}

function scaledPolicy(policy: StepPolicy, { progress, rate }: AscentScale): StepPolicy {
  if (policy.kind === 'constant') return { ...policy, rate: policy.rate * rate }
  if (policy.kind === 'progress01') return { ...policy, maxRate: policy.maxRate * rate }
  return { ...policy, maxRate: policy.maxRate * rate, desired: policy.desired * progress }
}
