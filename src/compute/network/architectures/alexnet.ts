/**
 * The networks of Krizhevsky et al. (2012) as Caffe published them. Both have 60,965,224 parameters; CaffeNet has pooling before
 * normalisation in its first two blocks.
 */
import { describeArchitecture, type KnownArchitecture, type LayerInput } from './architecture.ts'
import { classifier4096, maxPooling, rectifiedConvolution } from './blocks.ts'
import { byteRange } from './imagenet-preprocessing.ts'

const preprocessing = byteRange({ mean: 'caffe', order: 'bgr', mode: 'exact', crop: 227 })

export const alexnet = caffeAlexnet({
  name: 'alexnet',
  title: 'AlexNet (Caffe)',
  source:
    'Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks (2012), as bvlc_alexnet of Caffe',
  poolFirst: false,
})

export const caffenet = caffeAlexnet({
  name: 'caffenet',
  title: 'CaffeNet',
  source:
    'bvlc_reference_caffenet of Caffe, also caffenet-yos of the Deep Visualization Toolbox: AlexNet with pooling before normalisation',
  poolFirst: true,
})

function caffeAlexnet(facts: { name: string; title: string; source: string; poolFirst: boolean }): KnownArchitecture {
  const { name, title, source, poolFirst } = facts
  return describeArchitecture({
    name,
    title,
    source,
    parameters: 60_965_224,
    inputShape: [227, 227, 3],
    classes: 1000,
    preprocessing,
    layers: (outputs) => [
      ...rectifiedConvolution('1', 96, 11, { stride: 4 }),
      ...normalisedPool('1', poolFirst),
      ...rectifiedConvolution('2', 256, 5, { pad: 2, groups: 2 }),
      ...normalisedPool('2', poolFirst),
      ...rectifiedConvolution('3', 384, 3, { pad: 1 }),
      ...rectifiedConvolution('4', 384, 3, { pad: 1, groups: 2 }),
      ...rectifiedConvolution('5', 256, 3, { pad: 1, groups: 2 }),
      maxPooling('pool5', 3, 2, { rounding: 'ceil' }),
      ...classifier4096(outputs),
    ],
  })
}

function normalisedPool(block: string, poolFirst: boolean): LayerInput[] {
  const pool = maxPooling(`pool${block}`, 3, 2, { rounding: 'ceil' })
  const norm: LayerInput = { name: `norm${block}`, type: 'lrn', size: 5, alpha: 1e-4, beta: 0.75 }
  return poolFirst ? [pool, norm] : [norm, pool]
}
