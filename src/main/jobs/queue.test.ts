import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConvScopeError } from '../../shared/errors.ts'
import { parseDocument } from '../../shared/experiments/index.ts'
import type { JobEvent } from '../../shared/jobs.ts'
import { sha256 } from '../platform/hash.ts'
import { configureLogging } from '../platform/logger.ts'
import { finishedRun } from '../project/finished-run.ts'
import type { OpenOptions, Project } from '../project/project.ts'
import {
  sampleNetwork,
  sampleOutput,
  sampleProjection,
  sampleTraining,
  temporaryFolder,
} from '../project/testing/samples.ts'
import type { JobQueue, JobQueueOptions } from './queue.ts'
import { finishNext, type FakeExecutor } from './testing/fake-executor.ts'
import { collect, startQueue } from './testing/start-queue.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let project: Project
let executor: FakeExecutor
let queue: JobQueue

async function begin(options: JobQueueOptions = {}, open: OpenOptions = {}): Promise<void> {
  ;({ project, executor, queue } = await startQueue(temporary.folder, options, open))
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

const types = (list: readonly JobEvent[]) => list.map(({ type }) => type)
const events = (id: string): Promise<JobEvent[]> => collect(queue.watch(id))

describe('a run', () => {
  it('is not made again where a finished one may be used, unless networks have changed', async () => {
    const id = await queue.start(sampleProjection(), { reuse: true })
    const execution = await executor.next()
    execution.done([await sampleOutput(project, Buffer.from('array'))])
    expect(types(await events(id)).at(-1)).toBe('done')
    expect(await queue.start(sampleProjection(), { reuse: true })).toBe(id)
    expect(project.runs.list().total).toBe(1)
    expect(await queue.start(sampleProjection())).not.toBe(id)
    const { networks, datasets } = project.runs.library(id)
    const changed = Object.fromEntries(Object.keys(networks).map((name) => [name, 'f'.repeat(64)]))
    const document = parseDocument(sampleProjection())
    expect(finishedRun(project, document, { networks, datasets })).toBe(id)
    expect(finishedRun(project, document, { networks: changed, datasets })).toBeUndefined()
  })

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
      message: `The deconvnet document has a mistake at params.picture.artifact: the picture ${sha256('x')} is not in the project`,
    })
    const training = { start: { from: 'network', name: 'tiny' }, dataset: 'digits', continues: sha256('state') }
    await expect(queue.start({ kind: 'train-classifier', version: 2, params: training })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`params.continues: the state of a training ${sha256('state')}`),
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
