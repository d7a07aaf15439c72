/** Preprocessing as imported files describe it: a mean image or one mean a channel, and the sizes of resize and crop. */
import type { Preprocessing } from '../../../shared/network/spec.ts'
import type { ImportedTensor } from '../imported-network.ts'

type Resize = NonNullable<Preprocessing['resize']>

/** A mean picture in the channel order of the network. */
export interface MeanImage {
  readonly height: number
  readonly width: number
  /** `[height, width, channels]`, row-major. */
  readonly values: Float32Array
}

/** The mean of every channel of `[height, width, channels]`. */
export function channelMeans({ height, width, values }: MeanImage): number[] {
  const places = height * width
  const channels = values.length / places
  return Array.from({ length: channels }, (_, channel) => {
    let sum = 0
    for (let place = 0; place < places; place++) sum += values[place * channels + channel] ?? 0
    return sum / places
  })
}

/**
 * The mean picture as the network subtracts it: as large as its input, the centre of a larger one, times `scale`.
 * @param input `[height, width, channels]`
 * @returns undefined for one that is smaller than the input
 */
export function meanTensor(
  { height, width, values }: MeanImage,
  input: readonly [number, number, number],
  scale: number,
): ImportedTensor | undefined {
  const [rows, columns, channels] = input
  if (height < rows || width < columns || values.length !== height * width * channels) return undefined
  const top = Math.floor((height - rows) / 2)
  const left = Math.floor((width - columns) / 2)
  return {
    shape: input,
    values: () => {
      const cut = new Float32Array(rows * columns * channels)
      for (let row = 0; row < rows; row++) {
        const from = ((top + row) * width + left) * channels
        cut.set(values.subarray(from, from + columns * channels), row * columns * channels)
      }
      return scale === 1 ? cut : cut.map((value) => value * scale)
    },
  }
}

/** Resize to a size and cut the centre out of it, the latter only where it is smaller. */
export function resizeAndCrop(
  input: readonly [number, number],
  before: readonly [number, number],
  options: Pick<Resize, 'mode' | 'filter'>,
): Pick<Preprocessing, 'resize' | 'crop'> {
  const [height, width] = input
  const larger = before[0] >= height && before[1] >= width && (before[0] > height || before[1] > width)
  const [fullHeight, fullWidth] = larger ? before : input
  // A short side alone leaves the long one too long: the crop makes the size.
  const crops = larger || options.mode === 'short-side'
  return {
    resize: { ...options, height: fullHeight, width: fullWidth },
    ...(crops ? { crop: { mode: 'centre', height, width } } : {}),
  }
}

/** The order in which colours stand, as far as the number of channels leaves a choice. */
export function channelOrderOf(channels: number, colour: 'rgb' | 'bgr'): Preprocessing['channelOrder'] {
  return channels === 1 ? 'grey' : colour
}
