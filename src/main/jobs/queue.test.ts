import { cp, rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConvScopeError } from '../../shared/errors.ts'
import type { JobEvent } from '../../shared/jobs.ts'
import { sha256 } from '../platform/hash.ts'
import { configureLogging } from '../platform/logger.ts'
import { openProject, type OpenOptions, type Project } from '../project/project.ts'
import {
  sampleNetwork,
  sampleOutput,
  sampleProject,
  sampleProjection,
  sampleTraining,
  temporaryFolder,
} from '../project/testing/samples.ts'
import { JobQueue, type JobQueueOptions } from './queue.ts'
import { FakeExecutor, finishNext } from './testing/fake-executor.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let project: Project
let executor: FakeExecutor
let queue: JobQueue

async function begin(options: JobQueueOptions = {}, open: OpenOptions = {}): Promise<void> {
  project = await sampleProject(temporary.folder, open)
  executor = new FakeExecutor()
  queue = new JobQueue(project, executor, { batchMs: 20, retryMs: 10, closingMs: 50, ...options })
}

async function restart(options: JobQueueOptions = {}): Promise<void> {
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

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const value of values) collected.push(value)
  return collected
}

async function events(id: string, afterSeq = 0): Promise<JobEvent[]> {
  return collect(queue.watch(id, afterSeq))
}

const types = (list: readonly JobEvent[]) => list.map(({ type }) => type)

/** Reads until `type` comes. */
async function until(id: string, type: JobEvent['type']): Promise<JobEvent> {
  for await (const event of queue.watch(id)) if (event.type === type) return event
  throw new Error(`${type} never came`)
}

describe('a run', () => {
  it('gives its id at once, and ends with result, outputs and provenance', async () => {
    const id = await queue.start(sampleProjection())
    const execution = await executor.next()
    expect(execution.request).toMatchObject({ id, pictures: true, look: false, checkpoint: undefined })
    execution.tell({ type: 'started', engine: 'test' })
    execution.step(3, { loss: 0.5 })
    execution.done([await sampleOutput(project, Buffer.from('array'))])
    expect(types(await events(id))).toEqual(['queued', 'started', 'step', 'done'])
    const run = project.runs.get(id)
    expect(run).toMatchObject({ state: 'done', result: { of: id }, title: expect.stringMatching(/^tiny .* on digits/) })
    expect(run.outputs).toEqual([
      { name: 'projections', kind: 'array', sha256: sha256('array'), bytes: 5, shape: [5], dtype: 'uint8' },
    ])
    expect(run.provenance?.engine.name).toBe('cpu')
  })

  it('refuses a document that names what is not there, before it enters the queue', async () => {
    const strange = {
      kind: 'deconvnet',
      version: 1,
      params: { network: 'none', picture: { artifact: sha256('x') }, layer: 'a' },
    }
    await expect(queue.start(strange)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('none'),
    })
    const lost = { ...strange, params: { ...strange.params, network: 'tiny' } }
    await expect(queue.start(lost)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(sha256('x')),
    })
    await expect(queue.start({ kind: 'deconvnet', version: 1 })).rejects.toMatchObject({ code: 'invalid-input' })
    expect(project.runs.list().total).toBe(0)
  })

  it('runs one after the other, in the order of starting', async () => {
    const ids = [
      await queue.start(sampleTraining(1)),
      await queue.start(sampleTraining(2)),
      await queue.start(sampleTraining(3)),
    ]
    const order: string[] = []
    for (const _ of ids) {
      const execution = await executor.next()
      expect(executor.executions).toHaveLength(order.length + 1)
      order.push(execution.request.id)
      execution.done()
      await events(execution.request.id)
    }
    expect(order).toEqual(ids)
  })

  it('fails with the reason of a crash, and the next one runs', async () => {
    const first = await queue.start(sampleTraining(1))
    const second = await queue.start(sampleTraining(2))
    const execution = await executor.next()
    execution.fail(new ConvScopeError('crash', 'the compute worker ended'))
    const last = (await events(first)).at(-1)
    expect(last).toMatchObject({ type: 'failed', error: { code: 'crash' } })
    expect(project.runs.get(first).error).toMatchObject({ code: 'crash', message: 'the compute worker ended' })
    await finishNext(executor, project, 'second')
    expect((await events(second)).at(-1)?.type).toBe('done')
  })

  it('fails where an output was not stored', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    execution.done([{ name: 'weights', kind: 'weights', sha256: sha256('never stored'), bytes: 3 }])
    expect((await events(id)).at(-1)).toMatchObject({ type: 'failed', error: { code: 'damaged' } })
  })

  it('keeps partial outputs when it is cancelled', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    queue.cancel(id)
    expect(execution.told).toEqual(['cancel'])
    execution.cancelled([await sampleOutput(project, Buffer.from('partial'))])
    expect(types(await events(id))).toEqual(['queued', 'cancelled'])
    expect(project.runs.get(id)).toMatchObject({ state: 'cancelled', outputs: [{ bytes: 7 }] })
    expect(() => queue.cancel(id)).toThrow(expect.objectContaining({ code: 'conflict' }))
  })

  it('never begins when it is cancelled while it waits', async () => {
    const first = await queue.start(sampleTraining(1))
    const second = await queue.start(sampleTraining(2))
    queue.cancel(second)
    const execution = await executor.next()
    execution.done()
    await events(first)
    expect(types(await events(second))).toEqual(['queued', 'cancelled'])
    expect(executor.executions).toHaveLength(1)
  })

  it('makes room while it is paused, and goes on', async () => {
    const first = await queue.start(sampleTraining(1))
    const held = await executor.next()
    queue.pause(first)
    expect(project.runs.get(first).state).toBe('paused')
    const second = await queue.start(sampleTraining(2))
    await finishNext(executor, project, 'second')
    expect((await events(second)).at(-1)?.type).toBe('done')
    queue.resume(first)
    expect(held.told).toEqual(['pause', 'resume'])
    held.done()
    expect(types(await events(first))).toEqual(['queued', 'paused', 'resumed', 'done'])
  })

  it('stores what the user changed while it ran in its document, before the next start too', async () => {
    const id = await queue.start({
      kind: 'activation-maximisation',
      version: 1,
      params: { network: 'tiny', targets: [{ layer: 'conv1', units: { kind: 'all' } }] },
    })
    const execution = await executor.next()
    queue.adjust(id, 'decay', 0.2)
    expect(() => queue.adjust(id, 'advance', 1)).toThrow('The run goes on')
    queue.pause(id)
    expect(() => queue.adjust(id, 'advance', 0.5)).toThrow('no number of iterations')
    queue.adjust(id, 'advance', 5)
    queue.resume(id)
    expect(execution.told).toEqual(['decay = 0.2', 'pause', 'advance = 5', 'resume'])
    const change = { step: 12, path: 'decay', value: 0.2 }
    execution.tell({ type: 'adjusted', ...change })
    expect(project.runs.get(id).document).toMatchObject({ params: { changes: [change] } })
    const hash = project.runs.summary(id).documentHash
    execution.done()
    expect(types(await events(id))).toEqual(['queued', 'paused', 'resumed', 'adjusted', 'done'])
    expect(project.runs.summary(id).documentHash).toBe(hash)
    expect(() => queue.adjust(id, 'decay', 0.3)).toThrow('does not run')
  })

  it('changes nothing of kinds that take no changes', async () => {
    const id = await queue.start(sampleTraining(1))
    const execution = await executor.next()
    expect(() => queue.adjust(id, 'epochs', 3)).toThrow('cannot be changed while it runs')
    execution.done()
    await events(id)
  })

  it('puts what belongs to it into the library in the same transaction, or fails with its outputs kept', async () => {
    await restart({
      whenDone: (run, document) =>
        Promise.resolve(() => {
          project.networks.save(
            sampleNetwork({ name: document.seed === 1 ? 'tiny' : 'trained', source: 'trained', runId: run.id }),
          )
        }),
    })
    const good = await queue.start(sampleTraining(2))
    await finishNext(executor, project, 'good')
    expect((await events(good)).at(-1)?.type).toBe('done')
    expect(project.networks.get('trained').runId).toBe(good)
    const bad = await queue.start(sampleTraining(1))
    await finishNext(executor, project, 'bad')
    expect((await events(bad)).at(-1)).toMatchObject({ type: 'failed', error: { code: 'conflict' } })
    expect(project.runs.get(bad)).toMatchObject({ result: undefined, outputs: [{ sha256: sha256('bad') }] })
  })
})

describe('the end of the program', () => {
  it('puts a running one back, from where its checkpoint is', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    const checkpoint = await project.artifacts.put(Buffer.from('step 5'))
    execution.tell({ type: 'checkpoint', step: 5, artifact: checkpoint })
    const later = await project.artifacts.put(Buffer.from('step 6'))
    execution.tell({ type: 'checkpoint', step: 6, artifact: later })
    await restart()
    const again = await executor.next()
    expect(again.request).toMatchObject({ id, checkpoint: later.sha256 })
    expect(await project.artifacts.has(checkpoint.sha256)).toBe(false)
    again.done()
    expect(types(await events(id))).toEqual(['queued', 'checkpoint', 'checkpoint', 'queued', 'done'])
    await expect.poll(() => project.artifacts.has(later.sha256)).toBe(false)
  })

  it('does not wait for an executor that does not stop', async () => {
    const id = await queue.start(sampleTraining())
    const execution = await executor.next()
    execution.fail = () => undefined
    await restart({ beginWaiting: false })
    expect(project.runs.get(id).state).toBe('queued')
  })

  it('leaves what waits alone where only new runs are to be begun', async () => {
    const old = await queue.start(sampleTraining(1))
    await executor.next()
    await restart({ beginWaiting: false })
    const fresh = await queue.start(sampleTraining(2))
    const execution = await finishNext(executor, project, 'fresh')
    expect(execution.request.id).toBe(fresh)
    await events(fresh)
    expect(project.runs.get(old).state).toBe('queued')
    expect(executor.executions).toHaveLength(1)
  })

  it('keeps a paused one paused; it goes on from the queue when it is resumed', async () => {
    const id = await queue.start(sampleTraining())
    await executor.next()
    queue.pause(id)
    await restart()
    expect(project.runs.get(id).state).toBe('paused')
    queue.resume(id)
    await finishNext(executor, project, 'done')
    expect((await events(id)).at(-1)?.type).toBe('done')
  })

  it('refuses to go on with another network than the one asked for', async () => {
    const id = await queue.start(sampleProjection())
    await executor.next()
    queue.pause(id)
    await restart()
    project.networks.save(sampleNetwork({ weights: sha256('others') }), { replace: true })
    queue.resume(id)
    expect((await events(id)).at(-1)).toMatchObject({ type: 'failed', error: { code: 'conflict' } })
    expect(executor.executions).toHaveLength(0)
  })
})

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
