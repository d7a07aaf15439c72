/** What the preprocessing document itself gives away: means and deviations that do not fit the range or the order of channels. */
import { action } from '../../shared/actions.ts'
import type { Finding } from '../../shared/network/finding.ts'
import type { Preprocessing } from '../../shared/network/spec.ts'

/** Of ImageNet's training pictures, R, G, B, 0…255. */
const IMAGENET_RGB = [123.68, 116.779, 103.939] as const
/** Published means differ by less than this. */
const SAME_MEAN = 4

export function examinePreprocessing(preprocessing: Preprocessing): Finding[] {
  return [...range(preprocessing), ...deviation(preprocessing), ...order(preprocessing)]
}

function range({ mean, scale }: Preprocessing): Finding[] {
  const [low, high] = [Math.min(0, 255 * scale), Math.max(0, 255 * scale)]
  const means = mean.map((value) => Number(value.toPrecision(4))).join(', ')
  const outside = mean.some((value) => value < low - 0.25 * (high - low) || value > high + 0.25 * (high - low))
  if (outside) {
    return [
      {
        code: 'mean-outside-range',
        severity: 'warning',
        message: `The mean (${means}) lies outside the range of the pixels (${low} to ${high}): every picture becomes nearly the same.`,
        remedy:
          'Give scale and mean in the same units, for example scale 1 with a mean of about 110, or 1/255 with about 0.45.',
      },
    ]
  }
  const tiny =
    mean.length > 0 && mean.every((value) => Math.abs(value) < (high - low) / 100) && mean.some((value) => value !== 0)
  if (!tiny) return []
  return [
    {
      code: 'mean-negligible',
      severity: 'warning',
      message: `The mean (${means}) is next to nothing for pixels of ${low} to ${high}: it may be meant for pixels of 0 to 1.`,
      remedy:
        'Give scale and mean in the same units, for example scale 1 with a mean of about 110, or 1/255 with about 0.45.',
    },
  ]
}

function deviation({ std, scale }: Preprocessing): Finding[] {
  if (std.length === 0) return []
  const reach = Math.max(...std.map((value) => Math.abs(255 * scale) / value))
  if (reach >= 0.5 && reach <= 50) return []
  return [
    {
      code: 'deviation-unlikely',
      severity: 'warning',
      message: `Scale and standard deviation together stretch the pixels over ${reach.toPrecision(3)}, where about 5 is usual.`,
      remedy: 'Give scale and standard deviation in the same units.',
    },
  ]
}

function order({ channelOrder, mean, scale }: Preprocessing): Finding[] {
  if (channelOrder === 'grey' || mean.length !== 3 || scale === 0) return []
  const pixels = mean.map((value) => value / scale)
  const near = (expected: readonly number[]) =>
    pixels.every((value, channel) => Math.abs(value - (expected[channel] ?? NaN)) < SAME_MEAN)
  const reversed = [...IMAGENET_RGB].reverse()
  if (!near(channelOrder === 'rgb' ? reversed : IMAGENET_RGB)) return []
  const other = channelOrder === 'rgb' ? 'B, G, R' : 'R, G, B'
  return [
    {
      code: 'mean-order',
      severity: 'warning',
      message: `The mean is ImageNet's in the order ${other}, and the channels are in the order ${channelOrder.toUpperCase().split('').join(', ')}.`,
      remedy: `Turn the mean round, or the order of the channels. ${action('change-preprocessing')}`,
    },
  ]
}
