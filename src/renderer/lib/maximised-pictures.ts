/** Pictures that were found by activation maximisation: grey levels minus the mean, in the network's channel order. */
import type { AscentItem, AscentOutcome, AscentSettings } from '../../shared/experiments/activation-maximisation.ts'
import type { Preprocessing } from '../../shared/network/spec.ts'
import type { NumberArray } from '../../shared/npy.ts'
import type { OutputRecord } from '../../shared/runs.ts'
import { fetchArray } from './artifacts.ts'
import { formatCount, formatValue } from './format.ts'
import type { PictureSource } from './paint.ts'

/** Limits of what `greyLevels` answers. */
export const GREY_LIMITS = { low: 0, high: 255 }

/**
 * The grey levels that pictures of a run are relative to, `[height, width, channels]` as the run wrote them; of runs that wrote none one a
 * channel.
 */
export async function meanLevels(
  outputs: readonly OutputRecord[],
  { mean, scale }: Pick<Preprocessing, 'mean' | 'scale'>,
  signal: AbortSignal,
): Promise<ArrayLike<number>> {
  const output = outputs.find(({ name, kind }) => name === 'mean' && kind === 'array')
  if (!output) return mean.map((level) => level / scale)
  return (await fetchArray(output.sha256, output.bytes, signal)).values
}

/**
 * The pictures `[count, height, width, channels]` as bytes: the mean is added, 0 … 255; a pixel of 0 shows the mean colour.
 * @param mean grey levels of a whole picture, or one a channel
 */
export function greyLevels(
  { shape, values }: NumberArray,
  mean: ArrayLike<number>,
): { shape: readonly number[]; values: Uint8Array } {
  const levels = new Uint8Array(values.length)
  for (let at = 0; at < values.length; at++) {
    const level = (values[at] ?? 0) + (mean[at % mean.length] ?? 0)
    levels[at] = Math.round(Math.min(255, Math.max(0, level)))
  }
  return { shape, values: levels }
}

/** Every n-th pixel of a picture, with the smallest n at which it fits: previews of many pictures are larger than their room. */
export function everyNthPixel(source: PictureSource, room: { width: number; height: number }): PictureSource {
  const every = Math.ceil(Math.max(source.width / room.width, source.height / room.height, 1))
  if (every === 1) return source
  const [width, height] = [Math.ceil(source.width / every), Math.ceil(source.height / every)]
  const values = new Uint8Array(width * height * source.channels)
  for (let to = 0, row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = source.start + (row * source.width + column) * every * source.pixelStep
      for (let channel = 0; channel < source.channels; channel++) values[to++] = source.values[from + channel] ?? 0
    }
  }
  return { ...source, values, start: 0, pixelStep: source.channels, width, height }
}

/** The toolbox's words for how an optimisation ended. */
export const OUTCOME_TEXTS: Record<AscentOutcome, string> = {
  'majority-success': 'majority success',
  'majority-failure': 'majority failure',
  'zero-gradient': 'zero gradient',
  diverged: 'diverged',
}

/** What of the settings goes beyond the paper, in words; what is off is left out. */
export function beyondTexts(settings: AscentSettings): string[] {
  const { fourierPower, jitterPixels, scaleRange, rotationDegrees, diversityWeight, redirectedIterations } = settings
  return [
    fourierPower > 0 && `Fourier 1 / f^${fourierPower}`,
    settings.decorrelatedColour && 'natural colours',
    jitterPixels > 0 && `jitter ± ${jitterPixels} px`,
    scaleRange > 0 && `scale ± ${scaleRange}`,
    rotationDegrees > 0 && `turn ± ${rotationDegrees}°`,
    diversityWeight > 0 && `diversity ${diversityWeight}`,
    redirectedIterations > 0 && `redirected for ${formatCount(redirectedIterations)} iterations`,
  ].filter((text) => text !== false)
}

/** A combination of regularisers in one line: what is off is left out. */
export function settingsText(settings: AscentSettings): string {
  const { decay, blurSigma, blurEvery, normPercentile, contributionPercentile, policy } = settings
  const step =
    policy.kind === 'constant'
      ? `constant rate ${formatValue(policy.rate)}`
      : policy.kind === 'progress'
        ? `progress ${formatValue(policy.desired)}, rate up to ${formatValue(policy.maxRate)}`
        : `progress of probabilities, rate up to ${formatValue(policy.maxRate)}`
  return [
    decay > 0 && `decay ${formatValue(decay)}`,
    blurSigma > 0 && blurEvery > 0 && `blur ${formatValue(blurSigma)} px every ${blurEvery}`,
    normPercentile > 0 && `small norm ${formatValue(normPercentile)} %`,
    contributionPercentile > 0 && `small contribution ${formatValue(contributionPercentile)} %`,
    ...beyondTexts(settings),
    step,
    `${formatCount(settings.iterations)} iterations`,
  ]
    .filter(Boolean)
    .join(', ')
}

/** `conv2 / 17, start 3`; with the place where the layer has some. */
export function itemText({ layer, channel, position, start }: AscentItem, classes: readonly string[] = []): string {
  const name = classes[channel] === undefined ? '' : ` (${classes[channel]})`
  const place = position ? `, place ${position.join(', ')}` : ''
  return `${layer} / ${channel}${name}${place}, start ${start + 1}`
}
