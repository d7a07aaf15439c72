/** Data sets from files into the library: read by the file session, entered in one transaction. */
import { stat } from 'node:fs/promises'
import { basename, isAbsolute } from 'node:path'
import type { DatasetImportRequest, DatasetImportResult } from '../../shared/contract/datasets.ts'
import type { ImportFile } from '../../shared/contract/networks.ts'
import { halfCount, type DatasetRecord, type DatasetSplit } from '../../shared/datasets.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { suggestNames } from '../../shared/nearest-names.ts'
import type { OutputRecord } from '../../shared/runs.ts'
import type { WorkerMethodResult } from '../../shared/wire/protocol.ts'
import { createLogger } from '../platform/logger.ts'
import { datasetHash } from '../project/datasets.ts'
import type { Project } from '../project/project.ts'
import { isBuiltInDataset } from './built-in-datasets.ts'
import type { FileSession } from './file-session.ts'
import type { ReportProgress } from './progress-stream.ts'
import { sourcePaths, type SourcePath } from './source-paths.ts'

const log = createLogger('imports')
const CIFAR = 'Alex Krizhevsky: Learning Multiple Layers of Features from Tiny Images (2009).'

/**
 * Imports a data set. Nothing of it is left where it fails or is cancelled; uploads stay until they are used or a day old.
 * @throws ConvScopeError 'conflict' for a name in use, 'cancelled', or what is wrong with the files
 */
export async function importDataset(
  { files, name, title, inPlace, labels, classes }: DatasetImportRequest,
  { project, session }: { readonly project: Project; readonly session: FileSession },
  report: ReportProgress,
  signal: AbortSignal,
): Promise<DatasetImportResult> {
  requireFreeName(name, project)
  const sources = (await Promise.all(files.map((file) => sourceOf(file, project)))).flat()
  const [labelFile] = labels ? await sourceOf(labels, project) : []
  const [classFile] = classes ? await sourceOf(classes, project) : []
  const { result, outputs } = await session.perform(
    'dataset-import',
    {
      sources: sources.map(named),
      inPlace,
      labels: labelFile && named(labelFile),
      classes: classFile && named(classFile),
    },
    { sizeBytes: sources.reduce((sum, { bytes }) => sum + bytes, 0), onProgress: report, signal },
  )
  try {
    signal.throwIfAborted()
    const record = recordOf(name, title ?? name, result, outputs)
    enter(record, outputs, project)
    await dropUploads([...files, ...(labels ? [labels] : []), ...(classes ? [classes] : [])], project)
    return { record, refused: result.refused }
  } finally {
    project.artifacts.settle(outputs.map(({ sha256 }) => sha256))
    await project.discard(outputs.map(({ sha256 }) => sha256))
  }
}

/**
 * Adds two random halves of a split.
 * @throws ConvScopeError 'not-found' for a split that is not there, 'conflict' for a name in use, 'invalid-input' for half a half
 */
export function halveSplit(
  { name, split, halves, seed }: { name: string; split: string; halves: readonly [string, string]; seed: number },
  project: Project,
): DatasetRecord {
  const record = project.datasets.get(name)
  const whole = record.splits.find((candidate) => candidate.name === split)
  if (!whole) {
    throw new ConvScopeError('not-found', `The data set ${record.name} has no split "${split}"`, {
      remedy: suggestNames(
        split,
        record.splits.map((candidate) => candidate.name),
        'Its splits are',
      ),
    })
  }
  if (whole.half) {
    throw new ConvScopeError('invalid-input', `The split ${split} of ${record.name} is a half already`, {
      remedy: `Choose ${whole.half.of}.`,
    })
  }
  const [first, second] = halves
  if (first === second) {
    throw new ConvScopeError('invalid-input', `Both halves would be called "${first}"`, {
      remedy: 'Choose two different names.',
    })
  }
  const taken = halves.find((half) => record.splits.some((candidate) => candidate.name === half))
  if (taken !== undefined) {
    throw new ConvScopeError('conflict', `The data set ${record.name} already has a split "${taken}"`, {
      remedy: 'Choose two other names.',
    })
  }
  const parts = ([0, 1] as const).map((index): DatasetSplit => ({
    ...whole,
    name: index === 0 ? first : second,
    count: halfCount(whole.count, index),
    half: { of: whole.name, seed, index },
  }))
  const next = { ...record, splits: [...record.splits, ...parts] }
  const changed = { ...next, hash: datasetHash(next) }
  project.datasets.save(changed, { replace: true })
  return changed
}

function requireFreeName(name: string, project: Pick<Project, 'datasets'>): void {
  if (!isBuiltInDataset(name) && !project.datasets.has(name)) return
  throw new ConvScopeError('conflict', `The library already has a data set "${name}"`, {
    remedy: 'Choose another name.',
  })
}

/** An upload with the folders that it was chosen in, which tell classes; a file, or a folder as such: what is in it is found by the worker. */
async function sourceOf(file: ImportFile, { artifacts }: Pick<Project, 'artifacts'>): Promise<SourcePath[]> {
  if ('sha256' in file) {
    const name = file.name.split(/[\\/]+/).filter((part) => !/^\.*$/.test(part))
    return (await sourcePaths([file], artifacts)).map((source) => ({ ...source, name: name.join('/') || source.name }))
  }
  if (!isAbsolute(file.path)) return sourcePaths([file], artifacts)
  const found = await stat(file.path).catch(() => undefined)
  if (!found?.isDirectory()) return sourcePaths([file], artifacts)
  return [{ name: basename(file.path), path: file.path, bytes: 0 }]
}

function named({ name, path }: SourcePath): { name: string; path: string } {
  return { name, path }
}

function recordOf(
  name: string,
  title: string,
  { format, shape, classes, splits, location, origin }: WorkerMethodResult<'dataset-import'>,
  outputs: readonly OutputRecord[],
): DatasetRecord {
  const artifact = (output: string): string => {
    const found = outputs.find((candidate) => candidate.name === output)
    if (found) return found.sha256
    throw new ConvScopeError('internal', `The import of ${name} ended without ${output}`)
  }
  const content = {
    format,
    shape,
    classes,
    splits: splits.map((split) => ({
      name: split.name,
      count: split.count,
      images: artifact(split.images),
      ...(split.labels === undefined ? {} : { labels: artifact(split.labels) }),
      ...(split.packed === undefined ? {} : { packed: artifact(split.packed) }),
    })),
  }
  return {
    name,
    title,
    ...content,
    source: 'imported',
    attribution: origin.format.startsWith('CIFAR') ? CIFAR : '',
    ...(location === undefined ? {} : { location }),
    origin,
    hash: datasetHash(content),
    addedAt: Date.now(),
  }
}

function enter(record: DatasetRecord, outputs: readonly OutputRecord[], project: Project): void {
  project.database.transaction(() => {
    // Somebody else may have taken the name meanwhile.
    requireFreeName(record.name, project)
    project.artifactRecords.record(outputs)
    project.datasets.save(record)
  })
}

/** What was uploaded for the import is in the artifacts of the data set now. */
async function dropUploads(files: readonly ImportFile[], project: Project): Promise<void> {
  const hashes = files.flatMap((file) => ('sha256' in file ? [file.sha256] : []))
  try {
    project.artifacts.settle(hashes)
    await project.discard(hashes)
  } catch (error) {
    log.warn('the uploads of an import were not removed', { error })
  }
}
