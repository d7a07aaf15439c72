/** Caffe's network: which layers take part in inference, what feeds what, and the layers of ConvScope that they become. */
import { ConvScopeError } from '../../../shared/errors.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { UnsupportedOperator, type LayerOutput, type NetworkAssembly } from '../assembly/network-assembly.ts'
import { storedBlob, type StoredBlob } from './blob.ts'
import { caffeLayers } from './layers.ts'
import { upgraded, type Layer, type Net } from './schema.ts'

const DATA_LAYERS = new Set(['Data', 'ImageData', 'HDF5Data', 'MemoryData', 'WindowData', 'DummyData'])
/** Of training and testing only. */
const SIDE_LAYERS = new Set(['Accuracy', 'Silence', 'HDF5Output', 'ArgMax'])

/** A description of layers with, for a .caffemodel, its weights. */
export interface CaffeNet {
  readonly file: SourceFile
  readonly name: string
  readonly layers: readonly Layer[]
  readonly net: Net
}

export function caffeNet(net: Net, file: SourceFile): CaffeNet {
  const old = net.layers.find((layer) => layer.layer !== undefined)
  if (old !== undefined) {
    throw new ConvScopeError(
      'unsupported',
      `${file.name} is written in the form of Caffe before 2014 (layers within layers).`,
      {
        remedy: 'Convert it by Caffe’s upgrade_net_proto_text or upgrade_net_proto_binary.',
      },
    )
  }
  return { file, name: net.name ?? '', layers: [...net.layers.map(upgraded), ...net.layer], net }
}

/** Weights by the name of the layer. */
export function weightsByLayer({ file, layers }: CaffeNet): Map<string, readonly StoredBlob[]> {
  const weights = new Map<string, readonly StoredBlob[]>()
  for (const { name = '', blobs } of layers) {
    if (blobs.length === 0 || weights.has(name)) continue
    weights.set(
      name,
      blobs.map((blob, index) => storedBlob(blob, file, `blob ${index} of layer ${name}`)),
    )
  }
  return weights
}

/** The settings of the data layer that a network was trained or tested with. */
export function dataSettings({ layers }: CaffeNet): { scale: number; means: number[]; crop: number | undefined } {
  const data = layers.filter((layer) => DATA_LAYERS.has(layer.type ?? ''))
  const found = data.find((layer) => layer.transform_param !== undefined || layer.data_param?.crop_size) ?? data[0]
  const transform = found?.transform_param
  return {
    scale: transform?.scale ?? found?.data_param?.scale ?? 1,
    means: transform?.mean_value ?? [],
    crop: transform?.crop_size ?? found?.data_param?.crop_size,
  }
}

/**
 * Adds all layers of a network to the assembly.
 * @throws ConvScopeError for a network without a known input size, layers without weights or of shapes that do not fit
 */
export function assembleLayers(
  description: CaffeNet,
  weights: ReadonlyMap<string, readonly StoredBlob[]>,
  assembly: NetworkAssembly,
): void {
  const { blob, shape, others } = inputOf(description, weights)
  const outputs = new Map<string, LayerOutput | 'left out'>(others.map((name) => [name, 'left out']))
  outputs.set(blob, assembly.input(blob, shape))
  const layers = description.layers.filter((layer) => takesPart(layer))
  const folded = foldedScales(layers)
  const scaleLayers = new Set(folded.values())
  const aside: string[] = []

  for (const [index, layer] of layers.entries()) {
    const { type = '', bottom, top, name = top[0] ?? `layer ${index + 1}` } = layer
    const leaveOut = (): void => top.forEach((blobName) => outputs.set(blobName, 'left out'))
    if (DATA_LAYERS.has(type) || type === 'Input') {
      for (const blobName of top) if (!outputs.has(blobName)) outputs.set(blobName, 'left out')
      continue
    }
    if (SIDE_LAYERS.has(type) || (type.endsWith('Loss') && type !== 'SoftmaxWithLoss')) {
      aside.push(name)
      leaveOut()
      continue
    }
    // A loss reads labels, too.
    const found = (type === 'SoftmaxWithLoss' ? bottom.slice(0, 1) : bottom).map((blobName) => {
      const output = outputs.get(blobName)
      if (output === undefined) throw assembly.damaged(name, `it reads ${blobName}, which no layer before it gives`)
      return output
    })
    const inputs = found.filter((output) => output !== 'left out')
    if (inputs.length === 0 || inputs.length < found.length) {
      leaveOut()
      continue
    }
    const [first] = inputs
    if (first !== undefined && (type === 'Split' || scaleLayers.has(layer))) {
      top.forEach((blobName) => outputs.set(blobName, first))
      continue
    }
    const scaleLayer = folded.get(layer)
    const scale = scaleLayer && { layer: scaleLayer, blobs: weights.get(scaleLayer.name ?? '') ?? [] }
    const convert = Object.hasOwn(caffeLayers, type) ? caffeLayers[type] : undefined
    try {
      if (convert === undefined) throw new UnsupportedOperator()
      const output = convert({ assembly, name, layer, inputs, blobs: weights.get(name) ?? [], scale })
      top.forEach((blobName) => outputs.set(blobName, output))
    } catch (error) {
      if (!(error instanceof UnsupportedOperator)) throw error
      assembly.unsupported(name, type, error.message)
      leaveOut()
    }
  }
  noteWhatWasLeft(assembly, aside, folded, weights, layers)
}

function noteWhatWasLeft(
  assembly: NetworkAssembly,
  aside: readonly string[],
  folded: ReadonlyMap<Layer, Layer>,
  weights: ReadonlyMap<string, unknown>,
  layers: readonly Layer[],
): void {
  if (aside.length > 0) {
    assembly.note({
      code: 'training-layers',
      severity: 'note',
      message: `Layers of training and testing are left out: ${aside.slice(0, 10).join(', ')}.`,
    })
  }
  if (folded.size > 0) {
    assembly.note({
      code: 'folded-layers',
      severity: 'note',
      message: `${folded.size} Scale layers became part of the batch normalisation before them.`,
    })
  }
  const known = new Set(layers.map((layer) => layer.name))
  const unused = [...weights.keys()].filter((name) => !known.has(name))
  if (unused.length > 0) {
    assembly.note({
      code: 'unused-weights',
      severity: 'note',
      message: `The description has no layer for the weights of ${unused.slice(0, 10).join(', ')}; they are left out.`,
    })
  }
}

/** Whether a layer is there when a network is tested. */
function takesPart({ include, exclude, type }: Layer): boolean {
  if (type === undefined) return false
  const tests = (rule: Layer['include'][number]): boolean =>
    (rule.phase === undefined || rule.phase === 'TEST') && rule.stage.length === 0
  if (include.length > 0 && !include.some(tests)) return false
  return !exclude.some(tests)
}

/** BatchNorm layers with the Scale layer that alone reads what they give. */
function foldedScales(layers: readonly Layer[]): Map<Layer, Layer> {
  const folded = new Map<Layer, Layer>()
  for (const [index, layer] of layers.entries()) {
    const [blob] = layer.top
    if (layer.type !== 'BatchNorm' || blob === undefined) continue
    const readers: Layer[] = []
    for (const next of layers.slice(index + 1)) {
      if (next.bottom.includes(blob)) readers.push(next)
      // From here on the name means another blob.
      if (next.top.includes(blob) || readers.length > 1) break
    }
    const [reader] = readers
    if (readers.length !== 1 || reader?.type !== 'Scale' || reader.bottom.length !== 1) continue
    const { axis = 1, num_axes: axes = 1 } = reader.scale_param ?? {}
    if (axis === 1 && axes === 1) folded.set(layer, reader)
  }
  return folded
}

interface NetInput {
  readonly blob: string
  /** `[height, width, channels]`. */
  readonly shape: readonly [number, number, number]
  /** Further inputs, which nothing can be computed from. */
  readonly others: readonly string[]
}

function inputOf(description: CaffeNet, weights: ReadonlyMap<string, readonly StoredBlob[]>): NetInput {
  const { net, layers, file } = description
  const declared = net.input.map((blob, index) => ({
    blob,
    dims: net.input_shape[index]?.dim ?? net.input_dim.slice(4 * index, 4 * index + 4),
  }))
  for (const layer of layers) {
    if (layer.type !== 'Input') continue
    for (const [index, blob] of layer.top.entries()) {
      const shapes = layer.input_param?.shape ?? []
      declared.push({ blob, dims: (shapes[index] ?? shapes[0])?.dim ?? [] })
    }
  }
  const picture = declared.find(({ dims }) => dims.length === 4)
  if (picture !== undefined) {
    const [, channels = 0, height = 0, width = 0] = picture.dims
    const others = declared.filter((other) => other !== picture).map((other) => other.blob)
    return { blob: picture.blob, shape: [height, width, channels], others }
  }
  const data = layers.filter((layer) => DATA_LAYERS.has(layer.type ?? ''))
  const blob = declared[0]?.blob ?? data.flatMap((layer) => layer.top)[0]
  const { crop } = dataSettings(description)
  const first = layers.find(
    (layer) => layer.type === 'Convolution' && blob !== undefined && layer.bottom.includes(blob),
  )
  const perGroup = weights.get(first?.name ?? '')?.[0]?.shape[1]
  if (blob !== undefined && crop !== undefined && crop > 0 && perGroup !== undefined) {
    const channels = perGroup * (first?.convolution_param?.group ?? 1)
    return { blob, shape: [crop, crop, channels], others: data.flatMap((layer) => layer.top.slice(1)) }
  }
  throw new ConvScopeError(
    'invalid-input',
    `${file.name} does not say how large the pictures are that the network takes.`,
    {
      remedy: 'Give the deploy .prototxt of the network together with its .caffemodel; it has an input of four sizes.',
    },
  )
}
