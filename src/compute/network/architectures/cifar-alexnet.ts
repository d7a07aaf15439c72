/**
 * A small network for 32×32 pictures with what AlexNet has (Krizhevsky et al. 2012): local response normalisation, grouped convolutions,
 * overlapping pooling, dropout around the fully connected layer. Small enough to be trained on a processor.
 */
import { describeArchitecture } from './architecture.ts'
import { maxPooling, rectifiedConvolution } from './blocks.ts'

const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'] as const
/** Of the training pictures of CIFAR-10, 0…1. */
const CIFAR_MEAN = [0.4914, 0.4822, 0.4465]

export const cifarAlexnet = describeArchitecture({
  name: 'cifar-alexnet',
  title: 'Small AlexNet for 32×32',
  source: 'After Krizhevsky et al. (2012), for pictures of 32×32 pixels',
  parameters: 455_626,
  inputShape: [32, 32, 3],
  classes: CLASSES,
  preprocessing: ([, , channels]) => ({
    channelOrder: channels === 1 ? 'grey' : 'rgb',
    scale: 1 / 255,
    mean: channels === 1 ? [0.5] : CIFAR_MEAN,
    std: Array.from({ length: channels }, () => 0.25),
  }),
  layers: (outputs) => [
    ...rectifiedConvolution('1', 32, 3, { pad: 1 }),
    maxPooling('pool1', 3, 2),
    { name: 'norm1', type: 'lrn', size: 5, alpha: 5e-4, beta: 0.75 },
    ...rectifiedConvolution('2', 64, 3, { pad: 1, groups: 2 }),
    maxPooling('pool2', 3, 2),
    { name: 'norm2', type: 'lrn', size: 5, alpha: 5e-4, beta: 0.75 },
    ...rectifiedConvolution('3', 128, 3, { pad: 1 }),
    ...rectifiedConvolution('4', 128, 3, { pad: 1, groups: 2 }),
    maxPooling('pool4', 3, 2),
    { name: 'flatten', type: 'flatten' },
    { name: 'drop4', type: 'dropout', rate: 0.2 },
    { name: 'fc5', type: 'dense', units: 256 },
    { name: 'relu5', type: 'relu' },
    { name: 'drop5', type: 'dropout', rate: 0.2 },
    { name: 'fc6', type: 'dense', units: outputs },
    { name: 'prob', type: 'softmax' },
  ],
})
