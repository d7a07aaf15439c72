import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sha256 } from '../platform/hash.ts'
import { configureLogging } from '../platform/logger.ts'
import type { OpenOptions, Project } from '../project/project.ts'
import {
  SAMPLE_ENGINE,
  sampleNetwork,
  sampleOutput,
  sampleProjection,
  sampleTraining,
  temporaryFolder,
} from '../project/testing/samples.ts'
import type { JobQueue } from './queue.ts'
import { finishNext, type FakeExecutor } from './testing/fake-executor.ts'
import { startQueue } from './testing/start-queue.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let project: Project
let executor: FakeExecutor
let queue: JobQueue

async function begin(options: OpenOptions = {}): Promise<void> {
  ;({ project, executor, queue } = await startQueue(temporary.folder, {}, options))
}

async function end(): Promise<void> {
  await queue.close()
  await project.close()
}

beforeEach(async () => {
  configureLogging({ stderr: 'off' })
  temporary = await temporaryFolder()
  await begin()
})

afterEach(async () => {
  await end()
  await temporary.remove()
})

/** Looks at digit `index` and lets the executor finish it with `text`. */
async function see(index: number, text = `look ${index}`) {
  const look = queue.look(sampleProjection(index))
  await finishNext(executor, project, text)
  return look
}

it('computes once and answers from the history afterwards, after a restart too', async () => {
  const first = await see(1)
  expect(first).toMatchObject({ cached: false, outputs: [{ sha256: sha256('look 1') }] })
  expect(executor.executions[0]?.request).toMatchObject({ look: true, pictures: false })
  expect(await queue.look(sampleProjection(1))).toEqual({ ...first, cached: true })
  await end()
  await begin()
  expect(await queue.look(sampleProjection(1))).toEqual({ ...first, cached: true })
  expect(executor.executions).toHaveLength(0)
  expect(project.looks.get(first.documentHash).outputs).toEqual(first.outputs)
})

it('shares one execution among those who ask for the same', async () => {
  const looks = Promise.all([1, 2, 3].map(() => queue.look(sampleProjection(7))))
  await finishNext(executor, project, 'shared')
  expect(new Set((await looks).map((look) => look.outputs[0]?.sha256))).toEqual(new Set([sha256('shared')]))
  expect(executor.executions).toHaveLength(1)
})

it('goes to the executor while a job runs and others wait', async () => {
  await queue.start(sampleTraining(1))
  await queue.start(sampleTraining(2))
  const job = await executor.next()
  await see(1)
  expect(executor.executions).toHaveLength(2)
  job.done()
})

it('is another look on another engine, network or data set', async () => {
  await see(1)
  executor.identity = { ...SAMPLE_ENGINE, threads: 2 }
  const other = queue.look(sampleProjection(1))
  await finishNext(executor, project, 'other engine')
  expect((await other).cached).toBe(false)
  executor.identity = SAMPLE_ENGINE
  project.networks.save(sampleNetwork({ weights: sha256('others') }), { replace: true })
  const changed = queue.look(sampleProjection(1))
  await finishNext(executor, project, 'other network')
  expect((await changed).outputs[0]?.sha256).toBe(sha256('other network'))
})

it('answers from the history of any engine while no session is ready', async () => {
  await see(1)
  executor.identity = undefined
  expect((await queue.look(sampleProjection(1))).cached).toBe(true)
})

it('stops an execution when the last viewer has left, and begins anew for the next one', async () => {
  const [first, second] = [new AbortController(), new AbortController()]
  const looks = [first, second].map(({ signal }) => queue.look(sampleProjection(3), { signal }))
  const execution = await executor.next()
  first.abort()
  await expect(looks[0]).rejects.toMatchObject({ code: 'cancelled' })
  expect(execution.told).toEqual([])
  second.abort()
  await expect(looks[1]).rejects.toMatchObject({ code: 'cancelled' })
  expect(execution.told).toEqual(['cancel'])
  execution.cancelled([await sampleOutput(project, Buffer.from('unwanted'))])
  await expect.poll(() => project.artifacts.has(sha256('unwanted'))).toBe(false)
  expect(await see(3)).toMatchObject({ cached: false })
  await expect(queue.look(sampleProjection(4), { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'cancelled',
  })
})

it('passes a failure on, and tries again the next time', async () => {
  const look = queue.look(sampleProjection(1))
  const execution = await executor.next()
  execution.fail(new Error('a defect'))
  await expect(look).rejects.toThrow('a defect')
  expect(await see(1)).toMatchObject({ cached: false })
})

it('computes again where an artifact of the history is gone', async () => {
  await see(1)
  await rm(project.artifacts.path(sha256('look 1')))
  expect(await see(1)).toMatchObject({ cached: false })
})

it('forgets the least recently used, with their files', async () => {
  await end()
  await begin({ lookBounds: { looks: 10, bytes: 1e9 } })
  for (let index = 0; index < 10; index++) await see(index)
  await queue.look(sampleProjection(0))
  await see(10)
  const kept = project.looks
    .history()
    .items.map(({ document }) => (document as { params: { picture: { index: number } } }).params.picture.index)
  expect(kept).toEqual([10, 0, 9, 8, 7, 6, 5, 4, 3])
  expect(await project.artifacts.has(sha256('look 1'))).toBe(false)
  expect(await project.artifacts.has(sha256('look 0'))).toBe(true)
  expect(project.looks.size().looks).toBe(9)
})

it('keeps within bytes, and keeps the artifact that a run also names', async () => {
  await end()
  await begin({ lookBounds: { looks: 500, bytes: 50_000 } })
  const large = 'x'.repeat(30_000)
  const id = await queue.start(sampleTraining())
  await finishNext(executor, project, large)
  await expect.poll(() => project.runs.get(id).state).toBe('done')
  await see(1, large)
  await see(2, 'y'.repeat(30_000))
  expect(project.looks.history().items).toHaveLength(1)
  expect(await project.artifacts.has(sha256(large))).toBe(true)
})
