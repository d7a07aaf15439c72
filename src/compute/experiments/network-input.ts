/** From a picture reference to a network's input. */
import type { Sharp } from 'sharp'
import { NO_LABEL } from '../../shared/datasets.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { DeconvnetResult } from '../../shared/experiments/deconvnet.ts'
import type { PictureReference } from '../../shared/experiments/index.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { EncodedFile, EncodedFrame } from '../../shared/live.ts'
import { openPicture, openPixels, pictureHeader, unreadable, upright } from '../data/decode-picture.ts'
import { frameSize, type FrameSize } from '../../shared/network/frame-size.ts'
import { preprocess, toPicture } from '../network/preprocess.ts'
import type { Picture as BytePicture } from '../network/resize.ts'
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

/**
 * The referenced picture as the network takes it, by the network's preprocessing.
 * @throws ConvScopeError 'invalid-input' where the picture's size or channels do not fit, 'damaged' for an unreadable file
 */
export async function networkInput(
  reference: PictureReference,
  spec: NetworkSpec,
  context: Pick<ExperimentContext, 'dataset' | 'artifact'>,
): Promise<NetworkInput> {
  const shape = inputShape(spec)
  if ('artifact' in reference) {
    const file = await context.artifact(reference.artifact)
    const picture = await decode(() => openPicture(file), spec, shape)
    return { shape, values: toNetwork(picture, spec, shape), label: null }
  }
  const data = await context.dataset(reference.dataset, reference.split)
  const picture = await data.picture(reference.index)
  const index = data.labels[reference.index] ?? NO_LABEL
  const label = index === NO_LABEL ? null : { index, label: data.record.classes[index] ?? String(index) }
  return { shape, values: toNetwork(picture, spec, shape), label }
}

/**
 * A frame of a camera as the network takes it.
 * @throws ConvScopeError 'invalid-input' where there are not as many bytes as pixels
 */
export async function frameInput(
  { base64, height, width, channels }: EncodedFrame,
  spec: NetworkSpec,
): Promise<NetworkInput> {
  const pixels = Buffer.from(base64, 'base64')
  if (pixels.length !== height * width * channels) {
    throw new ConvScopeError(
      'invalid-input',
      `A frame of ${height} × ${width} × ${channels} came with ${pixels.length} bytes`,
    )
  }
  const shape = inputShape(spec)
  const picture = await decode(() => openPixels(pixels, [height, width, channels]), spec, shape)
  return { shape, values: toNetwork(picture, spec, shape), label: null }
}

/**
 * The middle of a picture file as the network takes it, in the size and aspect of a frame for it.
 * @throws ConvScopeError 'damaged' for what is no picture, 'too-large' for one of too many pixels
 */
export async function fileInput({ fileBase64, invert }: EncodedFile, spec: NetworkSpec): Promise<NetworkInput> {
  const file = new Uint8Array(Buffer.from(fileBase64, 'base64'))
  await pictureHeader(file, 'The picture')
  const shape = inputShape(spec)
  const open = (): Sharp => (invert ? openPicture(file).negate({ alpha: false }) : openPicture(file))
  const picture = await decode(open, spec, shape, frameSize(shape, spec.preprocessing))
  return { shape, values: toNetwork(picture, spec, shape), label: null }
}

/**
 * The referenced picture as it is, before the network's preprocessing.
 * @throws ConvScopeError 'damaged' for an unreadable file
 */
export async function pictureBytes(
  reference: PictureReference,
  spec: NetworkSpec,
  context: Pick<ExperimentContext, 'dataset' | 'artifact'>,
): Promise<BytePicture> {
  if ('artifact' in reference) {
    const file = await context.artifact(reference.artifact)
    return decode(() => openPicture(file), spec, inputShape(spec))
  }
  const data = await context.dataset(reference.dataset, reference.split)
  return data.picture(reference.index)
}

/** The input as a picture of bytes again, grey or RGB. */
export function inputPicture({ shape, values }: NetworkInput, spec: NetworkSpec): Picture {
  const { data } = toPicture(values, shape, spec.preprocessing)
  const [height, width, channels] = shape
  return { width, height, channels: channels === 3 ? 3 : 1, pixels: new Uint8Array(data) }
}

/** `[height, width, channels]` of the network's input. */
export function inputShape(spec: NetworkSpec): readonly [number, number, number] {
  const [first] = spec.layers
  if (first?.type !== 'input') throw new ConvScopeError('invalid-input', `The network ${spec.name} has no input layer`)
  return first.shape
}

/**
 * What is opened as grey or RGB bytes: its middle in the size and aspect of `middle` where that is given; otherwise, where the network's
 * preprocessing does not say how to resize, all of it at the input's size (aspect not kept).
 */
async function decode(
  open: () => Sharp,
  { preprocessing }: NetworkSpec,
  [height, width, channels]: readonly [number, number, number],
  middle?: FrameSize,
): Promise<BytePicture> {
  try {
    const picture = upright(open(), channels)
    const whole = preprocessing.resize ? picture : picture.resize(width, height, { fit: 'fill', kernel: 'linear' })
    const sized = middle ? picture.resize({ ...middle, fit: 'cover', kernel: 'linear' }) : whole
    const { data, info } = await sized.raw().toBuffer({ resolveWithObject: true })
    return { shape: [info.height, info.width, info.channels], data }
  } catch (cause) {
    throw unreadable(cause, 'The picture')
  }
}

/** @throws ConvScopeError 'invalid-input' where the picture does not fit the network */
export function toNetwork(
  picture: BytePicture,
  spec: NetworkSpec,
  shape: readonly [number, number, number],
): Float32Array {
  try {
    return preprocess(picture, spec.preprocessing, shape).data
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new ConvScopeError('invalid-input', `The picture does not fit the network ${spec.name}: ${cause.message}`, {
      remedy: 'Choose a picture or a data set of another size.',
      cause,
    })
  }
}
