/** Networks of Caffe: a .caffemodel, its .prototxt, and its mean. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { describeContents } from '../../files/file-kind.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { NetworkAssembly } from '../assembly/network-assembly.ts'
import type { ImportedNetwork, Importer, ImportOptions } from '../imported-network.ts'
import { parseTextFormat } from '../protobuf/text-format.ts'
import { WireReader } from '../protobuf/wire-reader.ts'
import { caffePreprocessing, readMean } from './mean.ts'
import { assembleLayers, caffeNet, weightsByLayer, type CaffeNet } from './net.ts'
import { Net } from './schema.ts'

type Role = 'weights' | 'description' | 'mean'

const HEAD_BYTES = 4096
/** Fields of `NetParameter` that are looked at to recognise it. */
const HEAD_FIELDS = 24

export const caffeImporter: Importer = {
  format: 'Caffe',
  recognises: (files) => files.some((file) => looksLikeNet(file) || looksLikeDescription(file)) || files.some(isNamed),
  read: async (files, options) => Promise.resolve(readCaffe(files, options)),
}

function readCaffe(files: readonly SourceFile[], options: ImportOptions): ImportedNetwork {
  const weightsFile = only(files, 'weights')
  const descriptionFile = only(files, 'description')
  const meanFile = only(files, 'mean')
  if (weightsFile === undefined && descriptionFile === undefined) {
    throw new ConvScopeError(
      'invalid-input',
      `${meanFile?.name ?? 'The file'} is the mean of a network without the network.`,
      {
        remedy: 'Give the .caffemodel and the .prototxt together with it.',
      },
    )
  }
  const description = descriptionFile && descriptionNet(descriptionFile)
  const model = weightsFile && weightsNet(weightsFile)
  const net = description ?? model
  if (net === undefined) throw new RangeError('a network without files')
  options.onProgress?.(0.5)

  const assembly = new NetworkAssembly(net.file.name)
  const weights = model === undefined ? new Map<string, never>() : weightsByLayer(model)
  assembleLayers(net, weights, assembly)
  const [input] = assembly.layers
  const shape: [number, number, number] = input?.type === 'input' ? input.shape : [1, 1, 1]
  const mean = meanFile && { image: readMean(meanFile), file: meanFile.name }
  // A deploy description has no data layer; the one in the weights says how the pictures were prepared.
  const { preprocessing, meanImage, findings } = caffePreprocessing(model ?? net, shape, mean)
  findings.forEach((finding) => assembly.note(finding))
  noteOthers(files, assembly)
  const title = description?.name || model?.name || options.name
  return assembly.finish({ name: options.name, title, source: 'Imported from Caffe', preprocessing, meanImage })
}

function weightsNet(file: SourceFile): CaffeNet {
  if (file.size === 0) throw damagedFile(file, 'it is empty')
  if (!looksLikeNet(file)) throw damagedFile(file, `it is no .caffemodel but ${describeContents(file)}`)
  const reader = new WireReader(file)
  return caffeNet(Net.decode(reader, reader.all, 'net'), file)
}

function descriptionNet(file: SourceFile): CaffeNet {
  return caffeNet(Net.decodeText(parseTextFormat(file), file.name), file)
}

/** The file of a role, which may be there once. */
function only(files: readonly SourceFile[], role: Role): SourceFile | undefined {
  const [first, second] = files.filter((file) => roleOf(file) === role)
  if (first !== undefined && second !== undefined) {
    throw new ConvScopeError(
      'invalid-input',
      `${first.name} and ${second.name} are both the ${role} of a Caffe network.`,
      {
        remedy: 'Give one .caffemodel, one .prototxt and one mean.',
      },
    )
  }
  return first
}

/** By the name where it says so, else by the contents. */
function roleOf(file: SourceFile): Role | undefined {
  if (/\.(binaryproto|npy)$/i.test(file.name)) return 'mean'
  if (/\.(prototxt|prototext|pbtxt)$/i.test(file.name)) return 'description'
  if (/\.caffemodel$/i.test(file.name) || looksLikeNet(file)) return 'weights'
  return looksLikeDescription(file) ? 'description' : undefined
}

function isNamed(file: SourceFile): boolean {
  return /\.(caffemodel|prototxt|prototext|binaryproto)$/i.test(file.name)
}

/** Whether a file begins with fields of `NetParameter`, one of them a layer. */
function looksLikeNet(file: SourceFile): boolean {
  const reader = new WireReader(file)
  try {
    let seen = 0
    for (const { number, wire, from, to } of reader.fields(reader.all, 'net')) {
      const expected = number === 4 || number === 5 || number === 7 ? 'varint' : 'length'
      const known = (number >= 1 && number <= 8) || number === 100
      // `input_dim` may be packed.
      if (!known || (wire !== expected && !(number === 4 && wire === 'length'))) return false
      if (number === 2 || number === 100) return beginsLikeLayer(reader, from, to)
      if (++seen >= HEAD_FIELDS) return false
    }
  } catch (error) {
    if (!(error instanceof ConvScopeError)) throw error
  }
  return false
}

function beginsLikeLayer(reader: WireReader, from: number, to: number): boolean {
  for (const { number, wire } of reader.fields({ from, to }, 'layer')) return wire === 'length' && number <= 200
  return false
}

function looksLikeDescription(file: SourceFile): boolean {
  const head = new TextDecoder().decode(file.read(0, Math.min(file.size, HEAD_BYTES)))
  return /^\s*(layers?\s*\{|input\s*:|input_shape\s*\{)/m.test(head) && !head.includes('\0')
}

function noteOthers(files: readonly SourceFile[], assembly: NetworkAssembly): void {
  const others = files.filter((file) => roleOf(file) === undefined).map((file) => file.name)
  if (others.length === 0) return
  assembly.note({
    code: 'ignored-files',
    severity: 'note',
    message: `${others.join(', ')}: no part of a Caffe network, left out.`,
  })
}

function damagedFile(file: SourceFile, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${file.name} cannot be read: ${reason}.`, {
    remedy: 'Copy or download the file again.',
  })
}
