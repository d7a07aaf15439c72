/** How projections are shown; not part of what is computed. */
import type { NumberArray } from '../../shared/npy.ts'
import { gaussianBlur } from './blur.ts'
import type { ColourMapName, Limits } from './colour-maps.ts'
import { magnitudeOf } from './filters.ts'
import { pictureOf, type PictureSource } from './paint.ts'

export const DISPLAY_CONTENTS = ['colour', 'norm', 'blurred-norm'] as const
export type DisplayContent = (typeof DISPLAY_CONTENTS)[number]

export interface ProjectionDisplay {
  readonly map: Extract<ColourMapName, 'grey' | 'diverging'>
  /** The signed values themselves, or of every pixel the norm over its colours, as it is or blurred. */
  readonly content: DisplayContent
  /** Shares of the limits are shown to this power: below 1 weak values come out. */
  readonly gamma: number
  /** Standard deviation of the blurred norm in pixels of the projection. */
  readonly blurSigma: number
}

export const DEFAULT_PROJECTION_DISPLAY: ProjectionDisplay = {
  map: 'grey',
  content: 'colour',
  gamma: 1,
  blurSigma: 1,
}

export const GAMMA_RANGE = { low: 0.2, high: 2, logarithmic: true } as const
export const BLUR_RANGE = { low: 0.3, high: 8 } as const

/** Pictures of one size, ready to be painted. */
export interface ShownPictures {
  readonly count: number
  readonly map: ColourMapName
  source(index: number): PictureSource
  limits(index: number): Limits
}

export interface ShowOptions {
  /** Every picture up to its own largest magnitude, or all to the largest of all. */
  readonly scale: 'per-picture' | 'shared'
  /** Channels are blue, green, red. */
  readonly bgr?: boolean
}

/**
 * Projections `[count, height, width, 1 or 3]` as a display shows them. Norms and limits are computed when they are first asked for.
 * Signed values lie between symmetric limits, norms above 0; a picture of nothing has the limits -1 … 1 or 0 … 1.
 */
export function showProjections(
  { values, shape }: NumberArray,
  { map, content, gamma, blurSigma }: ProjectionDisplay,
  { scale, bgr = false }: ShowOptions,
): ShownPictures {
  const count = shape[0] ?? 0
  const isNorm = content !== 'colour'
  const sources = new Map<number, PictureSource>()
  const magnitudes = new Map<number, number>()
  const shownOf = (index: number): PictureSource => {
    const picture = pictureOf(values, shape, index, bgr)
    if (!isNorm) return picture
    return normOf(picture, content === 'blurred-norm' ? blurSigma : 0)
  }
  const source = (index: number): PictureSource => remembered(sources, index, () => shownOf(index))
  const magnitude = (index: number): number => remembered(magnitudes, index, () => magnitudeOf(source(index)))
  let shared: number | undefined
  const largest = (): number => {
    shared ??= Array.from({ length: count }, (_, index) => magnitude(index)).reduce((a, b) => Math.max(a, b), 0)
    return shared
  }
  return {
    count,
    // A norm has no sign: from black to white, or from dark to bright.
    map: isNorm && map === 'diverging' ? 'viridis' : map,
    source,
    limits: (index) => {
      const high = (scale === 'shared' ? largest() : magnitude(index)) || 1
      return { low: isNorm ? 0 : -high, high, gamma }
    },
  }
}

/**
 * Projections `[units, height, width, channels]` or, without places, `[units, values]` with 1 or 3 channels: those to a layer in between
 * have many, of which the norm can be seen.
 */
export function asPictures(projections: NumberArray): NumberArray {
  const { values, shape } = projections
  const [units = 0, height = 1, width = 1, channels = 1] =
    shape.length === 4 ? shape : [shape[0] ?? 0, 1, shape[1] ?? 1, 1]
  if (channels === 1 || channels === 3) return { ...projections, shape: [units, height, width, channels] }
  const norms = new Float32Array(units * height * width)
  for (let place = 0; place < norms.length; place++) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += (values[place * channels + channel] ?? 0) ** 2
    norms[place] = Math.sqrt(sum)
  }
  return { ...projections, values: norms, shape: [units, height, width, 1] }
}

/** `first` minus `second` pixel by pixel, of pictures as they are shown; undefined where their sizes differ. */
export function differenceOf(first: PictureSource, second: PictureSource): PictureSource | undefined {
  const { width, height, channels } = first
  if (second.width !== width || second.height !== height || second.channels !== channels) return undefined
  const difference = new Float32Array(width * height * channels)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [one, other] = [first.start + pixel * first.pixelStep, second.start + pixel * second.pixelStep]
    for (let k = 0; k < channels; k++)
      difference[pixel * channels + k] = (first.values[one + k] ?? 0) - (second.values[other + k] ?? 0)
  }
  return { ...first, values: difference, start: 0, pixelStep: channels }
}

/** The norm over the colours of every pixel, blurred where `sigma` is above 0: one channel, 0 and above. */
export function normOf(picture: PictureSource, sigma: number): PictureSource {
  const { values, start, pixelStep, width, height, channels } = picture
  const norms = new Float32Array(width * height)
  for (let pixel = 0; pixel < norms.length; pixel++) {
    const at = start + pixel * pixelStep
    let sum = 0
    for (let k = 0; k < channels; k++) sum += (values[at + k] ?? 0) ** 2
    norms[pixel] = Math.sqrt(sum)
  }
  const shown = sigma > 0 ? gaussianBlur(norms, width, height, sigma) : norms
  return { values: shown, start: 0, pixelStep: 1, width, height, channels: 1 }
}

function remembered<T>(known: Map<number, T>, index: number, make: () => T): T {
  const found = known.get(index)
  if (found !== undefined) return found
  const made = make()
  known.set(index, made)
  return made
}

/** What stands beside the colour bar: all that is not usual. */
export function displayNote({ content, gamma, blurSigma }: ProjectionDisplay, scale: ShowOptions['scale']): string {
  return [
    content === 'norm' && 'norm',
    content === 'blurred-norm' && `norm, blur ${blurSigma}`,
    gamma !== 1 && `γ ${gamma}`,
    scale === 'shared' && 'shared',
  ]
    .filter(Boolean)
    .join(', ')
}

/** What was remembered, with defaults for what is missing or damaged. */
export function readProjectionDisplay(value: Readonly<Record<string, unknown>>): ProjectionDisplay {
  const number = (given: unknown, { low, high }: { low: number; high: number }, otherwise: number): number =>
    typeof given === 'number' && given >= low && given <= high ? given : otherwise
  const fallback = DEFAULT_PROJECTION_DISPLAY
  return {
    map: value.map === 'diverging' ? 'diverging' : fallback.map,
    content: DISPLAY_CONTENTS.find((content) => content === value.content) ?? fallback.content,
    gamma: number(value.gamma, GAMMA_RANGE, fallback.gamma),
    blurSigma: number(value.blurSigma, BLUR_RANGE, fallback.blurSigma),
  }
}
