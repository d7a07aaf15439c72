/** Networks from files into the library: read by the file session, entered in one transaction. */
import type { NetworkImportRequest } from '../../shared/contract/networks.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { NetworkRecord, NetworkSummary } from '../../shared/network/page.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { OutputRecord } from '../../shared/runs.ts'
import type { WorkerMethodResult } from '../../shared/wire/protocol.ts'
import { createLogger } from '../platform/logger.ts'
import { networkHash } from '../project/networks.ts'
import type { Project } from '../project/project.ts'
import { isBuiltInNetwork } from './built-in.ts'
import type { FileSession } from './file-session.ts'
import type { ReportProgress } from './progress-stream.ts'
import { sourcePaths } from './source-paths.ts'

const log = createLogger('imports')

/**
 * Imports a network. Nothing of it is left where it fails or is cancelled; uploads stay until they are used or a day old.
 * @throws ConvScopeError 'conflict' for a name in use, 'cancelled', or what is wrong with the files
 */
export async function importNetwork(
  { files, name, architecture }: NetworkImportRequest,
  { project, session }: { readonly project: Project; readonly session: FileSession },
  report: ReportProgress,
  signal: AbortSignal,
): Promise<NetworkSummary> {
  requireFreeName(name, project)
  const sources = await sourcePaths(files, project.artifacts)
  const { result, outputs } = await session.perform(
    'network-import',
    {
      files: sources.map(({ name: file, path }) => ({ name: file, path })),
      name,
      architecture: typeof architecture === 'string' ? specOf(architecture, project) : architecture,
    },
    { sizeBytes: sources.reduce((sum, { bytes }) => sum + bytes, 0), onProgress: report, signal },
  )
  try {
    signal.throwIfAborted()
    const record = enter(name, result, outputs, project)
    await dropUploads(files, project)
    return record
  } finally {
    project.artifacts.settle(outputs.map(({ sha256 }) => sha256))
    await project.discard(outputs.map(({ sha256 }) => sha256))
  }
}

/** @throws ConvScopeError 'conflict' */
export function requireFreeName(name: string, project: Pick<Project, 'networks'>): void {
  if (!isBuiltInNetwork(name) && !project.networks.has(name)) return
  throw new ConvScopeError('conflict', `The library already has a network "${name}"`, {
    remedy: 'Choose another name.',
  })
}

/** The layers of a network of the library, or the name itself, which may be that of a known architecture. */
function specOf(name: string, project: Pick<Project, 'networks'>): NetworkSpec | string {
  return project.networks.has(name) ? project.networks.get(name).spec : name
}

function enter(
  name: string,
  { spec, origin, findings }: WorkerMethodResult<'network-import'>,
  outputs: readonly OutputRecord[],
  project: Project,
): NetworkSummary {
  const weights = outputs.find((output) => output.name === 'weights')
  if (!weights) throw new ConvScopeError('internal', `The import of ${name} ended without weights`)
  const record: NetworkRecord = {
    name,
    title: spec.title,
    spec,
    weights: weights.sha256,
    source: 'imported',
    origin,
    findings,
    hash: networkHash({ spec, weights: weights.sha256 }),
    addedAt: Date.now(),
  }
  project.database.transaction(() => {
    // Somebody else may have taken the name meanwhile.
    requireFreeName(name, project)
    project.artifactRecords.record([weights])
    project.networks.save(record)
  })
  return withoutSpec(record)
}

/** What was uploaded for the import is in the weights now. */
async function dropUploads(files: NetworkImportRequest['files'], project: Project): Promise<void> {
  const hashes = files.flatMap((file) => ('sha256' in file ? [file.sha256] : []))
  try {
    project.artifacts.settle(hashes)
    await project.discard(hashes)
  } catch (error) {
    log.warn('the uploads of an import were not removed', { error })
  }
}

export function withoutSpec({ spec: _, ...summary }: NetworkRecord): NetworkSummary {
  return summary
}
