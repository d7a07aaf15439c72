/** Networks in ONNX: one .onnx file, and the files of its weights where they lie apart. */
import { action } from '../../../shared/actions.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { Preprocessing } from '../../../shared/network/spec.ts'
import { describeContents } from '../../files/file-kind.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { NetworkAssembly } from '../assembly/network-assembly.ts'
import { channelOrderOf, resizeAndCrop } from '../assembly/preprocessing.ts'
import type { ImportedNetwork, Importer, ImportOptions } from '../imported-network.ts'
import { WireReader } from '../protobuf/wire-reader.ts'
import { assembleGraph } from './graph.ts'
import { readMetadata } from './metadata.ts'
import { ModelProto } from './schema.ts'

const OLDEST_OPSET = 7
const NEWEST_OPSET = 22
const NEWEST_IR = 30
const HEAD_FIELDS = 16
/** What exporters call every graph. */
const NAMES_OF_EXPORTERS = /^(main_graph|torch[-_]jit.*|torch-jit-export|tf2onnx|graph|)$/i
/** From this size on pictures are taken to be photographs of the kind of ImageNet. */
const PHOTOGRAPH = 128

export const onnxImporter: Importer = {
  format: 'ONNX',
  recognises: (files) => files.some(looksLikeModel) || files.some(isNamed),
  read: async (files, options) => Promise.resolve(readOnnx(files, options)),
}

function readOnnx(files: readonly SourceFile[], options: ImportOptions): ImportedNetwork {
  const file = files.find(isNamed) ?? files.find(looksLikeModel)
  if (file === undefined) throw new RangeError('no file is a model')
  const refuse = (code: 'damaged' | 'unsupported', reason: string, remedy: string): ConvScopeError =>
    new ConvScopeError(code, `${file.name} cannot be imported: ${reason}.`, { remedy })
  if (!beginsLikeModel(file)) {
    throw refuse('damaged', `it is no ONNX model but ${describeContents(file)}`, 'Export or download the file again.')
  }
  const reader = new WireReader(file)
  const model = ModelProto.decode(reader, reader.all, 'model')
  options.onProgress?.(0.5)
  const { graph } = model
  if (graph === undefined) throw refuse('damaged', 'it holds no graph', 'Export the network again.')
  const assembly = new NetworkAssembly(file.name)
  const opset = model.opset_import.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version
  if (opset === undefined || opset < OLDEST_OPSET) {
    const found =
      opset === undefined
        ? 'it does not say its operator set'
        : `its operator set ${opset} is older than ${OLDEST_OPSET}`
    throw refuse('unsupported', found, 'Convert it with onnx.version_converter to operator set 17.')
  }
  if (opset > NEWEST_OPSET) {
    assembly.note({
      code: 'newer-operators',
      severity: 'warning',
      message: `${file.name} is written in operator set ${opset}; ${NEWEST_OPSET} is the newest that is known here.`,
      remedy: 'Compare a few activations with the source program, or export with operator set 17.',
    })
  }
  const output = assembleGraph(graph, { file, files, opset, assembly })
  const [input] = assembly.layers
  const shape: readonly [number, number, number] = input?.type === 'input' ? input.shape : [1, 1, 1]
  const own = readMetadata(model, file, shape)
  if (own !== undefined) return assembly.finish({ ...own, name: options.name }, output)
  const written = graph.name ?? ''
  return assembly.finish(
    {
      name: options.name,
      title: NAMES_OF_EXPORTERS.test(written) ? file.name.replace(/\.onnx$/i, '') : written,
      source: `Imported from ONNX${model.producer_name ? ` (${model.producer_name} ${model.producer_version ?? ''})`.replace(/ \)$/, ')') : ''}`,
      preprocessing: guessedPreprocessing(shape, assembly),
    },
    output,
  )
}

/** ONNX does not say how pictures are prepared: torchvision's way for photographs, 0…1 for what is smaller. */
function guessedPreprocessing(shape: readonly [number, number, number], assembly: NetworkAssembly): Preprocessing {
  const [height, width, channels] = shape
  const photographs = channels === 3 && height >= PHOTOGRAPH && width >= PHOTOGRAPH
  assembly.note({
    code: 'guessed-preprocessing',
    severity: 'warning',
    message: photographs
      ? 'ONNX does not say how pictures are prepared; torchvision’s way is taken: R, G, B in 0…1, less ImageNet’s mean, by its standard deviation.'
      : 'ONNX does not say how pictures are prepared; values are taken as 0…1 with nothing subtracted.',
    remedy: `It must be as in training. ${action('change-preprocessing')}`,
  })
  const before = (size: number): number => Math.round((size * 256) / 224)
  return {
    ...(photographs
      ? resizeAndCrop([height, width], [before(height), before(width)], { mode: 'short-side', filter: 'pil-bilinear' })
      : resizeAndCrop([height, width], [height, width], { mode: 'exact', filter: 'pil-bilinear' })),
    channelOrder: channelOrderOf(channels, 'rgb'),
    scale: 1 / 255,
    mean: photographs ? [0.485, 0.456, 0.406] : [],
    std: photographs ? [0.229, 0.224, 0.225] : [],
  }
}

function isNamed(file: SourceFile): boolean {
  return /\.onnx$/i.test(file.name)
}

/** A version of the format in the first field, as every writer of ONNX puts it. */
function beginsLikeModel(file: SourceFile): boolean {
  if (file.size < 2) return false
  const [tag = 0, version = 0] = file.read(0, 2)
  return tag === 0x08 && version >= 1 && version <= NEWEST_IR
}

/** Whether the first fields are those of `ModelProto`, with a graph among them. */
function looksLikeModel(file: SourceFile): boolean {
  if (!beginsLikeModel(file)) return false
  const reader = new WireReader(file)
  try {
    let seen = 0
    for (const { number, wire } of reader.fields(reader.all, 'model')) {
      const expected = number === 1 || number === 5 ? 'varint' : 'length'
      const known = (number >= 1 && number <= 8) || number === 14 || number === 20 || number === 25
      if (!known || wire !== expected || ++seen > HEAD_FIELDS) return false
      if (number === 7) return true
    }
  } catch (error) {
    if (!(error instanceof ConvScopeError)) throw error
  }
  return false
}
