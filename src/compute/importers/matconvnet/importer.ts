/** Networks of MatConvNet: one .mat file with the layers of a chain (vl_simplenn) or of a graph (DagNN). */
import { action } from '../../../shared/actions.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import { MEAN_IMAGE_TENSOR, type Preprocessing } from '../../../shared/network/spec.ts'
import { describeContents } from '../../files/file-kind.ts'
import { isHdf5 } from '../../files/hdf5.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { NetworkAssembly } from '../assembly/network-assembly.ts'
import { channelMeans, channelOrderOf, meanTensor, resizeAndCrop, type MeanImage } from '../assembly/preprocessing.ts'
import { rearranged } from '../assembly/stored-values.ts'
import type { ImportedNetwork, ImportedTensor, Importer, ImportOptions } from '../imported-network.ts'
import { assembleDag, dagLayers, isDag } from './dagnn.ts'
import { assembleChain, filtersOf, type MatLayer } from './layers.ts'
import { fieldsOf, isNumbers, settingsOf, textOf, textsOf, type MatFields, type MatValue } from './mat-value.ts'
import { isMat5, readMat5 } from './mat5-reader.ts'
import { readMat73 } from './mat73-reader.ts'

/** A mean picture of 4096×4096 in three channels is far above any. */
const MAX_MEAN_VALUES = 2 ** 26

export const matconvnetImporter: Importer = {
  format: 'MatConvNet',
  recognises: (files) => files.some((file) => isMat5(file) || isMat73(file)) || files.some(isNamed),
  read: readMatConvNet,
}

async function readMatConvNet(files: readonly SourceFile[], options: ImportOptions): Promise<ImportedNetwork> {
  const file = files.find((candidate) => isMat5(candidate) || isMat73(candidate)) ?? files.find(isNamed)
  if (file === undefined) throw new RangeError('no file is a MAT-file')
  const variables = isHdf5(file) ? await readMat73(file) : await readMat5(requireMat(file), options.signal)
  options.onProgress?.(0.5)
  const net = fieldsOf(variables.get('net')) ?? variables
  const refuse = (reason: string): ConvScopeError =>
    new ConvScopeError('invalid-input', `${file.name} cannot be imported: ${reason}.`, {
      remedy: 'Choose a network of MatConvNet, with its layers in the variable layers or net.',
    })
  const graph = isDag(net.get('layers')) ? dagLayers(net, refuse) : undefined
  const layers = graph ?? layersOf(net.get('layers'), refuse)
  const meta = fieldsOf(net.get('meta')) ?? net
  const normalization = fieldsOf(meta.get('normalization')) ?? new Map<string, MatValue>()
  const shape = inputShape(normalization, meta, layers, file)

  const assembly = new NetworkAssembly(file.name)
  const input = assembly.input('input', shape)
  if (graph === undefined) assembleChain(assembly, layers, input)
  else assembleDag(assembly, graph, input, refuse)
  const { preprocessing, meanImage } = preprocessingOf(normalization, shape, assembly)
  const classes = fieldsOf(meta.get('classes'))
  const names = textsOf(classes?.get('description'))
  return assembly.finish({
    name: options.name,
    title: file.name.replace(/\.mat$/i, ''),
    source: 'Imported from MatConvNet',
    preprocessing,
    meanImage,
    classes: names.length > 0 ? names : textsOf(classes?.get('name')),
  })
}

function layersOf(value: MatValue | undefined, refuse: (reason: string) => ConvScopeError): MatLayer[] {
  if (value?.kind !== 'cell') throw refuse('it has no list of layers')
  return value.items.map((item, index) => {
    const fields = fieldsOf(item)
    const type = textOf(fields?.get('type'))
    if (fields === undefined || type === undefined) throw refuse(`its layer ${index + 1} has no type`)
    return { name: textOf(fields.get('name')) || `${type}${index + 1}`, type, fields }
  })
}

/** `[height, width, channels]`. */
function inputShape(
  normalization: MatFields,
  meta: MatFields,
  layers: readonly MatLayer[],
  file: SourceFile,
): [number, number, number] {
  const sizes = [normalization.get('imageSize'), meta.get('inputSize')].map(settingsOf).find((list) => list.length >= 2)
  const first = layers.find((layer) => layer.type === 'conv')
  const filters = first && filtersOf(first)
  const [height, width = height, channels = filters?.dims[2] ?? 1] = sizes ?? []
  if (height === undefined || width === undefined) {
    throw new ConvScopeError(
      'invalid-input',
      `${file.name} does not say how large the pictures are that the network takes.`,
      {
        remedy: 'Save it with meta.normalization.imageSize or meta.inputSize.',
      },
    )
  }
  return [height, width, channels]
}

function preprocessingOf(
  normalization: MatFields,
  [height, width, channels]: readonly [number, number, number],
  assembly: NetworkAssembly,
): { preprocessing: Preprocessing; meanImage: ImportedTensor | undefined } {
  const image = averageImage(normalization.get('averageImage'), channels)
  const mean = image === undefined ? [] : channelMeans(image)
  if (image === undefined) {
    assembly.note({
      code: 'guessed-preprocessing',
      severity: 'warning',
      message: `${assembly.file} has no average picture; the network gets values of 0…255 with nothing subtracted.`,
      remedy: `Subtract the means of the channels if it was trained so. ${action('change-preprocessing')}`,
    })
  }
  const spread = image !== undefined && image.height * image.width > 1
  const meanImage = spread ? meanTensor(image, [height, width, channels], 1) : undefined
  if (spread && meanImage === undefined) {
    assembly.note({
      code: 'mean-image-averaged',
      severity: 'warning',
      message: `The average picture of ${assembly.file} (${image.height}×${image.width}) is smaller than the input and is used as one mean for each channel, so activations differ a little from MatConvNet's.`,
    })
  }
  const [borderDown = 0, borderRight = borderDown] = settingsOf(normalization.get('border'))
  const [keepAspect = 1] = settingsOf(normalization.get('keepAspect'))
  const preprocessing: Preprocessing = {
    ...resizeAndCrop([height, width], [height + borderDown, width + borderRight], {
      mode: keepAspect === 0 ? 'exact' : 'short-side',
      filter: 'pil-bilinear',
    }),
    channelOrder: channelOrderOf(channels, 'rgb'),
    scale: 1,
    mean,
    ...(meanImage === undefined ? {} : { meanImage: MEAN_IMAGE_TENSOR }),
    std: [],
  }
  return { preprocessing, meanImage }
}

/** Undefined where there is none, or none for these channels. */
function averageImage(value: MatValue | undefined, channels: number): MeanImage | undefined {
  if (!isNumbers(value) || value.values.count > MAX_MEAN_VALUES) return undefined
  if (value.values.count === channels) return { height: 1, width: 1, values: value.values.read(0, channels) }
  const [height = 1, width = 1, depth = 1, ...more] = value.dims
  if (depth !== channels || more.length > 0) return undefined
  return { height, width, values: rearranged(value.values, [depth, width, height], [2, 1, 0]).values() }
}

function requireMat(file: SourceFile): SourceFile {
  if (isMat5(file)) return file
  throw new ConvScopeError('damaged', `${file.name} cannot be read: it is no MAT-file but ${describeContents(file)}.`, {
    remedy: 'Copy or download the file again.',
  })
}

function isMat73(file: SourceFile): boolean {
  return file.size >= 128 && new TextDecoder('latin1').decode(file.read(0, 10)) === 'MATLAB 7.3'
}

function isNamed(file: SourceFile): boolean {
  return /\.mat$/i.test(file.name)
}
