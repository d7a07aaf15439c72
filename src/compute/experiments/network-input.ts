/** From a picture reference to a network's input. */
import sharp from 'sharp'
import { ConvScopeError } from '../../shared/errors.ts'
import type { DeconvnetResult } from '../../shared/experiments/deconvnet.ts'
import type { PictureReference } from '../../shared/experiments/index.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import { pictureOf } from '../data/dataset-split.ts'
import type { ExperimentContext } from './experiment.ts'
import type { Picture } from './pictures.ts'

/** One picture in network space. */
export interface NetworkInput {
  /** `[height, width, channels]`, network channel order. */
  readonly shape: readonly [number, number, number]
  readonly values: Float32Array
  /** The data set's label for it; null for a picture from a file. */
  readonly label: DeconvnetResult['label']
}

interface BytePicture {
  readonly shape: readonly [height: number, width: number, channels: number]
  /** Grey or RGB. */
  readonly bytes: Uint8Array
}

const MAXIMUM_PIXELS = 100_000_000

/**
 * The referenced picture as the network takes it: `(byte * scale - mean) / std`, channels in network order.
 * @throws ConvScopeError 'invalid-input' where the picture's size or channels do not fit, 'damaged' for an unreadable file
 */
export async function networkInput(
  reference: PictureReference,
  spec: NetworkSpec,
  context: Pick<ExperimentContext, 'dataset' | 'artifact'>,
): Promise<NetworkInput> {
  const shape = inputShape(spec)
  if ('artifact' in reference) {
    const bytes = await context.artifact(reference.artifact)
    return { shape, values: toNetwork(await decode(bytes, shape), spec, shape), label: null }
  }
  const data = await context.dataset(reference.dataset, reference.split)
  const picture = { shape: data.shape, bytes: pictureOf(data, reference.index) }
  const index = data.labels[reference.index] ?? 0
  const label = { index, label: data.record.classes[index] ?? String(index) }
  return { shape, values: toNetwork(picture, spec, shape), label }
}

/** The input as a picture of bytes again, grey or RGB. */
export function inputPicture({ shape, values }: NetworkInput, spec: NetworkSpec): Picture {
  const [height, width, channels] = shape
  const { mean, std, scale, channelOrder } = spec.preprocessing
  const shown = channels === 3 ? 3 : 1
  const pixels = new Uint8Array(height * width * shown)
  for (let place = 0; place < height * width; place++) {
    for (let channel = 0; channel < shown; channel++) {
      const source = channelOrder === 'bgr' ? shown - 1 - channel : channel
      const value = (values[place * channels + source] ?? 0) * (std[source] ?? 1) + (mean[source] ?? 0)
      pixels[place * shown + channel] = Math.min(Math.max(Math.round(value / scale), 0), 255)
    }
  }
  return { width, height, channels: shown, pixels }
}

function inputShape(spec: NetworkSpec): readonly [number, number, number] {
  const [first] = spec.layers
  if (first?.type !== 'input') throw new ConvScopeError('invalid-input', `The network ${spec.name} has no input layer`)
  return first.shape
}

/** A picture file at the network's input size (bilinear, aspect not kept), grey or RGB. */
async function decode(
  file: Uint8Array,
  [height, width, channels]: readonly [number, number, number],
): Promise<BytePicture> {
  try {
    const image = sharp(file, { limitInputPixels: MAXIMUM_PIXELS, failOn: 'error' })
      .rotate()
      .flatten({ background: '#000' })
      .resize(width, height, { fit: 'fill', kernel: 'linear' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
    const bytes = channels === 1 ? firstChannel(data, info.channels) : data
    return { shape: [height, width, channels], bytes }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConvScopeError('damaged', `The picture cannot be read: ${reason}`, {
      remedy: 'Choose a PNG, JPEG, WebP, TIFF or GIF file.',
      cause,
    })
  }
}

function firstChannel(bytes: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return bytes
  return Uint8Array.from({ length: bytes.length / channels }, (_, place) => bytes[place * channels] ?? 0)
}

function toNetwork(picture: BytePicture, spec: NetworkSpec, shape: readonly [number, number, number]): Float32Array {
  if (picture.shape.join() !== shape.join()) {
    throw new ConvScopeError(
      'invalid-input',
      `The network ${spec.name} takes pictures of ${shape.join(' × ')}; this one is ${picture.shape.join(' × ')}`,
      { remedy: 'Choose a picture or a data set of that size.' },
    )
  }
  const channels = shape[2]
  const { mean, std, scale, channelOrder } = spec.preprocessing
  return Float32Array.from(picture.bytes, (_, index) => {
    const channel = index % channels
    const source = channelOrder === 'bgr' ? index - channel + (channels - 1 - channel) : index
    return ((picture.bytes[source] ?? 0) * scale - (mean[channel] ?? 0)) / (std[channel] ?? 1)
  })
}
