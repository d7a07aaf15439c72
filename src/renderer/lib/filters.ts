import { ConvScopeError } from '../../shared/errors.ts'
import type { NumberArray } from '../../shared/npy.ts'
import type { PictureSource } from './paint.ts'

/**
 * The kernels `[height, width, inChannels, outChannels]` of a convolution as pictures `[outChannels, height, width, channels]`:
 * 3 channels where the network reads colours, otherwise the first input channel.
 */
export function filterPictures({ shape, values }: NumberArray): NumberArray {
  const [height, width, inputs, filters] = shape
  if (height === undefined || width === undefined || inputs === undefined || filters === undefined) {
    throw new ConvScopeError('unsupported', 'These weights are not the kernels of a convolution')
  }
  const channels = inputs === 3 ? 3 : 1
  const pictures = new Float32Array(filters * height * width * channels)
  for (let filter = 0; filter < filters; filter++) {
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        pictures[(filter * height * width + pixel) * channels + channel] =
          values[(pixel * inputs + channel) * filters + filter] ?? 0
      }
    }
  }
  return { shape: [filters, height, width, channels], values: pictures }
}

/** Largest magnitude in a picture. */
export function magnitudeOf({ values, start, width, height, channels, pixelStep }: PictureSource): number {
  let magnitude = 0
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let k = 0; k < channels; k++)
      magnitude = Math.max(magnitude, Math.abs(values[start + pixel * pixelStep + k] ?? 0))
  }
  return magnitude
}
