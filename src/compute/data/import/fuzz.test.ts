import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConvScopeError } from '../../../shared/errors.ts'
import { describeDocument, parseDocument } from '../../../shared/experiments/index.ts'
import { encodeNpy } from '../../../shared/npy.ts'
import { sourceFileOf, type SourceFile } from '../../files/source-file.ts'
import { fuzz, type Sample } from '../../importers/testing/fuzz.ts'
import { decodePicture, pictureHeader } from '../decode-picture.ts'
import type { FileTree } from './dataset-source.ts'
import { openTree } from './file-tree.ts'
import { findDataset } from './find-dataset.ts'
import { readClassNames, readLabels } from './label-files.ts'
import { ImportFolder } from './testing/import-folder.ts'

const MUTATIONS = 500
const conformance = join(import.meta.dirname, '../../../../tests/conformance/files')
const sample = (name: string): Sample => ({ name, bytes: new Uint8Array(readFileSync(join(conformance, name))) })
let folder: ImportFolder
beforeAll(async () => {
  folder = await ImportFolder.create()
})
afterAll(() => folder.remove())

/** Everything that an import would read. */
function readAll(tree: FileTree): number {
  const found = findDataset(tree)
  if (found.kind === 'pictures') return found.splits.reduce((sum, { pictures }) => sum + pictures.length, 0)
  let count = 0
  for (const { shape, batches } of found.splits) {
    const size = shape[0] * shape[1] * shape[2]
    for (const { images, labels } of batches()) {
      if (images.length % size !== 0) throw new Error(`${images.length} bytes are no pictures of ${shape.join(' × ')}`)
      if (labels && labels.length !== images.length / size) throw new Error('labels without pictures')
      count += images.length / size
    }
  }
  return count
}

const inMemory = (sources: readonly SourceFile[]): number =>
  readAll({
    title: 'the copy',
    folder: undefined,
    files: sources.map((source) => ({ path: source.name, size: source.size, open: () => source })),
  })

/** Archives are read from the disk. */
async function onDisk(sources: readonly SourceFile[]): Promise<number> {
  const [source] = sources
  const path = join(folder.path, source?.name ?? 'none')
  writeFileSync(path, source?.read(0, source.size) ?? '')
  const options = { scratchFolder: folder.path, progress: () => undefined }
  const tree = await openTree([{ name: source?.name ?? '', path }], options)
  try {
    return readAll(tree)
  } finally {
    await tree.close()
    rmSync(path)
  }
}

it.each([
  ['IDX', ['images.idx3-ubyte', 'labels.idx1-ubyte']],
  ['gzipped IDX', ['images.idx3-ubyte.gz', 'labels.idx1-ubyte.gz']],
  ['a batch of binary CIFAR', ['data_batch_1.bin']],
  ['a batch of pickled CIFAR', ['data_batch_1']],
])('damaged copies of %s are refused or read whole', async (_, names) => {
  const report = await fuzz({ files: names.map(sample), read: inMemory, mutations: MUTATIONS })
  expect(report.refused + report.read).toBe(MUTATIONS)
  expect(report.refused).toBeGreaterThan(50)
})

it('damaged copies of NumPy arrays are refused or read whole', async () => {
  const pictures = encodeNpy(
    [3, 4, 4],
    Uint8Array.from({ length: 48 }, (_, index) => index),
  )
  const files = [
    { name: 'x_train.npy', bytes: pictures },
    { name: 'y_train.npy', bytes: encodeNpy([3], Int32Array.of(0, 1, 2)) },
  ]
  const report = await fuzz({ files, read: inMemory, mutations: MUTATIONS })
  expect(report.refused).toBeGreaterThan(50)
})

it('damaged copies of an archive of CIFAR are refused or read', async () => {
  // With its first batch alone: as many copies of the whole would take long, and show no more.
  const name = 'cifar-10-binary.tar.gz'
  const tar = gunzipSync(sample(name).bytes)
  const batch = tar.subarray(0, tar.indexOf('cifar-10-batches-bin/data_batch_2.bin'))
  const bytes = new Uint8Array(gzipSync(Buffer.concat([batch, Buffer.alloc(1024)])))
  expect(await onDisk([sourceFileOf(name, bytes)])).toBe(3)
  const report = await fuzz({ files: [{ name, bytes }], read: onDisk, mutations: MUTATIONS })
  expect(report.refused).toBeGreaterThan(50)
})

it('damaged copies of an archive of NumPy arrays are refused or read', async () => {
  const report = await fuzz({ files: [sample('ta-compressed.npz')], read: onDisk, mutations: MUTATIONS })
  expect(report.refused).toBeGreaterThan(50)
})

it('damaged copies of a plain tar are refused or read', async () => {
  const header = Buffer.alloc(512)
  header.write('a/1.png')
  header.write('0000644\u00000000000\u00000000000\u000000000000005\u000000000000000\u0000', 100)
  header.write('        0', 148)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148)
  const bytes = new Uint8Array(Buffer.concat([header, Buffer.from('12345'.padEnd(512, '\u0000')), Buffer.alloc(1024)]))
  expect(await onDisk([sourceFileOf('x.tar', bytes)])).toBe(1)
  const report = await fuzz({ files: [{ name: 'x.tar', bytes }], read: onDisk, mutations: MUTATIONS })
  expect(report.refused).toBeGreaterThan(50)
})

it.each([
  ['classes.txt', 'cat\ndog\nhorse'],
  ['labels.csv', 'a/1.png,cat\na/2.png,dog\n3.png,cat'],
])('damaged copies of %s are refused or used', async (name, text) => {
  const paths = ['a/1.png', 'a/2.png', 'b/3.png']
  const read = ([source]: readonly SourceFile[]): number => {
    const file = { name, text: new TextDecoder().decode(source?.read(0, source.size)) }
    if (name === 'classes.txt') return readClassNames(file).length
    const { classes, labelOf } = readLabels(file, undefined)(paths)
    if (paths.some((path) => labelOf(path) >= classes.length)) throw new Error('a label without a class')
    return classes.length
  }
  const files = [{ name, bytes: new TextEncoder().encode(text) }]
  const report = await fuzz({ files, read, mutations: MUTATIONS })
  expect(report.refused).toBeGreaterThan(20)
  expect(report.read).toBeGreaterThan(20)
})

it('damaged documents of experiments are refused or complete', async () => {
  const start = { from: 'architecture', name: 'lenet-5' }
  const document = { kind: 'train-classifier', version: 2, params: { start, dataset: 'digits', epochs: 2 } }
  const read = ([source]: readonly SourceFile[]): string => {
    let value: unknown
    try {
      value = JSON.parse(new TextDecoder().decode(source?.read(0, source.size)))
    } catch {
      throw new ConvScopeError('invalid-input', 'not JSON')
    }
    return describeDocument(parseDocument(value))
  }
  const files = [{ name: 'document.json', bytes: new TextEncoder().encode(JSON.stringify(document)) }]
  const report = await fuzz({ files, read, mutations: MUTATIONS })
  expect(report.refused).toBeGreaterThan(50)
  expect(report.messages.some(([message]) => message !== 'not JSON')).toBe(true)
})

it.each(['jpeg', 'png', 'gif', 'webp', 'tiff'] as const)(
  'damaged copies of a %s picture are refused or decoded',
  async (kind) => {
    const create = { width: 12, height: 8, channels: 3 as const, background: { r: 200, g: 30, b: 4 } }
    const bytes = new Uint8Array(await sharp({ create }).toFormat(kind).toBuffer())
    const read = async ([source]: readonly SourceFile[]): Promise<number> => {
      const file = source?.read(0, source.size) ?? new Uint8Array()
      await pictureHeader(file, 'the copy')
      const { shape, data } = await decodePicture(file, { name: 'the copy', channels: 3 })
      if (data.length !== shape[0] * shape[1] * 3) throw new Error('a picture of another size')
      return data.length
    }
    const report = await fuzz({
      limitMs: 20_000,
      files: [{ name: `picture.${kind}`, bytes }],
      read,
      mutations: MUTATIONS,
    })
    expect(report.refused).toBeGreaterThan(20)
  },
)
