/**
 * GoogLeNet (Szegedy et al. 2014) in its two circulating readings, both without the auxiliary classifiers, which take no part in
 * inference: Caffe's `bvlc_googlenet` (normalisation across channels, 5×5 convolutions, biases) and torchvision's `googlenet` (batch
 * normalisation, 3×3 convolutions in their place, no biases).
 *
 * Slashes of Caffe's layer names are dots here.
 */
import { describeArchitecture, type LayerInput } from './architecture.ts'
import { bareConvolution, convolution, maxPooling, type ConvolutionOptions } from './blocks.ts'
import { byteRange, torchvisionRange } from './imagenet-preprocessing.ts'

/** Filters of one inception block: 1×1; 3×3 after its reduction; 5×5 after its reduction; 1×1 after pooling. */
type Filters = readonly [one: number, reduce3: number, three: number, reduce5: number, five: number, pool: number]

/** Szegedy et al. (2014), table 1. */
const BLOCKS = {
  '3a': [64, 96, 128, 16, 32, 32],
  '3b': [128, 128, 192, 32, 96, 64],
  '4a': [192, 96, 208, 16, 48, 64],
  '4b': [160, 112, 224, 24, 64, 64],
  '4c': [128, 128, 256, 24, 64, 64],
  '4d': [112, 144, 288, 32, 64, 64],
  '4e': [256, 160, 320, 32, 128, 128],
  '5a': [256, 160, 320, 32, 128, 128],
  '5b': [384, 192, 384, 48, 128, 128],
} as const satisfies Record<string, Filters>
type Block = keyof typeof BLOCKS

export const googlenet = describeArchitecture({
  name: 'googlenet',
  title: 'GoogLeNet (Caffe)',
  source:
    'Szegedy et al.: Going deeper with convolutions (2014), as bvlc_googlenet of Caffe, without the auxiliary classifiers',
  parameters: 6_998_552,
  inputShape: [224, 224, 3],
  classes: 1000,
  preprocessing: byteRange({ mean: 'googlenet', order: 'bgr', mode: 'exact', crop: 224 }),
  layers: (outputs) => [
    ...caffeConvolution('conv1.7x7_s2', 64, 7, { stride: 2, pad: 3 }),
    maxPooling('pool1.3x3_s2', 3, 2, { rounding: 'ceil' }),
    { name: 'pool1.norm1', type: 'lrn', size: 5, alpha: 1e-4, beta: 0.75 },
    ...caffeConvolution('conv2.3x3_reduce', 64, 1),
    ...caffeConvolution('conv2.3x3', 192, 3, { pad: 1 }),
    { name: 'conv2.norm2', type: 'lrn', size: 5, alpha: 1e-4, beta: 0.75 },
    maxPooling('pool2.3x3_s2', 3, 2, { rounding: 'ceil' }),
    ...caffeInception('3a', 'pool2.3x3_s2'),
    ...caffeInception('3b', 'inception_3a.output'),
    maxPooling('pool3.3x3_s2', 3, 2, { rounding: 'ceil' }),
    ...caffeInception('4a', 'pool3.3x3_s2'),
    ...caffeInception('4b', 'inception_4a.output'),
    ...caffeInception('4c', 'inception_4b.output'),
    ...caffeInception('4d', 'inception_4c.output'),
    ...caffeInception('4e', 'inception_4d.output'),
    maxPooling('pool4.3x3_s2', 3, 2, { rounding: 'ceil' }),
    ...caffeInception('5a', 'pool4.3x3_s2'),
    ...caffeInception('5b', 'inception_5a.output'),
    // 7×7 at the published size.
    { name: 'pool5.7x7_s1', type: 'global-avg-pool' },
    { name: 'pool5.drop_7x7_s1', type: 'dropout', rate: 0.4 },
    { name: 'loss3.classifier', type: 'dense', units: outputs },
    { name: 'prob', type: 'softmax' },
  ],
})

function caffeConvolution(
  name: string,
  filters: number,
  kernel: number,
  options: ConvolutionOptions & { readonly input?: string } = {},
): LayerInput[] {
  const { input, ...geometry } = options
  const [block = '', part = ''] = name.split('.')
  return [
    { ...convolution(name, filters, kernel, geometry), ...(input === undefined ? {} : { inputs: [input] }) },
    { name: `${block}.relu_${part}`, type: 'relu' },
  ]
}

function caffeInception(block: Block, input: string): LayerInput[] {
  const [one, reduce3, three, reduce5, five, pool] = BLOCKS[block]
  const name = `inception_${block}`
  return [
    ...caffeConvolution(`${name}.1x1`, one, 1, { input }),
    ...caffeConvolution(`${name}.3x3_reduce`, reduce3, 1, { input }),
    ...caffeConvolution(`${name}.3x3`, three, 3, { pad: 1 }),
    ...caffeConvolution(`${name}.5x5_reduce`, reduce5, 1, { input }),
    ...caffeConvolution(`${name}.5x5`, five, 5, { pad: 2 }),
    { ...maxPooling(`${name}.pool`, 3, 1, { rounding: 'ceil', padding: [1, 1, 1, 1] }), inputs: [input] },
    ...caffeConvolution(`${name}.pool_proj`, pool, 1),
    {
      name: `${name}.output`,
      type: 'concat',
      inputs: ['1x1', '3x3', '5x5', 'pool_proj'].map((part) => `${name}.relu_${part}`),
    },
  ]
}

export const torchvisionGooglenet = describeArchitecture({
  name: 'torchvision-googlenet',
  title: 'GoogLeNet (torchvision)',
  source:
    'Szegedy et al. (2014) as torchvision googlenet, without the auxiliary classifiers; its transform_input and the usual mean and deviation together are mean 0.5 and deviation 0.5',
  parameters: 6_624_904,
  torchNames: torchNames(),
  torchIgnored: ['aux1.', 'aux2.'],
  inputShape: [224, 224, 3],
  classes: 1000,
  preprocessing: torchvisionRange([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
  layers: (outputs) => [
    ...normalisedConvolution('conv1', 64, 7, { stride: 2, pad: 3 }),
    maxPooling('maxpool1', 3, 2, { rounding: 'ceil' }),
    ...normalisedConvolution('conv2', 64, 1),
    ...normalisedConvolution('conv3', 192, 3, { pad: 1 }),
    maxPooling('maxpool2', 3, 2, { rounding: 'ceil' }),
    ...torchInception('3a', 'maxpool2'),
    ...torchInception('3b', 'inception3a.concat'),
    maxPooling('maxpool3', 3, 2, { rounding: 'ceil' }),
    ...torchInception('4a', 'maxpool3'),
    ...torchInception('4b', 'inception4a.concat'),
    ...torchInception('4c', 'inception4b.concat'),
    ...torchInception('4d', 'inception4c.concat'),
    ...torchInception('4e', 'inception4d.concat'),
    maxPooling('maxpool4', 2, 2, { rounding: 'ceil' }),
    ...torchInception('5a', 'maxpool4'),
    ...torchInception('5b', 'inception5a.concat'),
    { name: 'avgpool', type: 'global-avg-pool' },
    { name: 'dropout', type: 'dropout', rate: 0.2 },
    { name: 'fc', type: 'dense', units: outputs },
    { name: 'softmax', type: 'softmax' },
  ],
})

/** torchvision's BasicConv2d: convolution without bias, batch normalisation, ReLU. */
function normalisedConvolution(
  name: string,
  filters: number,
  kernel: number,
  options: ConvolutionOptions & { readonly input?: string } = {},
): LayerInput[] {
  const { input, ...geometry } = options
  return [
    {
      ...bareConvolution(`${name}.conv`, filters, kernel, geometry),
      ...(input === undefined ? {} : { inputs: [input] }),
    },
    { name: `${name}.bn`, type: 'batch-norm', epsilon: 1e-3 },
    { name: `${name}.relu`, type: 'relu' },
  ]
}

function torchInception(block: Block, input: string): LayerInput[] {
  const [one, reduce3, three, reduce5, five, pool] = BLOCKS[block]
  const name = `inception${block}`
  return [
    ...normalisedConvolution(`${name}.branch1`, one, 1, { input }),
    ...normalisedConvolution(`${name}.branch2.0`, reduce3, 1, { input }),
    ...normalisedConvolution(`${name}.branch2.1`, three, 3, { pad: 1 }),
    ...normalisedConvolution(`${name}.branch3.0`, reduce5, 1, { input }),
    ...normalisedConvolution(`${name}.branch3.1`, five, 3, { pad: 1 }),
    { ...maxPooling(`${name}.branch4.0`, 3, 1, { rounding: 'ceil', padding: [1, 1, 1, 1] }), inputs: [input] },
    ...normalisedConvolution(`${name}.branch4.1`, pool, 1),
    {
      name: `${name}.concat`,
      type: 'concat',
      inputs: ['branch1', 'branch2.1', 'branch3.1', 'branch4.1'].map((branch) => `${name}.${branch}.relu`),
    },
  ]
}

/** The layers are named as in torchvision. */
function torchNames(): Record<string, string> {
  const parts = ['branch1', 'branch2.0', 'branch2.1', 'branch3.0', 'branch3.1', 'branch4.1']
  const convolutions = [
    ...['conv1', 'conv2', 'conv3'],
    ...Object.keys(BLOCKS).flatMap((block) => parts.map((part) => `inception${block}.${part}`)),
  ]
  const names = [...convolutions.flatMap((name) => [`${name}.conv`, `${name}.bn`]), 'fc']
  return Object.fromEntries(names.map((name) => [name, name]))
}
