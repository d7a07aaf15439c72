/** Networks of the Visual Geometry Group: VGG-M (Chatfield et al. 2014) and VGG-16 (Simonyan & Zisserman 2014). */
import { describeArchitecture, type LayerInput } from './architecture.ts'
import { classifier4096, maxPooling, rectifiedConvolution } from './blocks.ts'
import { byteRange, torchvisionRange } from './imagenet-preprocessing.ts'

export const vggM = describeArchitecture({
  name: 'vgg-m',
  title: 'VGG-M',
  source: 'Chatfield et al.: Return of the devil in the details (2014), CNN-M',
  parameters: 102_908_520,
  inputShape: [224, 224, 3],
  classes: 1000,
  preprocessing: byteRange({ mean: 'vgg', order: 'rgb', mode: 'short-side', crop: 224 }),
  layers: (outputs) => [
    ...rectifiedConvolution('1', 96, 7, { stride: 2 }),
    normalisation('norm1'),
    maxPooling('pool1', 3, 2),
    ...rectifiedConvolution('2', 256, 5, { stride: 2, pad: 1 }),
    normalisation('norm2'),
    // 26 → 13: the missing row and column are added at the bottom and right.
    maxPooling('pool2', 3, 2, { padding: [0, 1, 0, 1] }),
    ...rectifiedConvolution('3', 512, 3, { pad: 1 }),
    ...rectifiedConvolution('4', 512, 3, { pad: 1 }),
    ...rectifiedConvolution('5', 512, 3, { pad: 1 }),
    maxPooling('pool5', 3, 2),
    ...classifier4096(outputs),
  ],
})

function normalisation(name: string): LayerInput {
  return { name, type: 'lrn', size: 5, alpha: 5e-4, beta: 0.75, k: 2 }
}

/** Filters of each block, a number of convolutions. */
const VGG_16_BLOCKS = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const

/** Places of the convolutions and dense layers in torchvision's module lists. */
const VGG_16_TORCH_NAMES = Object.fromEntries([
  ...Object.entries(torchPlaces()).map(([layer, place]) => [layer, `features.${place}`]),
  ['fc6', 'classifier.0'],
  ['fc7', 'classifier.3'],
  ['fc8', 'classifier.6'],
]) as Readonly<Record<string, string>>

export const vgg16 = describeArchitecture({
  name: 'vgg-16',
  title: 'VGG-16',
  source:
    'Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition (2014), configuration D, as VGG_ILSVRC_16_layers of Caffe',
  parameters: 138_357_544,
  torchNames: VGG_16_TORCH_NAMES,
  inputShape: [224, 224, 3],
  classes: 1000,
  preprocessing: byteRange({ mean: 'vgg', order: 'bgr', mode: 'short-side', crop: 224 }),
  layers: vgg16Layers,
})

export const torchvisionVgg16 = describeArchitecture({
  name: 'torchvision-vgg16',
  title: 'VGG-16 (torchvision)',
  source: 'Simonyan, Zisserman (2014), configuration D, with the weights and preprocessing of torchvision vgg16',
  parameters: 138_357_544,
  torchNames: VGG_16_TORCH_NAMES,
  inputShape: [224, 224, 3],
  classes: 1000,
  preprocessing: torchvisionRange(),
  layers: vgg16Layers,
})

function vgg16Layers(outputs: number): LayerInput[] {
  const blocks = VGG_16_BLOCKS.flatMap((filters, block) => [
    ...filters.flatMap((count, place) => rectifiedConvolution(`${block + 1}_${place + 1}`, count, 3, { pad: 1 })),
    maxPooling(`pool${block + 1}`, 2, 2),
  ])
  return [...blocks, ...classifier4096(outputs)]
}

/** In torchvision's list every convolution is followed by its ReLU, every block by its pooling. */
function torchPlaces(): Record<string, number> {
  const places: Record<string, number> = {}
  let place = 0
  for (const [block, filters] of VGG_16_BLOCKS.entries()) {
    for (const index of filters.keys()) {
      places[`conv${block + 1}_${index + 1}`] = place
      place += 2
    }
    place += 1
  }
  return places
}
