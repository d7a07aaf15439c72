/** Data sets from files into a real project, read by a real worker. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DatasetImportRequest, DatasetImportResult } from '../../shared/contract/datasets.ts'
import { openProject, type Project } from '../project/project.ts'
import { scratchFiles } from '../sessions/testing/scratch-files.ts'
import { createServices, type RunningServices } from './index.ts'

const workerPath = join(import.meta.dirname, '../../compute/worker/main.ts')
let folder: string
let pictures: string
let project: Project
let services: RunningServices

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-datasets-'))
  pictures = join(folder, 'animals')
  for (const [index, name] of ['cat', 'dog'].entries()) {
    await mkdir(join(pictures, name), { recursive: true })
    for (let picture = 0; picture < 3; picture++) {
      const background = { r: 100 * index + picture, g: 0, b: 0 }
      const png = await sharp({ create: { width: 8 + index, height: 8, channels: 3, background } })
        .png()
        .toBuffer()
      await writeFile(join(pictures, name, `${picture}.png`), png)
    }
  }
  await writeFile(join(pictures, 'dog', 'broken.jpg'), 'no picture')
  project = await openProject(join(folder, 'project'), { create: true })
  services = await createServices({
    project,
    workerPath,
    cacheFolder: join(folder, 'cache'),
    configFolder: join(folder, 'config'),
    engineWish: 'cpu',
    threads: 1,
    shell: 'command',
    fetchEngine: false,
  })
})
afterAll(async () => {
  await services.close()
  await project.close()
  await rm(folder, { recursive: true, force: true })
})

async function importData(
  request: Omit<DatasetImportRequest, 'inPlace'> & { inPlace?: boolean },
): Promise<DatasetImportResult> {
  for await (const event of services.datasets.import({ inPlace: false, ...request })) {
    if (event.type === 'done') return event.result
  }
  throw new Error('the import ended without a result')
}

describe('data sets', () => {
  it('are imported, measured, halved and removed with their files', async () => {
    const { record, refused } = await importData({ files: [{ path: pictures }], name: 'animals' })
    expect(record).toMatchObject({ source: 'imported', format: 'pictures', shape: null, classes: ['cat', 'dog'] })
    expect(refused).toMatchObject([{ name: 'dog/broken.jpg' }])
    expect(record.origin).toMatchObject({ files: ['animals'], refused: 1 })
    const hashes = project.datasets.get('animals').splits.flatMap(({ images, packed }) => [images, packed ?? ''])
    expect(hashes).toHaveLength(2)

    const statistics = await services.datasets.statistics({ name: 'animals', split: 'all' })
    expect(statistics).toMatchObject({ count: 6, classCounts: [3, 3], smallest: [8, 8], largest: [8, 9] })
    expect(statistics.mean[0]).toBeCloseTo((8 * (0 + 1 + 2) + 9 * (100 + 101 + 102)) / (3 * 17), 10)
    expect(project.datasets.statistics('animals', 'all')).toEqual(statistics)

    const halved = await services.datasets.halve({ name: 'animals', split: 'all', halves: ['P1', 'P2'], seed: 5 })
    expect(halved.hash).not.toBe(record.hash)
    expect(halved.splits.slice(1).map(({ name, count }) => [name, count])).toEqual([
      ['P1', 3],
      ['P2', 3],
    ])
    const parts = await Promise.all(
      ['P1', 'P2'].map((split) => services.datasets.statistics({ name: 'animals', split })),
    )
    expect(parts.map(({ classCounts }) => classCounts).reduce((a, b) => a.map((n, i) => n + (b[i] ?? 0)))).toEqual([
      3, 3,
    ])
    await expect(
      services.datasets.halve({ name: 'animals', split: 'all', halves: ['c', 'c'], seed: 0 }),
    ).rejects.toThrow('Both halves would be called "c"')
    await expect(
      services.datasets.halve({ name: 'animals', split: 'P1', halves: ['a', 'b'], seed: 0 }),
    ).rejects.toMatchObject({ code: 'invalid-input' })
    await expect(
      services.datasets.halve({ name: 'animals', split: 'all', halves: ['P1', 'c'], seed: 0 }),
    ).rejects.toMatchObject({ code: 'conflict' })

    await services.datasets.remove({ name: 'animals' })
    expect(await Promise.all(hashes.map((sha256) => project.artifacts.has(sha256)))).toEqual([false, false])
    await expect(services.datasets.remove({ name: 'mnist' })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('are left where they are when asked, and a changed file is named', async () => {
    const { record } = await importData({ files: [{ path: pictures }], name: 'in-place', inPlace: true })
    expect(record.location).toBe(pictures)
    expect(project.datasets.get('in-place').location).toBe(pictures)
    await writeFile(join(pictures, 'cat', '1.png'), Buffer.alloc(400))
    await expect(services.datasets.statistics({ name: 'in-place', split: 'all' })).rejects.toMatchObject({
      message: expect.stringContaining(join(pictures, 'cat', '1.png')) as string,
    })
  })

  it('leave nothing behind where the import fails or is left', async () => {
    const before = (await project.artifacts.list()).artifacts.length
    await expect(importData({ files: [{ path: pictures }], name: 'MNIST' })).rejects.toMatchObject({ code: 'conflict' })
    const page = join(folder, 'page.html')
    await writeFile(page, '<html>')
    await expect(importData({ files: [{ path: page }], name: 'page' })).rejects.toMatchObject({ code: 'unsupported' })
    const controller = new AbortController()
    for await (const event of services.datasets.import(
      { files: [{ path: pictures }], name: 'left', inPlace: false },
      { signal: controller.signal },
    )) {
      if (event.type === 'progress') break
    }
    controller.abort()
    expect(project.datasets.has('left')).toBe(false)
    expect((await project.artifacts.list()).artifacts).toHaveLength(before)
    expect(await scratchFiles(project.artifacts.scratchFolder)).toEqual([])
  })

  it('come with the program: a sample whose pictures are read from their archive', async () => {
    const statistics = await services.datasets.statistics({ name: 'cifar-10-sample', split: 'test' })
    expect(statistics).toMatchObject({
      count: 2000,
      classCounts: Array.from({ length: 10 }, () => 200),
      largest: [32, 32],
    })
    const dataset = project.datasets.get('cifar-10-sample')
    expect([...dataset.classes].sort()).toEqual(dataset.classes)
  })
})
