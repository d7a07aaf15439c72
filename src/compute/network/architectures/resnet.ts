/**
 * Residual networks (He et al. 2015, table 1) as torchvision has them: batch normalisation with epsilon 1e-5; in the bottleneck, the
 * stride is that of the 3×3 convolution. Layers are named as in torchvision.
 */
import { describeArchitecture, type KnownArchitecture, type LayerInput } from './architecture.ts'
import { bareConvolution, maxPooling } from './blocks.ts'
import { torchvisionRange } from './imagenet-preprocessing.ts'

type Body = 'basic' | 'bottleneck'
/** Filters of the blocks of the four stages; a bottleneck gives four times as many. */
const FILTERS = [64, 128, 256, 512] as const

export const resnet18 = residualNetwork({
  name: 'resnet-18',
  title: 'ResNet-18',
  parameters: 11_689_512,
  body: 'basic',
  blocks: [2, 2, 2, 2],
})

export const resnet50 = residualNetwork({
  name: 'resnet-50',
  title: 'ResNet-50',
  parameters: 25_557_032,
  body: 'bottleneck',
  blocks: [3, 4, 6, 3],
})

interface Facts {
  readonly name: string
  readonly title: string
  readonly parameters: number
  readonly body: Body
  /** Blocks of each stage. */
  readonly blocks: readonly number[]
}

function residualNetwork({ name, title, parameters, body, blocks }: Facts): KnownArchitecture {
  const layers = (outputs: number): LayerInput[] => [
    bareConvolution('conv1', 64, 7, { stride: 2, pad: 3 }),
    { name: 'bn1', type: 'batch-norm' },
    { name: 'relu', type: 'relu' },
    maxPooling('maxpool', 3, 2, { padding: [1, 1, 1, 1] }),
    ...stages(body, blocks),
    { name: 'avgpool', type: 'global-avg-pool' },
    { name: 'fc', type: 'dense', units: outputs },
    { name: 'softmax', type: 'softmax' },
  ]
  const named = layers(1).filter(({ type }) => type === 'conv2d' || type === 'batch-norm' || type === 'dense')
  return describeArchitecture({
    name,
    title,
    source: 'He, Zhang, Ren, Sun: Deep residual learning for image recognition (2015), as torchvision has it',
    parameters,
    torchNames: Object.fromEntries(named.map((layer) => [layer.name, layer.name])),
    inputShape: [224, 224, 3],
    classes: 1000,
    preprocessing: torchvisionRange(),
    layers,
  })
}

function stages(body: Body, blocks: readonly number[]): LayerInput[] {
  const layers: LayerInput[] = []
  let input = 'maxpool'
  let channels = 64
  for (const [stage, filters] of FILTERS.entries()) {
    for (let block = 0; block < (blocks[stage] ?? 0); block++) {
      const name = `layer${stage + 1}.${block}`
      const stride = stage > 0 && block === 0 ? 2 : 1
      const outputs = body === 'basic' ? filters : 4 * filters
      layers.push(
        ...residualBlock(body, name, input, { filters, stride, projected: stride > 1 || channels !== outputs }),
      )
      input = `${name}.relu`
      channels = outputs
    }
  }
  return layers
}

function residualBlock(
  body: Body,
  name: string,
  input: string,
  { filters, stride, projected }: { filters: number; stride: number; projected: boolean },
): LayerInput[] {
  const outputs = body === 'basic' ? filters : 4 * filters
  const convolutions =
    body === 'basic'
      ? [
          bareConvolution(`${name}.conv1`, filters, 3, { stride, pad: 1 }),
          bareConvolution(`${name}.conv2`, filters, 3, { pad: 1 }),
        ]
      : [
          bareConvolution(`${name}.conv1`, filters, 1),
          bareConvolution(`${name}.conv2`, filters, 3, { stride, pad: 1 }),
          bareConvolution(`${name}.conv3`, outputs, 1),
        ]
  const way = convolutions.flatMap((layer, index): LayerInput[] => {
    const place = index + 1
    const last = place === convolutions.length
    return [
      { ...layer, ...(index === 0 ? { inputs: [input] } : {}) },
      { name: `${name}.bn${place}`, type: 'batch-norm' },
      ...(last ? [] : [{ name: `${name}.relu${place}`, type: 'relu' } as const]),
    ]
  })
  const shortcut: LayerInput[] = projected
    ? [
        { ...bareConvolution(`${name}.downsample.0`, outputs, 1, { stride }), inputs: [input] },
        { name: `${name}.downsample.1`, type: 'batch-norm' },
      ]
    : []
  return [
    ...way,
    ...shortcut,
    {
      name: `${name}.add`,
      type: 'add',
      inputs: [`${name}.bn${convolutions.length}`, projected ? `${name}.downsample.1` : input],
    },
    { name: `${name}.relu`, type: 'relu' },
  ]
}
