/** Networks written for other programs, and in ConvScope's own form. */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'
import { MEAN_IMAGE_TENSOR, type NetworkSpec } from '../../shared/network/spec.ts'
import type { SourceFile } from '../files/source-file.ts'
import { SPEC_FILE, WEIGHTS_FILE } from '../importers/convscope/convscope.ts'
import type { ImportedTensor } from '../importers/imported-network.ts'
import { metadataOf } from '../importers/onnx/metadata.ts'
import { safetensorsIn } from '../importers/weights-only/safetensors.ts'
import { writeSafetensors, type WrittenFile } from '../importers/write-safetensors.ts'
import { buildGraph } from '../network/graph.ts'
import { addOnnxLayer } from './onnx-layers.ts'
import { OnnxModel } from './onnx-model.ts'
import { bytesOf, writeParts, type Part } from './parts.ts'
import { zipParts } from './zip-writer.ts'

/** 'convscope' is a folder, or a `.zip` where the path ends so. */
export const EXPORT_FORMATS = ['convscope', 'safetensors', 'onnx'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

const COPY_BYTES = 16 * 2 ** 20
/** A Protocol Buffers message can have no more. */
const MAX_ONNX_BYTES = 2 ** 31 - 1

export interface ExportSource {
  readonly spec: NetworkSpec
  /** The network's safetensors file. */
  readonly weights: SourceFile
}

/**
 * Writes a network to a path where there is nothing yet.
 * @returns the file (of a folder: its weights)
 * @throws ConvScopeError 'disk', 'too-large' or, for weights that do not fit, 'damaged'
 */
export async function exportNetwork(
  format: ExportFormat,
  source: ExportSource,
  path: string,
  onProgress?: (fraction: number) => void,
): Promise<WrittenFile> {
  await mkdir(dirname(path), { recursive: true })
  if (format === 'onnx') return writeParts(onnxParts(source), path, onProgress)
  if (format === 'safetensors') return writeSafetensors({ tensors: tensorsOf(source) }, path, { onProgress })
  const spec = new TextEncoder().encode(`${JSON.stringify(source.spec, null, 2)}\n`)
  const weights = copyOf(source.weights)
  if (/\.zip$/i.test(path)) {
    const parts = zipParts([
      { name: SPEC_FILE, parts: [spec] },
      { name: WEIGHTS_FILE, parts: weights },
    ])
    return writeParts(parts, path, onProgress)
  }
  await mkdir(path, { recursive: true })
  await writeParts([spec], join(path, SPEC_FILE))
  return writeParts(weights, join(path, WEIGHTS_FILE), onProgress)
}

function onnxParts(source: ExportSource): Part[] {
  const graph = buildGraph(source.spec)
  const tensors = tensorsOf(source)
  const model = new OnnxModel()
  for (const layer of graph.layers) {
    const weights = Object.fromEntries(
      layer.parameters.map(({ name }): [string, ImportedTensor] => [
        name,
        needTensor(tensors, `${layer.name}/${name}`),
      ]),
    )
    addOnnxLayer({ model, layer, weights })
  }
  // No node reads it: it is there for who prepares pictures.
  const mean = tensors.get(MEAN_IMAGE_TENSOR)
  if (mean !== undefined) model.tensor(MEAN_IMAGE_TENSOR, mean.shape, mean.values)
  const channelsFirst = (shape: readonly number[]): readonly number[] => {
    const [height, width, channels] = shape
    return height === undefined || width === undefined || channels === undefined ? shape : [channels, height, width]
  }
  const parts = model.parts(
    source.spec.name,
    { name: graph.input.name, shape: channelsFirst(graph.input.shape) },
    { name: graph.output.name, shape: channelsFirst(graph.output.shape) },
    metadataOf(source.spec),
  )
  const size = bytesOf(parts)
  if (size > MAX_ONNX_BYTES) {
    throw new ConvScopeError('too-large', `The network has ${size} bytes; an ONNX file can have ${MAX_ONNX_BYTES}.`, {
      remedy: 'Export it as convscope or safetensors.',
    })
  }
  return parts
}

function tensorsOf({ spec, weights }: ExportSource): ReadonlyMap<string, ImportedTensor> {
  const stored = new Map(safetensorsIn(weights).map(({ name, shape, values }) => [name, { shape, values }]))
  const paths = buildGraph(spec).layers.flatMap((layer) => layer.parameters.map(({ name }) => `${layer.name}/${name}`))
  const wanted = spec.preprocessing.meanImage === undefined ? paths : [...paths, MEAN_IMAGE_TENSOR]
  return new Map(wanted.map((path) => [path, needTensor(stored, path)]))
}

function needTensor(tensors: ReadonlyMap<string, ImportedTensor>, path: string): ImportedTensor {
  const tensor = tensors.get(path)
  if (tensor !== undefined) return tensor
  throw new ConvScopeError('damaged', `The weights of the network have no ${path}.`, {
    remedy: 'Import the network again.',
  })
}

function copyOf(file: SourceFile): Part[] {
  const parts: Part[] = []
  for (let start = 0; start < file.size; start += COPY_BYTES) {
    const byteLength = Math.min(COPY_BYTES, file.size - start)
    const from = start
    parts.push({ byteLength, make: () => file.read(from, byteLength) })
  }
  return parts
}
