/** The mean picture beside a Caffe network, and the preprocessing that Caffe's networks were made with. */
import { action } from '../../../shared/actions.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/network/finding.ts'
import { MEAN_IMAGE_TENSOR, type Preprocessing } from '../../../shared/network/spec.ts'
import { decodeNpy } from '../../../shared/npy.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { channelMeans, channelOrderOf, meanTensor, resizeAndCrop, type MeanImage } from '../assembly/preprocessing.ts'
import type { ImportedTensor } from '../imported-network.ts'
import { WireReader } from '../protobuf/wire-reader.ts'
import { storedBlob } from './blob.ts'
import { dataSettings, type CaffeNet } from './net.ts'
import { Blob } from './schema.ts'

/** A mean picture of 4096×4096 in three channels is far above any. */
const MAX_VALUES = 2 ** 26

/**
 * A `.binaryproto` or `.npy` of `[channels, height, width]`, or `[channels]` alone.
 * @throws ConvScopeError 'damaged' or 'unsupported' that names the file
 */
export function readMean(file: SourceFile): MeanImage {
  const { shape, values } = /\.npy$/i.test(file.name) ? npyMean(file) : blobMean(file)
  const sizes = shape.length === 1 ? [...shape, 1, 1] : shape
  while (sizes.length > 3 && sizes[0] === 1) sizes.shift()
  const [channels = 0, height = 0, width = 0, ...rest] = sizes
  if (rest.length > 0 || channels * height * width !== values.length || values.length === 0 || channels > 4) {
    throw damagedMean(file, `its shape [${shape.join(', ')}] is not [channels, height, width] of a picture`)
  }
  const picture = new Float32Array(values.length)
  for (let channel = 0; channel < channels; channel++) {
    for (let place = 0; place < height * width; place++) {
      picture[place * channels + channel] = values[channel * height * width + place] ?? 0
    }
  }
  return { height, width, values: picture }
}

/**
 * Caffe's pipeline: B, G, R; 0…255; minus the mean; times `scale`.
 * @param input `[height, width, channels]`
 */
export function caffePreprocessing(
  net: CaffeNet,
  input: readonly [number, number, number],
  mean: { readonly image: MeanImage; readonly file: string } | undefined,
): { preprocessing: Preprocessing; meanImage: ImportedTensor | undefined; findings: Finding[] } {
  const [height, width, channels] = input
  const { scale, means } = dataSettings(net)
  const findings: Finding[] = []
  const image = mean?.image
  const known = image === undefined ? means : channelMeans(image)
  const perChannel = known.length === 1 ? new Array<number>(channels).fill(known[0] ?? 0) : known
  if (perChannel.length > 0 && perChannel.length !== channels) {
    throw new ConvScopeError(
      'invalid-input',
      `${mean?.file ?? net.file.name} has a mean of ${perChannel.length} channels, and the network takes ${channels}.`,
      { remedy: 'Give the mean that belongs to this network, or none.' },
    )
  }
  const spread = image !== undefined && image.height * image.width > 1
  const meanImage = spread ? meanTensor(image, input, scale) : undefined
  if (mean !== undefined && spread && meanImage === undefined) {
    findings.push({
      code: 'mean-image-averaged',
      severity: 'warning',
      message: `The mean picture of ${mean.file} (${image.height}×${image.width}) is smaller than the input and is used as one mean for each channel, so activations differ a little from Caffe's.`,
    })
  }
  if (perChannel.length === 0) {
    findings.push({
      code: 'guessed-preprocessing',
      severity: 'warning',
      message: `No mean was given with ${net.file.name}; the network gets ${channels === 1 ? 'grey' : 'B, G, R'} values of 0…255 ${scale === 1 ? '' : `times ${scale} `}with nothing subtracted.`,
      remedy: `Import it again with its mean (.binaryproto or .npy), or enter the means of the channels. ${action('change-preprocessing')}`,
    })
  } else {
    findings.push({
      code: 'caffe-preprocessing',
      severity: 'note',
      message: `Pictures are prepared as Caffe's tools do it: ${channels === 1 ? 'grey' : 'B, G, R'}, 0…255, less ${meanImage === undefined ? 'the mean of each channel' : 'the mean picture'}.`,
      remedy: `Where the network was trained with another order or range: ${action('change-preprocessing')}`,
    })
  }
  if (channels !== 1 && channels !== 3) findings.push(unusualChannels(channels))
  // ImageNet's networks take the centre of a picture of 256 pixels.
  const full: [number, number] = spread
    ? [image.height, image.width]
    : height > 192 && height < 256
      ? [256, 256]
      : [height, width]
  return {
    preprocessing: {
      ...resizeAndCrop([height, width], full, { mode: 'exact', filter: 'caffe' }),
      channelOrder: channelOrderOf(channels, 'bgr'),
      scale,
      // Caffe subtracts before it multiplies.
      mean: perChannel.map((value) => value * scale),
      ...(meanImage === undefined ? {} : { meanImage: MEAN_IMAGE_TENSOR }),
      std: [],
    },
    meanImage,
    findings,
  }
}

function unusualChannels(channels: number): Finding {
  return {
    code: 'unusual-channels',
    severity: 'warning',
    message: `The network takes ${channels} channels; pictures have one or three.`,
    remedy: 'Give it arrays of numbers instead of pictures.',
  }
}

function npyMean(file: SourceFile): { shape: number[]; values: ArrayLike<number> } {
  requireSize(file)
  const { shape, values } = decodeNpy(file.read(0, file.size), file.name)
  return { shape: [...shape], values }
}

function blobMean(file: SourceFile): { shape: number[]; values: ArrayLike<number> } {
  requireSize(file)
  const reader = new WireReader(file)
  const blob = storedBlob(Blob.decode(reader, reader.all, 'the mean'), file, 'the mean')
  return { shape: [...blob.shape], values: blob.values.read(0, blob.values.count) }
}

function requireSize(file: SourceFile): void {
  if (file.size <= 8 * MAX_VALUES) return
  throw new ConvScopeError('too-large', `${file.name} has ${file.size} bytes, more than any mean picture.`, {
    remedy: 'Give the mean picture of the network.',
  })
}

function damagedMean(file: SourceFile, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${file.name} cannot be used as a mean picture: ${reason}.`, {
    remedy: 'Give the mean that belongs to this network, or none.',
  })
}
