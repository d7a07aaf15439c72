/** Small library entries, documents and outputs for tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatasetRecord } from '../../../shared/datasets.ts'
import type { EngineIdentity } from '../../../shared/engines.ts'
import { parseDocument, type ExperimentDocument } from '../../../shared/experiments/index.ts'
import type { NetworkRecord } from '../../../shared/network/page.ts'
import { NetworkSpec } from '../../../shared/network/spec.ts'
import type { OutputRecord, Provenance } from '../../../shared/runs.ts'
import { hashJson, sha256 } from '../../platform/hash.ts'
import { PLATFORM, PROGRAM } from '../../platform/program.ts'
import { datasetHash } from '../datasets.ts'
import { networkHash } from '../networks.ts'
import { openProject, type OpenOptions, type Project } from '../project.ts'

/** A folder that is removed by `remove`. */
export async function temporaryFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'convscope-test-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** A new project with the sample network and data set. */
export async function sampleProject(folder: string, options: OpenOptions = {}): Promise<Project> {
  const project = await openProject(folder, { create: true, ...options })
  const stored = await Promise.all(
    ['weights', 'images', 'labels'].map((text) => project.artifacts.put(Buffer.from(text))),
  )
  project.artifacts.settle(stored.map(({ sha256 }) => sha256))
  if (!project.networks.has('tiny')) project.networks.save(sampleNetwork())
  if (!project.datasets.has('digits')) project.datasets.save(sampleDataset())
  return project
}

export function sampleNetwork(changes: Partial<Omit<NetworkRecord, 'hash'>> = {}): NetworkRecord {
  const record = {
    name: 'tiny',
    title: 'Tiny network',
    spec: NetworkSpec.parse({
      format: 'convscope-network',
      version: 1,
      name: 'tiny',
      title: 'Tiny network',
      preprocessing: { channelOrder: 'grey' },
      classes: ['no', 'yes'],
      layers: [
        { name: 'data', type: 'input', shape: [4, 4, 1] },
        { name: 'relu', type: 'relu' },
      ],
    }),
    weights: sha256('weights'),
    source: 'imported' as const,
    addedAt: 1,
    ...changes,
  }
  return { ...record, hash: networkHash(record) }
}

export function sampleDataset(changes: Partial<Omit<DatasetRecord, 'hash'>> = {}): DatasetRecord {
  const record = {
    name: 'digits',
    title: 'Digits',
    format: 'idx' as const,
    shape: [4, 4, 1] as [number, number, number],
    classes: ['0', '1'],
    splits: [{ name: 'train' as const, count: 2, images: sha256('images'), labels: sha256('labels') }],
    source: 'imported' as const,
    attribution: '',
    addedAt: 1,
    ...changes,
  }
  return { ...record, hash: datasetHash(record) }
}

/** A training of `seed`; another seed is another document. */
export function sampleTraining(seed = 0): ExperimentDocument {
  return parseDocument({
    kind: 'train-classifier',
    version: 1,
    seed,
    params: { architecture: 'mnist-convnet', dataset: 'digits' },
  })
}

/** A projection for digit `index`. */
export function sampleProjection(index = 0, layer = 'relu'): ExperimentDocument {
  const picture = { dataset: 'digits', split: 'train', index }
  return parseDocument({ kind: 'deconvnet', version: 1, params: { network: 'tiny', picture, layer } })
}

export const SAMPLE_ENGINE: EngineIdentity = {
  name: 'cpu',
  version: 'test 1',
  device: 'test',
  threads: 1,
  kernels: 'stock',
  deterministic: true,
}

export function sampleProvenance(document: ExperimentDocument, engine: EngineIdentity = SAMPLE_ENGINE): Provenance {
  return {
    program: PROGRAM,
    documentHash: hashJson(document),
    networks: {},
    datasets: {},
    engine,
    platform: PLATFORM,
    startedAt: 1,
    finishedAt: 2,
  }
}

/** Stores `bytes` and describes them as an output. */
export async function sampleOutput(project: Project, bytes: Uint8Array, name = 'projections'): Promise<OutputRecord> {
  const stored = await project.artifacts.put(bytes)
  return { name, kind: 'array', ...stored, shape: [bytes.byteLength], dtype: 'uint8' }
}

/** A training that has gone to its end with `text` as its output and in its result; its id. */
export async function sampleFinishedRun(project: Project, text: string, seed = 0): Promise<string> {
  const document = sampleTraining(seed)
  const { id } = project.runs.create(document, { title: text, library: { networks: {}, datasets: {} } })
  project.runs.move(id, 'running')
  const outputs = [await sampleOutput(project, Buffer.from(text))]
  project.runs.finish(id, { result: { text }, outputs, provenance: sampleProvenance(document) }, [])
  project.artifacts.settle(outputs.map((output) => output.sha256))
  return id
}
