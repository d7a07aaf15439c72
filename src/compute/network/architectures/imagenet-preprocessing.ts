/** The pipelines with which the networks for ImageNet were published. */
import type { InputShape, PreprocessingInput } from './architecture.ts'

/** Mean of the training pictures in Caffe's `ilsvrc_2012_mean.npy`, averaged over its pixels; B, G, R; 0…255. */
const CAFFE_MEAN = [104.00698793, 116.66876762, 122.67891434] as const
/** The mean that the VGG networks were trained with; B, G, R; 0…255. */
const VGG_MEAN = [103.939, 116.779, 123.68] as const
/** The mean that bvlc_googlenet was trained with; B, G, R; 0…255. */
const GOOGLENET_MEAN = [104, 117, 123] as const

const means = { caffe: CAFFE_MEAN, vgg: VGG_MEAN, googlenet: GOOGLENET_MEAN }

interface ByteRange {
  readonly mean: keyof typeof means
  readonly order: 'rgb' | 'bgr'
  /** 'exact': 256×256 whatever the aspect (Caffe); 'short-side': the short side becomes 256. */
  readonly mode: 'exact' | 'short-side'
  /** Side of the published centre crop of the picture of 256 pixels. */
  readonly crop: number
}

/** Resize with Caffe's filter, centre crop, 0…255 minus the mean of each channel. */
export function byteRange({ mean, order, mode, crop }: ByteRange): (shape: InputShape) => PreprocessingInput {
  return (shape) => ({
    ...sizes(shape, mode, 'caffe', crop),
    channelOrder: shape[2] === 1 ? 'grey' : order,
    scale: 1,
    mean: perChannel(order === 'bgr' ? [...means[mean]] : [...means[mean]].reverse(), shape),
  })
}

/** torchvision's: short side 256 with Pillow's filter, centre crop, RGB 0…1, less the mean, by the standard deviation. */
export function torchvisionRange(
  mean: readonly number[] = [0.485, 0.456, 0.406],
  std: readonly number[] = [0.229, 0.224, 0.225],
): (shape: InputShape) => PreprocessingInput {
  return (shape) => ({
    ...sizes(shape, 'short-side', 'pil-bilinear', 224),
    channelOrder: shape[2] === 1 ? 'grey' : 'rgb',
    scale: 1 / 255,
    mean: perChannel(mean, shape),
    std: perChannel(std, shape),
  })
}

/** The published proportion of crop to picture, also at other input sizes. */
function sizes(
  [height, width]: InputShape,
  mode: 'exact' | 'short-side',
  filter: 'caffe' | 'pil-bilinear',
  crop: number,
): Pick<PreprocessingInput, 'resize' | 'crop'> {
  const before = (size: number): number => Math.round((size * 256) / crop)
  return {
    resize: { mode, height: before(height), width: before(width), filter },
    crop: { mode: 'centre', height, width },
  }
}

/** One value for grey pictures. */
function perChannel(values: readonly number[], [, , channels]: InputShape): number[] {
  return channels === 1 ? [values.reduce((sum, value) => sum + value, 0) / values.length] : [...values]
}
