/** From a picture of bytes to a network's input and back, by the network's `Preprocessing`. */
import type { Preprocessing } from '../../shared/network/spec.ts'
import { meanImageOf } from './mean-image.ts'
import { resize, type FloatPicture, type Picture } from './resize.ts'

/**
 * Resize, centre crop, channel order, `(value * scale - mean) / std`, in this order.
 * @param picture grey, grey with alpha, RGB or RGB with alpha; alpha is dropped
 * @param shape the input layer's `[height, width, channels]`
 * @throws RangeError when the pipeline does not end at the input's shape
 */
export function preprocess(picture: Picture, preprocessing: Preprocessing, shape: readonly number[]): FloatPicture {
  const normalised = normalise(sized(picture, preprocessing), preprocessing)
  if (normalised.shape.join() !== shape.join()) {
    throw new RangeError(
      `a picture of [${picture.shape.join(', ')}] becomes [${normalised.shape.join(', ')}], but the network takes [${shape.join(', ')}]`,
    )
  }
  return normalised
}

/**
 * The first part of the pipeline: resize and centre crop; channels and values as they were.
 * @throws RangeError for a crop larger than the picture
 */
export function sized(picture: Picture, preprocessing: Pick<Preprocessing, 'resize' | 'crop'>): FloatPicture {
  const before = resized(picture, preprocessing)
  return preprocessing.crop === undefined ? before : cropCentre(before, preprocessing.crop)
}

/** The rest of the pipeline, for a picture of the input's size: channel order, `(value * scale - mean) / std`. */
export function normalise(picture: FloatPicture, preprocessing: Preprocessing): FloatPicture {
  const ordered = orderChannels(picture, preprocessing.channelOrder)
  const [, , channels] = ordered.shape
  const { scale } = preprocessing
  const mean = meansOf(preprocessing)
  const data = ordered.data.map((value, index) => {
    const channel = index % channels
    return (value * scale - mean(index, channel)) / (preprocessing.std[channel] ?? 1)
  })
  return { shape: ordered.shape, data }
}

/**
 * A network input as a picture again: grey or RGB bytes, clipped to 0…255.
 * @param shape `[height, width, channels]` of the input layer
 */
export function toPicture(
  input: ArrayLike<number>,
  shape: readonly [number, number, number],
  preprocessing: Preprocessing,
): { readonly shape: readonly [number, number, number]; readonly data: Uint8ClampedArray } {
  const [, , channels] = shape
  const data = new Uint8ClampedArray(input.length)
  const mean = meansOf(preprocessing)
  for (let index = 0; index < data.length; index++) {
    const channel = index % channels
    const value = (input[index] ?? 0) * (preprocessing.std[channel] ?? 1) + mean(index, channel)
    data[index - channel + displayChannel(channel, preprocessing)] = value / preprocessing.scale
  }
  return { shape, data }
}

/** The values of a network's input that bytes can give, one of each a place of the input: what 0 and 255 become. */
export interface InputRange {
  readonly low: Float32Array
  readonly high: Float32Array
}

/**
 * What pictures of bytes can become in network space, for optimisation and attacks that must stay inside.
 * @param shape `[height, width, channels]` of the input layer
 */
export function inputRange(preprocessing: Preprocessing, shape: readonly [number, number, number]): InputRange {
  const [height, width, channels] = shape
  const mean = meansOf(preprocessing)
  const at = (byte: number) =>
    Float32Array.from({ length: height * width * channels }, (_, index) => {
      const channel = index % channels
      return (byte * preprocessing.scale - mean(index, channel)) / (preprocessing.std[channel] ?? 1)
    })
  const [zero, full] = [at(0), at(255)]
  return preprocessing.scale < 0 ? { low: full, high: zero } : { low: zero, high: full }
}

/** What is subtracted at a place of the input. */
function meansOf(preprocessing: Preprocessing): (index: number, channel: number) => number {
  const image = meanImageOf(preprocessing)
  if (image !== undefined) return (index) => image[index] ?? 0
  return (_index, channel) => preprocessing.mean[channel] ?? 0
}

function displayChannel(channel: number, { channelOrder }: Preprocessing): number {
  return channelOrder === 'bgr' ? 2 - channel : channel
}

/** A picture at the size that it has before the crop. */
export function resized(picture: Picture, preprocessing: Pick<Preprocessing, 'resize'>): FloatPicture {
  const { resize: target } = preprocessing
  if (target === undefined) return { shape: picture.shape, data: Float32Array.from(picture.data) }
  const [height, width] = resizedSize(picture.shape, preprocessing)
  return resize(picture, height, width, target.filter)
}

/** `[height, width]` before the crop, of a picture of that shape. */
export function resizedSize(
  [height, width]: readonly [height: number, width: number, channels: number],
  { resize: target }: Pick<Preprocessing, 'resize'>,
): readonly [number, number] {
  if (target === undefined) return [height, width]
  if (target.mode === 'exact') return [target.height, target.width]
  // torchvision's rule: the short side becomes the size, the long one is cut to whole pixels.
  const size = Math.min(target.height, target.width)
  const short = Math.min(height, width)
  return [Math.trunc((size * height) / short), Math.trunc((size * width) / short)]
}

function cropCentre({ shape, data }: FloatPicture, { height, width }: { height: number; width: number }): FloatPicture {
  const [oldHeight, oldWidth, channels] = shape
  if (height > oldHeight || width > oldWidth) {
    throw new RangeError(`a picture of ${oldHeight}×${oldWidth} pixels cannot be cropped to ${height}×${width}`)
  }
  const top = Math.floor((oldHeight - height) / 2)
  const left = Math.floor((oldWidth - width) / 2)
  const cropped = new Float32Array(height * width * channels)
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * oldWidth + left) * channels
    cropped.set(data.subarray(from, from + width * channels), row * width * channels)
  }
  return { shape: [height, width, channels], data: cropped }
}

function orderChannels({ shape, data }: FloatPicture, order: Preprocessing['channelOrder']): FloatPicture {
  const [height, width, channels] = shape
  const colours = order === 'grey' ? 1 : 3
  const coloured = channels >= 3
  const result = new Float32Array(height * width * colours)
  for (let pixel = 0; pixel < height * width; pixel++) {
    const at = (channel: number): number => data[pixel * channels + (coloured ? channel : 0)] ?? 0
    for (let colour = 0; colour < colours; colour++) {
      result[pixel * colours + colour] =
        order === 'grey' && coloured ? luminance(at) : at(order === 'bgr' ? 2 - colour : colour)
    }
  }
  return { shape: [height, width, colours], data: result }
}

/** ITU-R 601, rounded as Pillow does it for bytes. */
function luminance(at: (channel: number) => number): number {
  return Math.floor((at(0) * 19_595 + at(1) * 38_470 + at(2) * 7_471 + 0x8000) / 0x1_0000)
}
