/** torchvision's `alexnet`, which is not Krizhevsky's network of 2012: no normalisation, no groups, fewer filters. */
import { describeArchitecture } from './architecture.ts'
import { maxPooling, rectifiedConvolution } from './blocks.ts'
import { torchvisionRange } from './imagenet-preprocessing.ts'

export const torchvisionAlexnet = describeArchitecture({
  name: 'torchvision-alexnet',
  title: 'AlexNet (torchvision)',
  source:
    'Krizhevsky: One weird trick for parallelizing convolutional neural networks (2014), as torchvision alexnet; its adaptive pooling to 6×6 changes nothing at 224×224 and is left out',
  parameters: 61_100_840,
  torchNames: {
    conv1: 'features.0',
    conv2: 'features.3',
    conv3: 'features.6',
    conv4: 'features.8',
    conv5: 'features.10',
    fc6: 'classifier.1',
    fc7: 'classifier.4',
    fc8: 'classifier.6',
  },
  inputShape: [224, 224, 3],
  classes: 1000,
  preprocessing: torchvisionRange(),
  layers: (outputs) => [
    ...rectifiedConvolution('1', 64, 11, { stride: 4, pad: 2 }),
    maxPooling('pool1', 3, 2),
    ...rectifiedConvolution('2', 192, 5, { pad: 2 }),
    maxPooling('pool2', 3, 2),
    ...rectifiedConvolution('3', 384, 3, { pad: 1 }),
    ...rectifiedConvolution('4', 256, 3, { pad: 1 }),
    ...rectifiedConvolution('5', 256, 3, { pad: 1 }),
    maxPooling('pool5', 3, 2),
    { name: 'flatten', type: 'flatten', order: 'chw' },
    { name: 'drop6', type: 'dropout', rate: 0.5 },
    { name: 'fc6', type: 'dense', units: 4096 },
    { name: 'relu6', type: 'relu' },
    { name: 'drop7', type: 'dropout', rate: 0.5 },
    { name: 'fc7', type: 'dense', units: 4096 },
    { name: 'relu7', type: 'relu' },
    { name: 'fc8', type: 'dense', units: outputs },
    { name: 'prob', type: 'softmax' },
  ],
})
