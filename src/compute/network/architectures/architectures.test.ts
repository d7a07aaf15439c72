import { describe, expect, it } from 'vitest'
import { LibraryName } from '../../../shared/values.ts'
import { buildGraph, layerNamed, layerPages, type Graph } from '../graph.ts'
import { boxOf } from '../receptive-field.ts'
import { architectureNamed, knownArchitectures } from './index.ts'
import { sizeOf } from '../../../shared/size-of.ts'

function graphOf(name: string): Graph {
  return buildGraph(architectureNamed(name).spec())
}

function learned({ layers }: Graph): number {
  return layers
    .flatMap(({ parameters }) => parameters)
    .filter(({ trainable }) => trainable)
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/** Counts of the published networks; the ImageNet ones as their own frameworks print them. */
const PARAMETERS = {
  'mnist-convnet': 317_066,
  'lenet-5': 61_706,
  'mnist-softmax': 7_850,
  'n100-100-10': 89_610,
  'n200-200-10': 199_210,
  'n123-456-10': 157_669,
  'ae400-10': 318_010,
  alexnet: 60_965_224,
  caffenet: 60_965_224,
  zfnet: 62_357_608,
  'vgg-m': 102_908_520,
  'vgg-16': 138_357_544,
  googlenet: 6_998_552,
  'torchvision-alexnet': 61_100_840,
  'torchvision-vgg16': 138_357_544,
  'torchvision-googlenet': 6_624_904,
  'resnet-18': 11_689_512,
  'resnet-50': 25_557_032,
}

/** Size, receptive field, stride and jitter by layer. */
type GeometryRow = readonly [layer: string, size: number, field: number, stride: number, jitter: number]
const ALEXNET_ROWS: readonly GeometryRow[] = [
  ['conv1', 55, 11, 4, 1],
  ['pool1', 27, 19, 8, 2],
  ['conv2', 27, 51, 8, 2],
  ['pool2', 13, 67, 16, 4],
  ['conv3', 13, 99, 16, 4],
  ['conv4', 13, 131, 16, 4],
  ['conv5', 13, 163, 16, 4],
  ['pool5', 6, 195, 32, 8],
]
const zeilerRows = (conv1: number, pool1: number): readonly GeometryRow[] => [
  ['conv1', conv1, 7, 2, 1],
  ['pool1', pool1, 11, 4, 1],
  ['conv2', 26, 27, 8, 2],
  ['pool2', 13, 43, 16, 4],
  ['conv3', 13, 75, 16, 4],
  ['conv4', 13, 107, 16, 4],
  ['conv5', 13, 139, 16, 4],
  ['pool5', 6, 171, 32, 8],
]
const VGG_16_ROWS: readonly GeometryRow[] = [
  ['conv1_2', 224, 5, 1, 1],
  ['pool1', 112, 6, 2, 1],
  ['conv2_2', 112, 14, 2, 1],
  ['pool2', 56, 16, 4, 1],
  ['conv3_3', 56, 40, 4, 1],
  ['pool3', 28, 44, 8, 2],
  ['conv4_3', 28, 92, 8, 2],
  ['pool4', 14, 100, 16, 4],
  ['conv5_3', 14, 196, 16, 4],
  ['pool5', 7, 212, 32, 8],
]

describe('known architectures', () => {
  it('have names of the library, each once', () => {
    const names = knownArchitectures.map(({ name }) => LibraryName.parse(name))
    expect(new Set(names).size).toBe(names.length)
  })

  it.each(Object.entries(PARAMETERS))('%s has %i parameters', (name, count) => {
    expect(learned(graphOf(name))).toBe(count)
    expect(architectureNamed(name).parameters).toBe(count)
  })

  it('count what the library page counts', () => {
    for (const { name, parameters } of knownArchitectures) {
      const total = layerPages(graphOf(name)).reduce((sum, layer) => sum + layer.parameters, 0)
      expect([name, total]).toEqual([name, parameters])
    }
  })

  it.each([
    ['alexnet', ALEXNET_ROWS],
    ['caffenet', ALEXNET_ROWS],
    ['zfnet', zeilerRows(110, 55)],
    ['vgg-m', zeilerRows(109, 54)],
    ['vgg-16', VGG_16_ROWS],
    ['torchvision-vgg16', VGG_16_ROWS],
  ] as const)('%s has the published sizes, receptive fields, strides and jitter', (name, rows) => {
    const graph = graphOf(name)
    const found = rows.map(([layer]) => {
      const { shape, view } = layerNamed(graph, layer)
      if (view === 'global') throw new Error(`${layer} has no field`)
      const { size, stride } = view.rows.field
      return [layer, shape[0], size, stride, Math.max(Math.round(stride / 4), 1)]
    })
    expect(found).toEqual(rows)
  })

  it('normalise before or after pooling, and group, as published', () => {
    const order = (name: string) =>
      architectureNamed(name)
        .spec()
        .layers.slice(1, 9)
        .map((layer) => layer.name)
    expect(order('alexnet')).toEqual(['conv1', 'relu1', 'norm1', 'pool1', 'conv2', 'relu2', 'norm2', 'pool2'])
    expect(order('caffenet')).toEqual(['conv1', 'relu1', 'pool1', 'norm1', 'conv2', 'relu2', 'pool2', 'norm2'])
    const kernels = (name: string) =>
      ['conv2', 'conv4', 'conv5'].map((layer) => layerNamed(graphOf(name), layer).parameters[0]?.shape)
    expect(kernels('alexnet')).toEqual([
      [5, 5, 48, 256],
      [3, 3, 192, 384],
      [3, 3, 192, 256],
    ])
    expect(kernels('zfnet')).toEqual([
      [5, 5, 96, 256],
      [3, 3, 384, 384],
      [3, 3, 384, 256],
    ])
  })

  it('join branches: shapes and the union of their fields', () => {
    const rows = [
      ['googlenet', 'inception_3a.output', [28, 28, 256]],
      ['googlenet', 'inception_4e.output', [14, 14, 832]],
      ['googlenet', 'inception_5b.output', [7, 7, 1024]],
      ['torchvision-googlenet', 'inception5b.concat', [7, 7, 1024]],
      ['resnet-18', 'layer4.1.relu', [7, 7, 512]],
      ['resnet-50', 'layer1.0.relu', [56, 56, 256]],
      ['resnet-50', 'layer4.2.relu', [7, 7, 2048]],
    ] as const
    for (const [name, layer, shape] of rows) expect(layerNamed(graphOf(name), layer).shape).toEqual(shape)

    for (const [name, layer] of rows) {
      const graph = graphOf(name)
      const joined = [...graph.layers].filter(({ spec }) => spec.type === 'concat' || spec.type === 'add')
      expect(joined.length, layer).toBeGreaterThan(7)
      for (const { view, inputs } of joined) {
        const box = boxOf(view, 3, 2, graph.input.shape)
        const boxes = inputs.map((input) => boxOf(layerNamed(graph, input).view, 3, 2, graph.input.shape))
        expect(box).toEqual([
          Math.min(...boxes.map(([top]) => top)),
          Math.max(...boxes.map(([, bottom]) => bottom)),
          Math.min(...boxes.map(([, , left]) => left)),
          Math.max(...boxes.map(([, , , right]) => right)),
        ])
      }
    }
    // Stem 7/2, pool 3/2, four 3×3 convolutions at stride 4: 7 + 2·2 + 4·(2·4) = 43, and 35 more a block of the next stages.
    const field = layerNamed(graphOf('resnet-18'), 'layer1.1.relu').view
    expect(field !== 'global' && field.rows.field).toEqual({ size: 43, stride: 4, offset: -21 })
  })

  it('name the entries of a torch state dictionary for every layer with parameters', () => {
    for (const { torchNames, spec } of knownArchitectures) {
      if (torchNames === undefined) continue
      const layers = buildGraph(spec()).layers.filter(({ parameters }) => parameters.length > 0)
      expect(Object.keys(torchNames).sort()).toEqual(layers.map(({ name }) => name).sort())
      expect(new Set(Object.values(torchNames)).size).toBe(layers.length)
    }
    expect(architectureNamed('vgg-16').torchNames).toMatchObject({ conv5_3: 'features.28', fc6: 'classifier.0' })
    expect(architectureNamed('resnet-18').torchNames).toMatchObject({
      'layer2.0.downsample.1': 'layer2.0.downsample.1',
    })
  })

  it('take other classes and input sizes', () => {
    const spec = architectureNamed('alexnet').spec({ classes: ['cat', 'dog'], inputShape: [131, 131, 1] })
    const graph = buildGraph(spec)
    expect(graph.output.shape).toEqual([2])
    expect(spec.classes).toEqual(['cat', 'dog'])
    expect(spec.preprocessing).toMatchObject({
      channelOrder: 'grey',
      resize: { mode: 'exact', height: 148, width: 148 },
      crop: { mode: 'centre', height: 131, width: 131 },
    })
    expect(spec.preprocessing.mean).toHaveLength(1)
    expect(architectureNamed('mnist-softmax').spec({ classes: 3 }).classes).toEqual([])
  })

  it('say what does not fit', () => {
    expect(() => architectureNamed('alexnet').spec({ inputShape: [8, 8, 3] })).toThrow(
      /Layer conv1: its window of 11 rows/,
    )
    const googlenet = (size: number) => () => architectureNamed('googlenet').spec({ inputShape: [size, size, 3] })
    const tooSmall = expect.objectContaining({
      code: 'invalid-input',
      message: expect.stringMatching(/GoogLeNet .* does not fit an input of (32 × 32|46 × 46): Layer pool4/) as string,
      remedy: 'Choose a larger input size: 47 × 47 is the next that fits.',
    })
    expect(googlenet(32)).toThrow(tooSmall)
    expect(googlenet(46)).toThrow(tooSmall)
    expect(googlenet(47)).not.toThrow()
    expect(() => architectureNamed('alexnet').spec({ inputShape: [227, 227, 4] })).toThrow(/1 or 3 channels, not 4/)
    expect(() => architectureNamed('alexnut')).toThrow(
      expect.objectContaining({ code: 'not-found', remedy: expect.stringContaining('alexnet') as string }),
    )
  })
})
