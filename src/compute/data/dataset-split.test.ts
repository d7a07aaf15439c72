import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DatasetRecord, DatasetSplit } from '../../shared/datasets.ts'
import { encodeNpy } from '../../shared/npy.ts'
import { datasetPage } from './dataset-page.ts'
import { isUniform, loadDatasetSplit, type DatasetFiles } from './dataset-split.ts'
import { encodePictureIndex } from './picture-index.ts'
import { splitStatistics } from './statistics.ts'
import { uniformSplit } from './uniform-split.ts'

const COUNT = 7
const pixels = Uint8Array.from({ length: COUNT * 12 }, (_, index) => (index * 5) % 256)
const labels = Int32Array.from({ length: COUNT }, (_, index) => index % 2)
const artifacts = new Map<string, Uint8Array>()
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const keep = (bytes: Uint8Array): string => {
  artifacts.set(hashOf(bytes), bytes)
  return hashOf(bytes)
}
let folder: string
const files: DatasetFiles = {
  read: async (sha256) => artifacts.get(sha256) ?? Promise.reject(new Error(`no artifact ${sha256}`)),
  find: async (sha256) => {
    const file = join(folder, sha256)
    await writeFile(file, artifacts.get(sha256) ?? new Uint8Array())
    return file
  },
}

function record(changes: Partial<DatasetRecord> & { splits: DatasetSplit[] }): DatasetRecord {
  const fixed = {
    title: 'Things',
    classes: ['a', 'b'],
    source: 'imported',
    attribution: '',
    hash: '',
    addedAt: 0,
  } as const
  return { name: 'things', format: 'pixels', shape: [2, 2, 3], ...fixed, classes: ['a', 'b'], ...changes }
}

const pixelRecord = (): DatasetRecord => {
  const images = keep(encodeNpy([COUNT, 2, 2, 3], pixels))
  const given = { images, labels: keep(encodeNpy([COUNT], labels)) }
  return record({
    splits: [
      { name: 'train', count: COUNT, ...given },
      { name: 'P1', count: 4, ...given, half: { of: 'train', seed: 3, index: 0 } },
      { name: 'P2', count: 3, ...given, half: { of: 'train', seed: 3, index: 1 } },
      { name: 'bad', count: 3, ...given, half: { of: 'P1', seed: 3, index: 1 } },
      { name: 'bare', count: COUNT, images },
    ],
  })
}

/** Three PNG pictures of different sizes, in the folder and packed after three bytes of something else. */
async function pictureRecord(): Promise<{ packed: DatasetRecord; inPlace: DatasetRecord }> {
  const sizes = [2, 3, 4]
  const encoded = await Promise.all(
    sizes.map((size) =>
      sharp({ create: { width: size, height: 2, channels: 3, background: { r: 10 * size, g: 0, b: 255 } } })
        .png()
        .toBuffer(),
    ),
  )
  await Promise.all(encoded.map((bytes, index) => writeFile(join(folder, `${index}.png`), bytes)))
  const offsets = encoded.map((_, index) => 3 + encoded.slice(0, index).reduce((sum, { length }) => sum + length, 0))
  const index = {
    format: 'convscope-pictures' as const,
    version: 1 as const,
    channels: 3 as const,
    paths: sizes.map((_, place) => `${place}.png`),
    bytes: encoded.map(({ length }) => length),
    sha256: encoded.map(hashOf),
    heights: [2, 2, 2],
    widths: sizes,
    labels: [0, 1, -1],
  }
  const split = { name: 'all', count: 3 }
  return {
    packed: record({
      format: 'pictures',
      shape: null,
      splits: [
        {
          ...split,
          images: keep(encodePictureIndex({ ...index, offsets })),
          packed: keep(Buffer.concat([Buffer.from('abc'), ...encoded])),
        },
      ],
    }),
    inPlace: record({
      format: 'pictures',
      shape: null,
      location: folder,
      splits: [{ ...split, images: keep(encodePictureIndex(index)) }],
    }),
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a split of pixels', () => {
  it('gives pictures, labels and pages', async () => {
    const data = await loadDatasetSplit(pixelRecord(), 'train', files)
    expect(isUniform(data)).toBe(true)
    expect([...data.labels]).toEqual([...labels])
    expect(await data.picture(2)).toEqual({ shape: [2, 2, 3], data: pixels.subarray(24, 36) })
    const page = await datasetPage(data, { offset: 1, count: 9, classIndex: 1 })
    expect(page).toMatchObject({ total: 3, indices: [3, 5], labels: [1, 1], shape: [2, 2, 3] })
    expect([...page.images]).toEqual([...pixels.subarray(36, 48), ...pixels.subarray(60, 72)])
    await expect(data.picture(7)).rejects.toMatchObject({ code: 'invalid-input' })
  })

  it('is whole in its two halves, in order, the same for the same seed', async () => {
    const dataset = pixelRecord()
    const halves = await Promise.all(['P1', 'P2'].map((name) => loadDatasetSplit(dataset, name, files)))
    const first = await Promise.all(
      halves.map(async (half) => Promise.all([...half.labels.keys()].map((i) => half.picture(i)))),
    )
    const starts = first.map((pictures) => pictures.map(({ data }) => data[0] ?? -1))
    expect(starts.map(({ length }) => length)).toEqual([4, 3])
    const order = Array.from({ length: COUNT }, (_, index) => pixels[index * 12] ?? -1)
    const places = starts.map((half) => half.map((start) => order.indexOf(start)))
    expect(places.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
    for (const half of places) expect(half).toEqual([...half].sort())
    expect(halves.map((half) => [...half.labels])).toEqual(places.map((half) => half.map((place) => labels[place])))
    await expect(loadDatasetSplit(dataset, 'bad', files)).rejects.toMatchObject({ code: 'damaged' })
  })

  it('needs no labels', async () => {
    const data = await loadDatasetSplit(pixelRecord(), 'bare', files)
    expect(new Set(data.labels)).toEqual(new Set([-1]))
  })

  it('refuses what does not fit the record, and names splits that are not there', async () => {
    const dataset = pixelRecord()
    await expect(loadDatasetSplit({ ...dataset, shape: [2, 3, 3] }, 'train', files)).rejects.toThrow('2 × 3 × 3')
    await expect(loadDatasetSplit({ ...dataset, classes: ['a'] }, 'train', files)).rejects.toThrow(
      'label 1 at picture 1',
    )
    await expect(loadDatasetSplit(dataset, 'test', files)).rejects.toMatchObject({
      code: 'not-found',
      remedy: 'Its splits are train, P1, P2, bad, bare.',
    })
  })
})

describe('a split of encoded pictures', () => {
  it.each(['packed', 'inPlace'] as const)('decodes them when they are asked for (%s)', async (which) => {
    const data = await loadDatasetSplit((await pictureRecord())[which], 'all', files)
    expect(isUniform(data)).toBe(false)
    const picture = await data.picture(1)
    expect(picture.shape).toEqual([2, 3, 3])
    expect([...picture.data.subarray(0, 3)]).toEqual([30, 0, 255])
    const page = await datasetPage(data, { offset: 0, count: 3, side: 8 })
    expect(page).toMatchObject({ shape: [8, 8, 3], labels: [0, 1, -1] })
    expect(page.images).toHaveLength(3 * 192)
    await expect(uniformSplit(data)).rejects.toMatchObject({ code: 'invalid-input' })
  })

  it('names a file that was changed or is gone', async () => {
    const { inPlace } = await pictureRecord()
    const data = await loadDatasetSplit(inPlace, 'all', files)
    await writeFile(join(folder, '1.png'), Buffer.alloc(500))
    await rm(join(folder, '2.png'))
    await data.picture(0)
    await expect(data.picture(1)).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('1.png') as string,
    })
    await expect(data.picture(2)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('2.png') as string,
    })
  })

  it('does not leave its folder', async () => {
    const { inPlace } = await pictureRecord()
    const list: unknown = JSON.parse(new TextDecoder().decode(artifacts.get(inPlace.splits[0]?.images ?? '')))
    const paths = ['../0.png', '/etc/passwd', 'a/../../b.png']
    for (const path of paths) {
      const bytes = new TextEncoder().encode(JSON.stringify({ ...(list as object), paths: ['0.png', '1.png', path] }))
      const splits = [{ name: 'all', count: 3, images: keep(bytes) }]
      await expect(loadDatasetSplit({ ...inPlace, splits }, 'all', files)).rejects.toMatchObject({ code: 'damaged' })
    }
  })
})

it('counts classes and measures mean and standard deviation', async () => {
  const context = {
    dataset: (_: string, split: string) => loadDatasetSplit(pixelRecord(), split, files),
    signal: new AbortController().signal,
  }
  const generator = splitStatistics('things', 'train', context)
  let step = await generator.next()
  while (!step.done) step = await generator.next()
  const red = [...pixels].filter((_, index) => index % 3 === 0)
  const mean = red.reduce((sum, value) => sum + value, 0) / red.length
  const variance = red.reduce((sum, value) => sum + (value - mean) ** 2, 0) / red.length
  expect(step.value).toMatchObject({ classCounts: [4, 3], unlabelled: 0, smallest: [2, 2], largest: [2, 2] })
  expect(step.value.mean[0]).toBeCloseTo(mean, 10)
  expect(step.value.standardDeviation[0]).toBeCloseTo(Math.sqrt(variance), 10)
})
