import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunState } from '../../shared/runs.ts'
import { sha256 } from '../platform/hash.ts'
import { configureLogging } from '../platform/logger.ts'
import { checkProject } from './doctor.ts'
import { openProject, type Project } from './project.ts'
import { MOST_ATTEMPTS } from './runs.ts'
import {
  sampleDataset,
  sampleFinishedRun,
  sampleNetwork,
  sampleProject,
  sampleProjection,
  sampleProvenance,
  sampleTraining,
  temporaryFolder,
} from './testing/samples.ts'

const LIBRARY = { networks: {}, datasets: {} }
let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let project: Project | undefined

beforeEach(async () => {
  configureLogging({ stderr: 'off' })
  temporary = await temporaryFolder()
})

afterEach(async () => {
  await project?.close()
  project = undefined
  await temporary.remove()
})

async function sample(): Promise<Project> {
  return (project = await sampleProject(temporary.folder))
}

async function reopen(): Promise<Project> {
  await project?.close()
  return (project = await openProject(temporary.folder))
}

describe('opening', () => {
  it('makes a project where it may, and finds it again', async () => {
    const folder = join(temporary.folder, 'some', 'where')
    await expect(openProject(folder)).rejects.toMatchObject({ code: 'not-found' })
    project = await openProject(folder, { create: true })
    expect(project).toMatchObject({ name: 'where', folder })
    await expect(openProject(folder)).rejects.toMatchObject({ code: 'conflict', reachable: true })
    await project.close()
    project = await openProject(folder)
    expect(project.name).toBe('where')
    expect(project.lock.takenOver).toBe(false)
    await project.close()
    expect((await readdir(folder)).toSorted()).toEqual(['artifacts', 'project.sqlite', 'scratch'])
  })

  it('refuses a file and a folder with other things, and leaves them alone', async () => {
    const file = join(temporary.folder, 'notes.txt')
    await writeFile(file, 'notes')
    await expect(openProject(file, { create: true })).rejects.toMatchObject({ code: 'conflict' })
    const error = await openProject(temporary.folder, { create: true }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining('notes.txt') })
    expect(await readdir(temporary.folder)).toEqual(['notes.txt'])
  })

  it('goes on with a creation that was interrupted', async () => {
    await mkdir(join(temporary.folder, 'artifacts'))
    await writeFile(join(temporary.folder, 'project.sqlite'), '')
    project = await openProject(temporary.folder, { create: true })
    expect(project.runs.list().total).toBe(0)
  })

  it('gives the lock back where the database is damaged', async () => {
    await writeFile(join(temporary.folder, 'project.sqlite'), 'not a database'.repeat(100))
    await expect(openProject(temporary.folder)).rejects.toMatchObject({ code: 'damaged' })
    expect(await readdir(temporary.folder)).not.toContain('project.lock')
  })

  it('takes less than 100 ms with a thousand runs', async () => {
    const { runs, database } = await sample()
    database.transaction(() => {
      for (let seed = 0; seed < 1000; seed++)
        runs.create(sampleTraining(seed), { title: `run ${seed}`, library: LIBRARY })
    })
    await project?.close()
    // The machine may be busy with other tests; what counts is how fast it can be, in a quiet moment.
    const opening = async (): Promise<number> => {
      const startedAt = performance.now()
      project = await openProject(temporary.folder)
      const elapsedMs = performance.now() - startedAt
      await project.close()
      return elapsedMs
    }
    await expect.poll(opening).toBeLessThan(100)
  })
})

describe('the library', () => {
  it('keeps networks and data sets whole, found whatever the case of their names', async () => {
    const before = await sample()
    expect(before.networks.get('TINY')).toEqual(sampleNetwork())
    const { networks, datasets } = await reopen()
    expect(networks.list()).toEqual({ items: [sampleNetwork()], problems: [] })
    expect(datasets.list()).toEqual({ items: [sampleDataset()], problems: [] })
    expect(() => networks.get('other')).toThrow(expect.objectContaining({ code: 'not-found' }))
    expect(() => networks.save(sampleNetwork())).toThrow(expect.objectContaining({ code: 'conflict' }))
    expect(() => networks.save({ ...sampleNetwork({ name: 'new' }), hash: sha256('wrong') })).toThrow(
      expect.objectContaining({ code: 'damaged' }),
    )
    networks.remove('tiny')
    expect(networks.has('tiny')).toBe(false)
  })

  it('renews what is built in, and does not let it be removed', async () => {
    const { networks } = await sample()
    networks.save(sampleNetwork({ name: 'shipped', source: 'built-in' }))
    const renewed = sampleNetwork({ name: 'shipped', source: 'built-in', weights: sha256('better') })
    networks.save(renewed)
    // The layers of the sample are those of "tiny"; what is read goes by the name of the entry.
    expect(networks.get('shipped')).toEqual({ ...renewed, spec: { ...renewed.spec, name: 'shipped' } })
    expect(() => networks.remove('shipped')).toThrow(expect.objectContaining({ code: 'conflict' }))
  })

  it('tells of rows that cannot be read beside the good ones', async () => {
    const { networks, datasets, database } = await sample()
    networks.save(sampleNetwork({ name: 'changed' }))
    networks.save(sampleNetwork({ name: 'cut' }))
    database.run("UPDATE network SET weights = ? WHERE name = 'changed'", sha256('changed later'))
    database.run("UPDATE network SET spec = '{' WHERE name = 'cut'")
    database.run("UPDATE dataset SET splits = '[1]'")
    const { items, problems } = networks.list()
    expect(items.map(({ name }) => name)).toEqual(['tiny'])
    expect(problems).toEqual([expect.stringContaining('Network changed'), expect.stringContaining('Network cut')])
    expect(datasets.list()).toMatchObject({ items: [], problems: [expect.stringContaining('splits.0')] })
    expect(() => networks.get('changed')).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  it('keeps settings, and goes back to the default where one does not fit', async () => {
    const { settings } = await sample()
    settings.set('columns', 3)
    expect((await reopen()).settings.get('columns', z.number(), 1)).toBe(3)
    const again = await reopen()
    expect(again.settings.get('columns', z.string(), 'default')).toBe('default')
    again.settings.remove('columns')
    expect(again.settings.get('columns', z.number(), 1)).toBe(1)
  })
})

describe('runs', () => {
  it('allow the changes of state that make sense, and no others', async () => {
    const { runs } = await sample()
    const reach: Record<RunState, () => string> = {
      queued: () => runs.create(sampleTraining(), { title: '', library: LIBRARY }).id,
      running: () => along(reach.queued(), (id) => runs.move(id, 'running')),
      paused: () => along(reach.running(), (id) => runs.move(id, 'paused')),
      done: () => along(reach.running(), (id) => to.done(id)),
      failed: () => along(reach.running(), (id) => to.failed(id)),
      cancelled: () => along(reach.running(), (id) => to.cancelled(id)),
    }
    const to: Record<RunState, (id: string) => void> = {
      queued: (id) => runs.move(id, 'queued'),
      running: (id) => runs.move(id, 'running'),
      paused: (id) => runs.move(id, 'paused'),
      done: (id) => runs.finish(id, { result: null, outputs: [], provenance: sampleProvenance(sampleTraining()) }, []),
      failed: (id) => runs.fail(id, { code: 'internal', message: 'x' }, [], []),
      cancelled: (id) => runs.cancel(id, [], []),
    }
    const along = (id: string, change: (id: string) => void) => (change(id), id)
    const states = Object.keys(reach) as RunState[]
    const allowed = states.flatMap((from) =>
      states
        .filter((next) => {
          const id = reach[from]()
          try {
            to[next](id)
          } catch (error) {
            expect(error).toMatchObject({ code: 'conflict' })
            return false
          }
          expect(runs.get(id).state).toBe(next)
          return true
        })
        .map((next) => `${from} > ${next}`),
    )
    expect(allowed).toEqual([
      ...['queued > running', 'queued > paused', 'queued > failed', 'queued > cancelled'],
      ...['running > queued', 'running > paused', 'running > done', 'running > failed', 'running > cancelled'],
      ...['paused > queued', 'paused > running', 'paused > done', 'paused > failed', 'paused > cancelled'],
      'failed > queued',
    ])
  })

  it('finish whole or not at all', async () => {
    const { runs, artifacts, jobEvents } = await sample()
    const document = sampleTraining()
    const { id } = runs.create(document, { title: '', library: LIBRARY })
    runs.move(id, 'running')
    const output = { name: 'a', kind: 'array' as const, ...(await artifacts.put(Buffer.from('a'))) }
    const result = { result: null, outputs: [output], provenance: sampleProvenance(document) }
    const event = { type: 'done' as const, seq: 2, at: 1 }
    const refuse = () => {
      throw new Error('refused')
    }
    expect(() => runs.finish(id, result, [event], refuse)).toThrow('refused')
    expect(runs.get(id)).toMatchObject({ state: 'running', outputs: [] })
    expect(jobEvents.after(id, 0).items).toHaveLength(1)
    runs.finish(id, result, [event])
    expect(runs.get(id)).toMatchObject({ state: 'done', outputs: [output] })
  })

  it('are found by kind, state and words', async () => {
    const opened = await sample()
    const { runs } = opened
    const a = await sampleFinishedRun(opened, '100% sure')
    const b = runs.create(sampleProjection(), { title: 'A Projection', library: LIBRARY }).id
    const found = (query: Parameters<typeof runs.list>[0]) => runs.list(query).runs.map(({ id }) => id)
    expect(found({})).toEqual([b, a])
    expect(found({ kind: 'deconvnet' })).toEqual([b])
    expect(found({ state: 'done' })).toEqual([a])
    expect(found({ search: 'a proj' })).toEqual([b])
    expect(found({ search: '100%' })).toEqual([a])
    expect(found({ search: '1_0' })).toEqual([])
    expect(found({ search: 'mnist-convnet' })).toEqual([a])
    expect(runs.list({ limit: 1, offset: 1 })).toMatchObject({ total: 2, runs: [{ id: a }] })
    runs.rename(a, 'renamed')
    expect(runs.summary(a).title).toBe('renamed')
    opened.database.run("UPDATE run SET kind = 'of the future' WHERE id = ?", b)
    expect(runs.list()).toMatchObject({ total: 2, runs: [{ id: a }], problems: [expect.stringContaining(b)] })
  })

  it('can be brought back until they are purged, and then take their files along', async () => {
    const opened = await sample()
    const [gone, kept] = [await sampleFinishedRun(opened, 'gone', 1), await sampleFinishedRun(opened, 'kept', 2)]
    const shared = await sampleFinishedRun(opened, 'kept', 3)
    const waiting = opened.runs.create(sampleTraining(), { title: '', library: LIBRARY }).id
    expect(() => opened.runs.remove(waiting)).toThrow(expect.objectContaining({ code: 'conflict' }))
    opened.runs.remove(gone)
    expect(() => opened.runs.remove(gone)).toThrow(expect.objectContaining({ code: 'conflict' }))
    expect(opened.runs.list().runs.map(({ id }) => id)).not.toContain(gone)
    expect(await opened.collectGarbage()).toMatchObject({ runs: 0 })
    opened.runs.restore(gone)
    expect(() => opened.runs.restore(gone)).toThrow(expect.objectContaining({ code: 'conflict' }))
    expect(opened.runs.get(gone).outputs).toHaveLength(1)
    for (const id of [gone, shared]) opened.runs.remove(id)
    expect(await opened.collectGarbage({ undoMs: 0 })).toMatchObject({ runs: 2 })
    expect(() => opened.runs.get(gone)).toThrow(expect.objectContaining({ code: 'not-found' }))
    expect(() => opened.runs.restore(gone)).toThrow(expect.objectContaining({ code: 'not-found' }))
    expect(await opened.artifacts.has(sha256('gone'))).toBe(false)
    expect(opened.runs.get(kept).outputs).toHaveLength(1)
    expect((await checkProject(opened, { full: true })).problems).toEqual([])
  })

  it('are not begun again for ever where they take the program down', async () => {
    const { runs } = await sample()
    const { id } = runs.create(sampleTraining(), { title: '', library: LIBRARY })
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      project?.runs.move(id, 'running')
      const { requeued, runs: after } = await reopen()
      expect(requeued).toEqual(attempt < MOST_ATTEMPTS ? [id] : [])
      expect(after.get(id).state).toBe(attempt < MOST_ATTEMPTS ? 'queued' : 'failed')
    }
    expect(project?.runs.get(id).error?.code).toBe('crash')
  })
})
