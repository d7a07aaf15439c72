/** Networks from outside: files in, layers and weights out. Nothing is kept where it fails. */
import { createHash } from 'node:crypto'
import type { NetworkOrigin } from '../../shared/network/page.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { WorkerMethodResult } from '../../shared/wire/protocol.ts'
import { openSourceFile, type SourceFile } from '../files/source-file.ts'
import { formatOf, importNetwork, writeSafetensors } from '../importers/index.ts'
import { architectureNamed } from '../network/architectures/index.ts'
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
    await context.outputFile({ name: 'weights', kind: 'weights' }, (path) =>
      writeSafetensors(imported, path, { signal: context.signal, onProgress: stage('writing') }),
    )
    return { spec: { ...imported.spec, name }, origin: { format, files: hashed }, findings: [...imported.findings] }
  } finally {
    for (const source of sources) source.close()
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
