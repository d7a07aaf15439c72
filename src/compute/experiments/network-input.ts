/** From a picture reference to a network's input. */
import { NO_LABEL } from '../../shared/datasets.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { DeconvnetResult } from '../../shared/experiments/deconvnet.ts'
import type { PictureReference } from '../../shared/experiments/index.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import { openPicture, unreadable, upright } from '../data/decode-picture.ts'
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
    const picture = await decode(await context.artifact(reference.artifact), spec, shape)
    return { shape, values: toNetwork(picture, spec, shape), label: null }
  }
  const data = await context.dataset(reference.dataset, reference.split)
  const picture = await data.picture(reference.index)
  const index = data.labels[reference.index] ?? NO_LABEL
  const label = index === NO_LABEL ? null : { index, label: data.record.classes[index] ?? String(index) }
  return { shape, values: toNetwork(picture, spec, shape), label }
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
  if ('artifact' in reference) return decode(await context.artifact(reference.artifact), spec, inputShape(spec))
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

/** A picture file as grey or RGB bytes; at the network's input size (aspect not kept) where its preprocessing does not say how to resize. */
async function decode(
  file: Uint8Array,
  { preprocessing }: NetworkSpec,
  [height, width, channels]: readonly [number, number, number],
): Promise<BytePicture> {
  try {
    const picture = upright(openPicture(file), channels)
    const sized = preprocessing.resize ? picture : picture.resize(width, height, { fit: 'fill', kernel: 'linear' })
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
