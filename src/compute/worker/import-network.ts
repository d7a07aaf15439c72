/** Networks from outside: files in, layers and weights out. Nothing is kept where it fails. */
import { createHash } from 'node:crypto'
import type { Finding } from '../../shared/network/finding.ts'
import type { NetworkOrigin } from '../../shared/network/page.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { WorkerMethodResult } from '../../shared/wire/protocol.ts'
import { examinePreprocessing } from '../doctor/examine-preprocessing.ts'
import { examineStructure } from '../doctor/examine-structure.ts'
import { examineParameter } from '../doctor/examine-weights.ts'
import { openSourceFile, type SourceFile } from '../files/source-file.ts'
import { formatOf, importNetwork, writeSafetensors } from '../importers/index.ts'
import type { ImportedNetwork, ImportedTensor } from '../importers/imported-network.ts'
import { architectureNamed } from '../network/architectures/index.ts'
import { buildGraph } from '../network/graph.ts'
import type { RunContext } from './run-context.ts'

/** Read at once while hashing. */
const CHUNK_BYTES = 4 * 2 ** 20
/** Per cent of the time that each stage may take, as it is shown. */
const STAGES = { hashing: [0, 20], reading: [20, 60], writing: [60, 100] } as const

export interface NetworkImportParams {
  readonly files: readonly { readonly name: string; readonly path: string }[]
  /** Of the network in the library. */
  readonly name: string
  /** A known architecture or the layers themselves, for files that hold only weights. */
  readonly architecture?: string | NetworkSpec
}

/**
 * The method 'network-import', with the output `weights`.
 * @throws ConvScopeError that names file, place and remedy; 'cancelled'
 */
export async function importNetworkFiles(
  { files, name, architecture }: NetworkImportParams,
  context: Pick<RunContext, 'signal' | 'progress' | 'outputFile'>,
): Promise<WorkerMethodResult<'network-import'>> {
  const told = typeof architecture === 'string' ? architectureNamed(architecture).spec() : architecture
  const stage =
    (which: keyof typeof STAGES) =>
    (fraction: number): void => {
      const [from, to] = STAGES[which]
      context.progress(from + (to - from) * Math.min(fraction, 1), 100, '%')
    }
  const sources: SourceFile[] = []
  try {
    for (const file of files) sources.push(openSourceFile(file.path, file.name))
    const format = formatOf(sources)
    const hashed = hashAll(sources, stage('hashing'))
    const imported = await importNetwork(sources, {
      name,
      architecture: told,
      signal: context.signal,
      onProgress: stage('reading'),
    })
    const doctor = examinedImport(imported)
    await context.outputFile({ name: 'weights', kind: 'weights' }, (path) =>
      writeSafetensors(doctor, path, { signal: context.signal, onProgress: stage('writing') }),
    )
    return { spec: { ...imported.spec, name }, origin: { format, files: hashed }, findings: doctor.findings() }
  } finally {
    for (const source of sources) source.close()
  }
}

/**
 * The model doctor on what is imported, as far as it needs no engine: weights are looked at while they are written, so that they
 * are read once.
 */
function examinedImport({ spec, tensors, findings }: ImportedNetwork): {
  readonly tensors: ReadonlyMap<string, ImportedTensor>
  /** After the weights were written. A finding that the importer has made already is not repeated. */
  readonly findings: () => Finding[]
} {
  const graph = buildGraph(spec)
  const found: Finding[] = [...findings, ...examineStructure(graph), ...examinePreprocessing(spec.preprocessing)]
  const examined = new Map(tensors)
  for (const layer of graph.layers) {
    for (const { name, shape } of layer.parameters) {
      const path = `${layer.name}/${name}`
      const tensor = tensors.get(path)
      if (!tensor) continue
      const values = (): Float32Array => {
        const read = tensor.values()
        found.push(...examineParameter(layer, name, shape, read))
        return read
      }
      examined.set(path, { ...tensor, values })
    }
  }
  const key = ({ code, layer = '' }: Finding): string => `${code} ${layer}`
  return {
    tensors: examined,
    findings: () => found.filter((finding, index) => found.findIndex((other) => key(other) === key(finding)) === index),
  }
}

function hashAll(sources: readonly SourceFile[], onProgress: (fraction: number) => void): NetworkOrigin['files'] {
  const total = sources.reduce((sum, { size }) => sum + size, 0)
  let done = 0
  return sources.map((source) => {
    const hash = createHash('sha256')
    for (let offset = 0; offset < source.size; offset += CHUNK_BYTES) {
      const chunk = source.read(offset, Math.min(CHUNK_BYTES, source.size - offset))
      hash.update(chunk)
      done += chunk.byteLength
      onProgress(done / total)
    }
    return { name: source.name, sha256: hash.digest('hex'), bytes: source.size }
  })
}
