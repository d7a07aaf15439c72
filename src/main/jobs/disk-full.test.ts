import { afterEach, beforeEach, expect, it } from 'vitest'
import { writeBytes, type WriteBytes } from '../platform/atomic-file.ts'
import { sha256 } from '../platform/hash.ts'
import { configureLogging } from '../platform/logger.ts'
import { checkProject } from '../project/doctor.ts'
import { openProject, type Project } from '../project/project.ts'
import { sampleOutput, sampleProjection, sampleTraining, temporaryFolder } from '../project/testing/samples.ts'
import { JobQueue } from './queue.ts'
import { finishNext, type FakeExecutor } from './testing/fake-executor.ts'
import { startQueue } from './testing/start-queue.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let project: Project
let executor: FakeExecutor
let queue: JobQueue
let isDiskFull = false

/** Half of the bytes still fit. */
const write: WriteBytes = async (handle, bytes, file) => {
  if (!isDiskFull) return writeBytes(handle, bytes, file)
  await writeBytes(handle, bytes.subarray(0, bytes.byteLength / 2), file)
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
}

/** SQLite's own limit: the database file may not grow by a page more. */
function fillDatabase(full: boolean): void {
  const pages = full ? project.database.pragma('page_count') : 1_000_000
  project.database.exec(`PRAGMA max_page_count = ${pages}`)
}

beforeEach(async () => {
  configureLogging({ stderr: 'off' })
  isDiskFull = false
  temporary = await temporaryFolder()
  ;({ project, executor, queue } = await startQueue(temporary.folder, { batchMs: 5 }, { write }))
})

afterEach(async () => {
  await queue.close()
  await project.close()
  await temporary.remove()
})

it('leaves nothing half-written where an artifact does not fit, and names file, reason and remedy', async () => {
  const before = (await project.artifacts.list()).artifacts
  isDiskFull = true
  await expect(project.artifacts.put(Buffer.from('does not fit'))).rejects.toMatchObject({
    code: 'disk',
    message: expect.stringMatching(/scratch.* cannot be written: the disk is full/),
    remedy: expect.stringContaining('Free some space'),
  })
  expect((await project.artifacts.list()).artifacts).toEqual(before)
  isDiskFull = false
  expect((await project.artifacts.put(Buffer.from('does not fit'))).sha256).toBe(sha256('does not fit'))
})

it('fails a run whose outputs do not fit, and loses no other', async () => {
  const kept = await queue.start(sampleTraining(1))
  await finishNext(executor, project, 'kept')
  await expect.poll(() => project.runs.get(kept).state).toBe('done')
  const failing = await queue.start(sampleTraining(2))
  const execution = await executor.next()
  isDiskFull = true
  await sampleOutput(project, Buffer.from('too much')).then(
    (output) => execution.done([output]),
    (error: unknown) => execution.fail(error),
  )
  await expect.poll(() => project.runs.get(failing)).toMatchObject({ state: 'failed', error: { code: 'disk' } })
  isDiskFull = false
  const [output] = project.runs.get(kept).outputs
  expect(Buffer.from(await project.artifacts.read(output?.sha256 ?? '')).toString()).toBe('kept')
  expect((await checkProject(project, { full: true })).problems).toEqual([])
})

it('keeps what was computed until the database can take it', async () => {
  const id = await queue.start(sampleTraining())
  const execution = await executor.next()
  const output = await sampleOutput(project, Buffer.from('computed for hours'))
  fillDatabase(true)
  // More than the free space of the pages that are there.
  for (let done = 1; done <= 5; done++) execution.tell({ type: 'log', message: 'x'.repeat(5000) })
  execution.done([output])
  const told: string[] = []
  for await (const event of queue.watch(id)) {
    if (event.type === 'log' && event.message.includes('will be tried again')) {
      expect(event.message).toContain('the disk is full')
      expect(project.runs.get(id).state).toBe('running')
      fillDatabase(false)
    }
    told.push(event.type)
  }
  expect(told.at(-1)).toBe('done')
  expect(project.runs.get(id)).toMatchObject({ state: 'done', outputs: [{ sha256: output.sha256 }] })
  expect(project.jobEvents.after(id, 0).items.map(({ type }) => type)).toEqual(told)
  expect(project.database.check({ full: true })).toEqual([])
})

it('puts the run back where the program closes while the database is full', async () => {
  const id = await queue.start(sampleTraining())
  const execution = await executor.next()
  fillDatabase(true)
  for (let done = 1; done <= 5; done++) execution.tell({ type: 'log', message: 'x'.repeat(5000) })
  execution.done()
  await queue.close()
  await project.close()
  project = await openProject(temporary.folder)
  expect(project.runs.get(id).state).toBe('queued')
  queue = new JobQueue(project, executor)
})

it('shows a look that cannot be remembered', async () => {
  fillDatabase(true)
  const look = queue.look(sampleProjection(1))
  const execution = await executor.next()
  const output = await sampleOutput(project, Buffer.from('seen'))
  execution.done(Array.from({ length: 200 }, (_, index) => ({ ...output, name: `projection-${index}` })))
  expect(await look).toMatchObject({ cached: false })
  expect(project.looks.size().looks).toBe(0)
})
