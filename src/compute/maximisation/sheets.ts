/** Optimised pictures to look at. */
import type { AscentItem } from '../../shared/experiments/activation-maximisation.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import { contactSheet, type Picture } from '../experiments/pictures.ts'
import type { GreyLevels } from './grey-levels.ts'

const MOST_CURVES = 9

/** Grey levels minus the mean as bytes: grey, or RGB whatever order the network has. A pixel of 0 shows the mean. */
export function greyPicture(
  values: Float32Array,
  { shape, mean }: GreyLevels,
  { preprocessing }: NetworkSpec,
): Picture {
  const [height, width, channels] = shape
  const shown = channels === 3 ? 3 : 1
  const pixels = new Uint8Array(height * width * shown)
  for (let place = 0; place < height * width; place++) {
    for (let channel = 0; channel < shown; channel++) {
      const source = shown === 3 && preprocessing.channelOrder === 'bgr' ? 2 - channel : channel
      const at = place * channels + source
      const level = (values[at] ?? 0) + (mean[at] ?? 0)
      pixels[place * shown + channel] = Math.round(Math.min(Math.max(level, 0), 255))
    }
  }
  return { width, height, channels: shown, pixels }
}

/**
 * The layer's units in order; each a square of its settings, each of these a square of its starts: with four settings and nine starts the
 * 2 × 2 of 3 × 3 pictures of the Deep Visualization Toolbox.
 */
export function sheetOf(items: readonly AscentItem[], pictures: readonly Picture[], layer: string): Picture {
  const units = new Map<number, Map<number, Picture[]>>()
  for (const [index, item] of items.entries()) {
    const picture = pictures[index]
    if (item.layer !== layer || !picture) continue
    const settings = units.get(item.channel) ?? new Map<number, Picture[]>()
    units.set(item.channel, settings)
    settings.set(item.setting, [...(settings.get(item.setting) ?? []), picture])
  }
  return contactSheet([...units.values()].map((settings) => contactSheet([...settings.values()].map(contactSheet))))
}

/** Pictures whose activations are drawn as they climb: of several settings the first of each, otherwise the first nine. */
export function curveItems(items: readonly { readonly setting: number }[]): number[] {
  const firsts = items.flatMap(({ setting }, index) =>
    items.findIndex((other) => other.setting === setting) === index ? [index] : [],
  )
  const all = firsts.length > 1 ? firsts : items.map((_, index) => index)
  return all.slice(0, MOST_CURVES)
}

/** Pictures as they climb: several settings of one unit each as a square of its starts, others side by side. */
export function climbingSheet(
  items: readonly { readonly setting: number; readonly start: number }[],
  pictures: readonly Picture[],
): Picture {
  const settings = new Map<number, Picture[]>()
  const starts = new Set<number>()
  for (const [index, { setting, start }] of items.entries()) {
    const picture = pictures[index]
    if (picture) settings.set(setting, [...(settings.get(setting) ?? []), picture])
    starts.add(start)
  }
  const oneUnit = settings.size * starts.size === pictures.length
  if (!oneUnit || settings.size < 2 || starts.size < 2) return contactSheet(pictures)
  return contactSheet([...settings.values()].map(contactSheet))
}
