/** The use cases on a real project with a real worker. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { DeconvnetResult } from '../../shared/experiments/deconvnet.ts'
import type { JobEvent } from '../../shared/jobs.ts'
import { LiveFrameRequest } from '../../shared/live.ts'
import { decodeNpy } from '../../shared/npy.ts'
import type { Json } from '../../shared/values.ts'
import { openProject, type Project } from '../project/project.ts'
import { createServices, type RunningServices } from './index.ts'

const workerPath = join(import.meta.dirname, '../../compute/worker/main.ts')

let folder: string
let project: Project
let services: RunningServices

async function start(): Promise<void> {
  project = await openProject(join(folder, 'project'), { create: true })
  services = await createServices({
    project,
    workerPath,
    cacheFolder: join(folder, 'cache'),
    configFolder: join(folder, 'config'),
    engineWish: 'wasm',
    threads: 1,
    shell: 'page',
    fetchEngine: false,
  })
}

async function stop(): Promise<void> {
  await services.close()
  await project.close()
}

beforeAll(async () => {
  // Here the program keeps compiled code itself.
  vi.stubEnv('NODE_COMPILE_CACHE', undefined)
  folder = await mkdtemp(join(tmpdir(), 'convscope-services-'))
  await start()
})
afterAll(async () => {
  await stop()
  await rm(folder, { recursive: true, force: true })
})

const document = (changes: Record<string, Json> = {}): Json => ({
  kind: 'deconvnet',
  version: 1,
  params: {
    network: 'mnist-convnet',
    picture: { dataset: 'mnist', split: 'test', index: 0 },
    layer: 'conv1',
    units: { kind: 'strongest', count: 4 },
    ...changes,
  },
})

async function eventsOf(id: string): Promise<JobEvent[]> {
  const events: JobEvent[] = []
  for await (const event of services.jobs.watch({ id })) events.push(event)
  return events
}

describe('services', () => {
  it('bring the built-in networks and data sets', async () => {
    expect(await services.networks.list()).toMatchObject([
      { name: 'cifar-alexnet', source: 'built-in', testError: { dataset: 'cifar-10', count: 10_000 } },
      { name: 'mnist-convnet', source: 'built-in', testError: { dataset: 'mnist', count: 10_000 } },
    ])
    const [, network] = await services.networks.list()
    expect(network).not.toHaveProperty('spec')
    expect(network?.testError?.percent).toBeLessThan(1)
    expect(await services.datasets.list()).toMatchObject([
      { name: 'cifar-10-sample', classes: { length: 10 } },
      { name: 'mnist', classes: { length: 10 } },
    ])
  })

  it('show the layers of a network and its weights', async () => {
    const page = await services.networks.page({ name: 'mnist-convnet' })
    expect(page.parameters).toBe(317_066)
    const conv2 = page.layers.find(({ name }) => name === 'conv2')
    expect(conv2).toMatchObject({ shape: [8, 8, 64], receptiveField: { rows: { size: 14, stride: 2 } } })
    const weights = await services.networks.weights({ name: 'mnist-convnet', layer: 'conv1' })
    expect(weights.map(({ parameter, shape }) => [parameter, shape])).toEqual([
      ['kernel', [5, 5, 1, 32]],
      ['bias', [32]],
    ])
    expect(Buffer.from(weights[0]?.values ?? []).toString('latin1', 1, 6)).toBe('NUMPY')
    await expect(services.networks.page({ name: 'nothing' })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('know published architectures', async () => {
    const known = await services.networks.architectures()
    expect(known.find(({ name }) => name === 'vgg-16')?.parameters).toBe(138_357_544)
  })

  it('page through a data set, by class too', async () => {
    const page = await services.datasets.page({ name: 'mnist', split: 'test', offset: 2, count: 3, classIndex: 7 })
    expect(page).toMatchObject({ labels: [7, 7, 7], shape: [28, 28, 1] })
    expect(page.images).toHaveLength(3 * 784)
    expect(page.indices[0]).toBeGreaterThan(0)
    const counts = await services.datasets.counts({ name: 'mnist', split: 'test' })
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10_000)
    expect(page.total).toBe(counts[7])
  })

  it('look once, and answer again from the history', async () => {
    const first = await services.jobs.look({ document: document() })
    expect(first.cached).toBe(false)
    expect(DeconvnetResult.parse(first.result)).toMatchObject({ label: { label: '7' }, units: { length: 4 } })
    expect(first.provenance).toMatchObject({
      engine: { name: 'wasm', threads: 1 },
      program: expect.stringMatching(/^ConvScope/) as string,
    })
    const again = await services.jobs.look({ document: document() })
    expect(again).toMatchObject({ cached: true, documentHash: first.documentHash, outputs: first.outputs })
    expect(await services.runs.history({ limit: 10 })).toMatchObject([{ documentHash: first.documentHash }])
  })

  it('keep a look as a run with pictures, and export it', async () => {
    const look = await services.jobs.look({ document: document() })
    const { id } = await services.runs.keep({ documentHash: look.documentHash })
    expect((await eventsOf(id)).map(({ type }) => type)).toEqual(expect.arrayContaining(['queued', 'started', 'done']))
    const run = await services.runs.show({ id })
    expect(run).toMatchObject({
      state: 'done',
      documentHash: look.documentHash,
      provenance: { networks: {}, datasets: {} },
    })
    expect(Object.keys(run.provenance?.networks ?? {})).toEqual(['mnist-convnet'])
    expect(run.outputs.filter(({ name }) => name.startsWith('projection-'))).toHaveLength(4)
    const { sha256, fileName } = await services.runs.export({ id })
    expect(fileName).toBe(`deconvnet-${id}.zip`)
    const whole = await project.artifacts.read(sha256)
    expect(whole.subarray(0, 2)).toEqual(Buffer.from('PK'))

    // A picture that was damaged on disk does not keep the rest.
    const picture = run.outputs.find(({ name }) => name.startsWith('projection-'))
    if (!picture) throw new Error('the run has no picture')
    const file = project.artifacts.path(picture.sha256)
    const bytes = await readFile(file)
    await writeFile(file, 'damaged')
    const part = await services.runs.export({ id })
    await writeFile(file, bytes)
    expect(part.damaged).toEqual(
      run.outputs.filter((o) => o.sha256 === picture.sha256).map(({ name }) => `${name}.png`),
    )
    const text = Buffer.from(await project.artifacts.read(part.sha256)).toString('latin1')
    expect(text).toContain('damaged.json')
    for (const { name, sha256: hash } of run.outputs) if (hash !== picture.sha256) expect(text).toContain(`${name}.`)
  })

  it('let a trained network enter the library, a second one of its name beside it', async () => {
    const training = (seed: number): Json => ({
      kind: 'train-classifier',
      version: 1,
      params: {
        architecture: 'mnist-convnet',
        dataset: 'mnist',
        name: 'own',
        epochs: 1,
        batchSize: 16,
        trainCount: 32,
        testCount: 16,
        snapshots: [0, 1],
      },
      seed,
    })
    for (const seed of [1, 1, 2]) {
      const { id } = await services.jobs.start({ document: training(seed) })
      const events = await eventsOf(id)
      expect(events.at(-1)?.type).toBe('done')
    }
    const own = (await services.networks.list()).filter(({ name }) => name.startsWith('own'))
    expect(own).toMatchObject([{ name: 'own', source: 'trained', testError: { count: 16 } }, { source: 'trained' }])
    expect(own).toHaveLength(2)
    const look = await services.jobs.look({ document: document({ network: own[1]?.name ?? '' }) })
    expect(look.result).toMatchObject({ units: { length: 4 } })
    for (const { name } of own) await services.networks.remove({ name })
  })

  it('follow the features of a training run that a document names, and keep what they need of it', async () => {
    const snapshots = (run: string): Json => ({
      kind: 'feature-evolution',
      version: 1,
      params: { snapshots: { from: 'run', run }, dataset: 'mnist', pictureCount: 20, layers: ['relu1'] },
    })
    const { runs } = await services.runs.list({ offset: 0, limit: 1, kind: 'train-classifier' })
    const { id } = await services.jobs.start({ document: snapshots(runs[0]?.id ?? '') })
    expect((await eventsOf(id)).at(-1)?.type).toBe('done')
    const run = await services.runs.show({ id })
    expect(run.result).toMatchObject({ epochs: [0, 1], layers: [{ layer: 'relu1' }] })
    expect(run.document).toMatchObject({
      params: { snapshots: { run: runs[0]?.id, weights: [{ epoch: 0 }, { epoch: 1 }] } },
    })
    await expect(services.jobs.start({ document: snapshots('nothing') })).rejects.toMatchObject({ code: 'not-found' })
    await expect(services.jobs.start({ document: snapshots(id) })).rejects.toThrow(/is no training/)
  })

  it('answer live frames, and keep nothing of them', async () => {
    const before = await readdir(join(folder, 'project', 'artifacts'))
    const view = { network: 'MNIST-convnet', layer: 'relu1' }
    const { images } = await services.datasets.page({ name: 'mnist', split: 'test', offset: 7, count: 1 })
    const named = await services.live.frame(
      LiveFrameRequest.parse({ view, frame: { dataset: 'MNIST', split: 'test', index: 7 } }),
    )
    const seen = await services.live.frame(
      LiveFrameRequest.parse({ view, frame: { height: 28, width: 28, channels: 1, pixels: images } }),
    )
    const file = await sharp(images, { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toBuffer()
    const decoded = await services.live.frame(LiveFrameRequest.parse({ view, frame: { file: new Uint8Array(file) } }))
    expect(decoded.projections).toEqual(named.projections)
    expect(seen.projections).toEqual(named.projections)
    expect(decodeNpy(seen.activations, 'the answer').shape).toEqual([24, 24, 32])
    expect(seen.result.prediction).toEqual(named.result.prediction)
    expect(await readdir(join(folder, 'project', 'artifacts'))).toEqual(before)
  })

  it("refuse a training under a built-in network's name before it computes", async () => {
    for (const name of ['mnist-convnet', 'MNIST-ConvNet']) {
      const params = { architecture: 'mnist-convnet', dataset: 'mnist', name, epochs: 1 }
      const starting = services.jobs.start({ document: { kind: 'train-classifier', version: 1, params } })
      await expect(starting).rejects.toMatchObject({ code: 'conflict', remedy: expect.any(String) as string })
    }
    expect((await services.runs.list({ offset: 0, limit: 10, kind: 'train-classifier' })).runs).toHaveLength(3)
  })

  it.each([
    [{ network: 'mnist-convnett' }, 'params.network', 'Did you mean "mnist-convnet"?'],
    [{ layer: 'conv9' }, 'params.layer', 'Did you mean "conv1" or "conv2"?'],
    [{ toLayer: 'inputs' }, 'params.toLayer', 'Did you mean "input"?'],
    [{ units: { kind: 'list', units: [{ channel: 32 }] } }, 'params.units.units.0', 'channels are 0 to 31'],
    [{ units: { kind: 'list', units: [{ channel: 1, position: [24, 0] }] } }, 'no place 24, 0', '24 × 24 places'],
    [{ picture: { dataset: 'minst', split: 'test', index: 0 } }, 'params.picture.dataset', 'Did you mean "mnist"?'],
    [{ picture: { dataset: 'mnist', split: 'tset', index: 0 } }, 'params.picture.split', 'Did you mean "test"?'],
    [{ picture: { dataset: 'mnist', split: 'test', index: 10_000 } }, 'params.picture.index', '0 to 9999'],
  ] as const)('refuse a document that names what is not there: %j', async (changes, field, remedy) => {
    const before = (await services.runs.list({ offset: 0, limit: 1 })).total
    await expect(services.jobs.start({ document: document(changes as Record<string, Json>) })).rejects.toMatchObject({
      message: expect.stringContaining(field) as string,
      remedy: expect.stringContaining(remedy) as string,
    })
    expect((await services.runs.list({ offset: 0, limit: 1 })).total).toBe(before)
  })

  it('refuse a training of an architecture that is not known', async () => {
    const params = { architecture: 'mnist-convnets', dataset: 'mnist' }
    const starting = services.jobs.start({ document: { kind: 'train-classifier', version: 1, params } })
    await expect(starting).rejects.toMatchObject({ remedy: expect.stringContaining('"mnist-convnet"') as string })
  })

  it('name what is missing', async () => {
    await expect(services.jobs.start({ document: document({ network: 'nothing' }) })).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(services.jobs.look({ document: document({ layer: 'conv9' }) })).rejects.toThrow(/no layer conv9/)
    await expect(services.networks.remove({ name: 'mnist-convnet' })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('tell the status as it changes', async () => {
    const abort = new AbortController()
    const states = new Set<string>()
    for await (const { session, mainResidentBytes } of services.system.status({ signal: abort.signal })) {
      states.add(session.state)
      expect(mainResidentBytes).toBeGreaterThan(0)
      if (states.size === 1) void services.system.restartSession()
      if (states.has('starting') && session.state === 'ready') abort.abort()
    }
    expect([...states]).toEqual(expect.arrayContaining(['ready', 'starting']))
  })

  it('still hold everything after a restart', async () => {
    await stop()
    expect(await readdir(join(folder, 'cache', 'compiled'))).not.toEqual([])
    await start()
    expect((await services.runs.history({ limit: 10 })).length).toBeGreaterThan(0)
    expect(await services.runs.list({ offset: 0, limit: 10 })).toMatchObject({ problems: [] })
    const look = await services.jobs.look({ document: document() })
    expect(look.cached).toBe(true)
  })

  it('report in the health of the project what was found when it was opened', async () => {
    expect((await services.system.doctor({ full: false })).project).toMatchObject({ ok: true, problems: [] })
    const own = { ...project.networks.get('mnist-convnet'), source: 'trained' as const }
    project.networks.save(own, { replace: true })
    await stop()
    await start()
    expect((await services.system.doctor({ full: false, speed: false })).project).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/^The network mnist-convnet that comes with the program is not available/)],
    })
  })
})
