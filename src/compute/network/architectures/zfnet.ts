/**
 * The network of Zeiler & Fergus (2013), figure 3: no groups, pooling before normalisation. The sizes of the figure (110, 55, 26, 13,
 * 6) come about with one pixel around the picture and pooling that rounds up.
 */
import { describeArchitecture, type LayerInput } from './architecture.ts'
import { classifier4096, maxPooling, rectifiedConvolution } from './blocks.ts'
import { byteRange } from './imagenet-preprocessing.ts'

export const zfnet = describeArchitecture({
  name: 'zfnet',
  title: 'ZFNet',
  source:
    'Zeiler, Fergus: Visualizing and understanding convolutional networks (2013), figure 3; normalisation with the constants of Krizhevsky et al.',
  parameters: 62_357_608,
  inputShape: [224, 224, 3],
  classes: 1000,
  preprocessing: byteRange({ mean: 'caffe', order: 'rgb', mode: 'short-side', crop: 224 }),
  layers: (outputs) => [
    ...rectifiedConvolution('1', 96, 7, { stride: 2, pad: 1 }),
    maxPooling('pool1', 3, 2, { rounding: 'ceil' }),
    normalisation('norm1'),
    ...rectifiedConvolution('2', 256, 5, { stride: 2 }),
    maxPooling('pool2', 3, 2, { rounding: 'ceil' }),
    normalisation('norm2'),
    ...rectifiedConvolution('3', 384, 3, { pad: 1 }),
    ...rectifiedConvolution('4', 384, 3, { pad: 1 }),
    ...rectifiedConvolution('5', 256, 3, { pad: 1 }),
    maxPooling('pool5', 3, 2, { rounding: 'ceil' }),
    ...classifier4096(outputs),
  ],
})

/** Krizhevsky et al. (2012), section 3.3. */
function normalisation(name: string): LayerInput {
  return { name, type: 'lrn', size: 5, alpha: 1e-4, beta: 0.75, k: 2, convention: 'krizhevsky' }
}
