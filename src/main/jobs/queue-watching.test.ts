import { cp, rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JobEvent } from '../../shared/jobs.ts'
import { configureLogging } from '../platform/logger.ts'
import { openProject, type Project } from '../project/project.ts'
import { sampleTraining, temporaryFolder } from '../project/testing/samples.ts'
import type { JobQueue, JobQueueOptions } from './queue.ts'
import type { FakeExecutor } from './testing/fake-executor.ts'
import { collect, startQueue } from './testing/start-queue.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let project: Project
let executor: FakeExecutor
let queue: JobQueue

async function begin(options: JobQueueOptions = {}): Promise<void> {
  ;({ project, executor, queue } = await startQueue(temporary.folder, options))
}

async function restart(options: JobQueueOptions): Promise<void> {
  await queue.close()
  await project.close()
  await begin(options)
}

beforeEach(async () => {
  configureLogging({ stderr: 'off' })
  temporary = await temporaryFolder()
  await begin()
})

afterEach(async () => {
  await queue.close()
  await project.close()
  await temporary.remove()
})

const events = (id: string, afterSeq = 0): Promise<JobEvent[]> => collect(queue.watch(id, afterSeq))
const types = (list: readonly JobEvent[]) => list.map(({ type }) => type)

/** Reads until `type` comes. */
async function until(id: string, type: JobEvent['type']): Promise<JobEvent> {
  for await (const event of queue.watch(id)) if (event.type === type) return event
  throw new Error(`${type} never came`)
}

describe('watching', () => {
  it('replays after a number and follows, for several watchers', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    for (let done = 1; done <= 5; done++) execution.step(done)
    const early = events(id)
    const late = events(id, 4)
    execution.step(6)
    execution.done()
    expect((await early).map((event) => ('seq' in event ? event.seq : 0))).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect((await late).map((event) => ('seq' in event ? event.seq : 0))).toEqual([5, 6, 7, 8])
  })

  it('shows steps before they are stored, and stores them in batches', async () => {
    await restart({ batchMs: 60_000 })
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    execution.step(1)
    expect(await until(id, 'step')).toMatchObject({ done: 1, seq: 2 })
    expect(project.jobEvents.after(id, 0).items).toHaveLength(1)
    execution.done()
    await events(id)
    expect(project.jobEvents.after(id, 0).items).toHaveLength(3)
  })

  it('never gives a number out twice that was shown and then lost by a kill', async () => {
    await restart({ batchMs: 60_000 })
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    execution.step(1)
    expect(await until(id, 'step')).toMatchObject({ seq: 2 })
    // What a kill at this moment leaves on the disk.
    const after = `${temporary.folder}-after`
    await cp(temporary.folder, after, { recursive: true, filter: (name) => !name.endsWith('project.lock') })
    const killed = await openProject(after)
    try {
      expect(killed.requeued).toEqual([id])
      const [queued, ...rest] = killed.jobEvents.after(id, 0).items
      expect(queued).toMatchObject({ seq: 1 })
      expect(rest.map(({ type }) => type)).toEqual(['log', 'queued'])
      expect(Math.min(...rest.map(({ seq }) => seq))).toBeGreaterThan(2)
    } finally {
      await killed.close()
      await rm(after, { recursive: true })
    }
    execution.done()
  })

  it('gives a slow watcher only the latest preview', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    const watch = queue.watch(id)
    expect((await watch.next()).value).toMatchObject({ type: 'queued' })
    const waiting = watch.next()
    for (let value = 1; value <= 100; value++) {
      execution.tell({ type: 'preview', name: 'p', width: 1, height: 1, channels: 1, pixels: new Uint8Array([value]) })
    }
    const first = (await waiting).value
    execution.done()
    const rest = await collect(watch)
    const previews = [first, ...rest].filter((event) => event?.type === 'preview')
    expect(previews.length).toBeLessThanOrEqual(2)
    expect(previews.at(-1)).toMatchObject({ pixels: new Uint8Array([100]) })
  })

  it('begins with the latest preview of a run that rests', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    execution.tell({ type: 'preview', name: 'p', width: 1, height: 1, channels: 1, pixels: new Uint8Array([7]) })
    queue.pause(id)
    const abort = new AbortController()
    for await (const event of queue.watch(id, 0, abort.signal)) {
      if (event.type !== 'preview') continue
      expect(event).toMatchObject({ pixels: new Uint8Array([7]) })
      abort.abort()
    }
    expect.assertions(1)
    execution.done()
  })

  it('ends with the signal and with return, without ending the run', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    const abort = new AbortController()
    const aborted = collect(queue.watch(id, 0, abort.signal))
    const returned = queue.watch(id, 1)
    const pending = returned.next()
    abort.abort()
    expect(types(await aborted)).toEqual(['queued'])
    await returned.return?.()
    expect((await pending).done).toBe(true)
    expect(execution.told).toEqual([])
    execution.done()
    expect((await events(id)).at(-1)?.type).toBe('done')
  })

  it('says that there is no such run', () => {
    expect(() => queue.watch('nothing')).toThrow(expect.objectContaining({ code: 'not-found' }))
  })

  it('leaves out numbers that are none', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    execution.step(1, { loss: Number.NaN, error: 3 })
    execution.done()
    expect((await events(id))[1]).toMatchObject({ values: { error: 3 } })
  })

  it('sends the overview whenever it changes', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    const overview = queue.overview()
    const first = (await overview.next()).value
    expect(first).toMatchObject([{ run: { id, state: 'running' } }])
    execution.step(4)
    expect((await overview.next()).value).toMatchObject([
      { run: { id }, progress: { done: 4, total: 10, unit: 'steps' } },
    ])
    execution.done()
    await events(id)
    expect((await overview.next()).value).toMatchObject([{ run: { id, state: 'done' } }])
    await overview.return?.()
  })
})
