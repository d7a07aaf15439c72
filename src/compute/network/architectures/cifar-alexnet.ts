/**
 * A small network for 32×32 pictures with what AlexNet has: local response normalisation, grouped convolutions, overlapping pooling,
 * dropout before the classifier.
 */
import { describeArchitecture } from './architecture.ts'
import { maxPooling, rectifiedConvolution } from './blocks.ts'

const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'] as const

export const cifarAlexnet = describeArchitecture({
  name: 'cifar-alexnet',
  title: 'Small AlexNet for 32×32',
  source: 'After Krizhevsky et al. (2012), for pictures of 32×32 pixels',
  parameters: 966_602,
  trainable: true,
  inputShape: [32, 32, 3],
  classes: CLASSES,
  preprocessing: ([, , channels]) => ({
    channelOrder: channels === 1 ? 'grey' : 'rgb',
    scale: 1 / 255,
    mean: Array.from({ length: channels }, () => 0.5),
    std: Array.from({ length: channels }, () => 0.25),
  }),
  layers: (outputs) => [
    ...rectifiedConvolution('1', 64, 5, { pad: 2 }),
    maxPooling('pool1', 3, 2, { rounding: 'ceil' }),
    { name: 'norm1', type: 'lrn', size: 5, alpha: 1e-4, beta: 0.75 },
    ...rectifiedConvolution('2', 128, 5, { pad: 2, groups: 2 }),
    maxPooling('pool2', 3, 2, { rounding: 'ceil' }),
    { name: 'norm2', type: 'lrn', size: 5, alpha: 1e-4, beta: 0.75 },
    ...rectifiedConvolution('3', 192, 3, { pad: 1 }),
    ...rectifiedConvolution('4', 128, 3, { pad: 1, groups: 2 }),
    maxPooling('pool4', 3, 2, { rounding: 'ceil' }),
    { name: 'flatten', type: 'flatten' },
    { name: 'fc5', type: 'dense', units: 256 },
    { name: 'relu5', type: 'relu' },
    { name: 'drop5', type: 'dropout', rate: 0.5 },
    { name: 'fc6', type: 'dense', units: outputs },
    { name: 'prob', type: 'softmax' },
  ],
})
