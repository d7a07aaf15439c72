/**
 * How fast data sets open and are indexed: `node bench/datasets.ts [FOLDER]`. FOLDER holds JPEG files, one folder a class; without
 * it the sample of CIFAR-10 is unpacked five times into a temporary folder (10,000 files).
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { WorkerMethodResult } from '../src/shared/wire/protocol.ts'
import { datasetPage } from '../src/compute/data/dataset-page.ts'
import { loadDatasetSplit } from '../src/compute/data/dataset-split.ts'
import { importDataset } from '../src/compute/data/import/import-dataset.ts'
import { openSourceFile } from '../src/compute/files/source-file.ts'
import { openZip } from '../src/compute/files/zip-reader.ts'
import { MNIST, mnistFiles, median } from './setting.ts'

const OPEN_LIMIT_MS = 1000
const INDEX_LIMIT = 500
const REPEATS = 5
const COPIES = 5

const root = join(import.meta.dirname, '..')
const scratch = await mkdtemp(join(tmpdir(), 'convscope-bench-'))
try {
  await measureOpening()
  const folder = process.argv[2] ?? (await unpackSample())
  await measureIndexing(folder, false)
  await measureIndexing(folder, true)
} finally {
  await rm(scratch, { recursive: true, force: true })
}

/** From the files to the first page of the grid; the hash of every byte is checked, as in the program. */
async function measureOpening(): Promise<void> {
  const times: number[] = []
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const startedAt = performance.now()
    const data = await loadDatasetSplit(MNIST, 'train', {
      ...mnistFiles,
      read: async (file) => {
        const bytes = await mnistFiles.read(file)
        createHash('sha256').update(bytes).digest('hex')
        return bytes
      },
    })
    await datasetPage(data, { offset: 0, count: 240 })
    times.push(performance.now() - startedAt)
  }
  const value = median(times)
  const ratio = (value / OPEN_LIMIT_MS).toFixed(2)
  process.stdout.write(
    `60,000 MNIST pictures, from the files to the first page, median of ${REPEATS}: ${value.toFixed(0)} ms, ` +
      `ratio to the limit of ${OPEN_LIMIT_MS} ms: ${ratio}\n`,
  )
}

async function measureIndexing(folder: string, inPlace: boolean): Promise<void> {
  const target = await mkdtemp(join(scratch, 'import-'))
  const startedAt = performance.now()
  let steps = 0
  const result: WorkerMethodResult<'dataset-import'> = await importDataset(
    { sources: [{ name: basename(folder), path: folder }], inPlace },
    {
      scratchFolder: target,
      signal: new AbortController().signal,
      progress: () => void steps++,
      outputFile: async ({ name }, write) => void (await write(join(target, name))),
    },
  )
  const count = result.splits.reduce((sum, split) => sum + split.count, 0)
  const perSecond = (1000 * count) / (performance.now() - startedAt)
  process.stdout.write(
    `${count} JPEG files ${inPlace ? 'indexed in place' : 'copied in as pixels'}, ${steps} steps of progress: ` +
      `${perSecond.toFixed(0)} files/s, ratio to the goal of ${INDEX_LIMIT}: ${(perSecond / INDEX_LIMIT).toFixed(2)}\n`,
  )
}

async function unpackSample(): Promise<string> {
  const folder = join(scratch, 'pictures')
  const zip = openZip(openSourceFile(join(root, 'resources/datasets/cifar-10-sample.zip')))
  for (const { name, size } of zip.entries.values()) {
    const [label = '', file = ''] = name.split('/')
    const bytes = zip.open(name).read(0, size)
    await mkdir(join(folder, label), { recursive: true })
    for (let copy = 0; copy < COPIES; copy++) await writeFile(join(folder, label, `${copy}-${file}`), bytes)
  }
  return folder
}
