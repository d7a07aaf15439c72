/** Imports on a real project, with a worker whose reader counts. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NetworkImportRequest } from '../../shared/contract/networks.ts'
import { openProject, type Project } from '../project/project.ts'
import { scratchFiles } from '../sessions/testing/scratch-files.ts'
import { testSupervisor, workerPid, type TestSupervisor } from '../sessions/testing/test-supervisor.ts'
import { FileSession } from './file-session.ts'
import { importNetwork } from './imports.ts'
import { progressStream } from './progress-stream.ts'

let folder: string
let project: Project
let test: TestSupervisor
let session: FileSession

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-imports-'))
  project = await openProject(join(folder, 'project'), { create: true })
  test = await testSupervisor({
    timings: { cancelMs: 300 },
    scratchFolder: project.artifacts.scratchFolder,
    keepOutput: async (delivery) => {
      if ('file' in delivery) await project.artifacts.adopt(delivery.file, delivery.record.sha256)
      return delivery.record
    },
  })
  session = new FileSession(test.options, { idleMs: 100 })
  await writeFile(join(folder, 'net.bin'), 'weights')
})
afterEach(async () => {
  await session.close()
  await test[Symbol.asyncDispose]()
  await project.close()
  await rm(folder, { recursive: true, force: true })
})

const request = (name: string): NetworkImportRequest => ({ name, files: [{ path: join(folder, 'net.bin') }] })

function start(wanted: NetworkImportRequest, signal?: AbortSignal) {
  return progressStream((report, inner) => importNetwork(wanted, { project, session }, report, inner), signal)
}

async function stepsOf(stream: ReturnType<typeof start>): Promise<number[]> {
  const steps: number[] = []
  for await (const event of stream) if (event.type === 'progress') steps.push(event.done)
  return steps
}

const import_ = (wanted: NetworkImportRequest): Promise<number[]> => stepsOf(start(wanted))

/** Nothing of an import is in the project. */
async function expectNothingLeft(): Promise<void> {
  expect(project.networks.list().items).toEqual([])
  expect((await project.artifacts.list()).artifacts).toEqual([])
  expect(await scratchFiles(project.artifacts.scratchFolder)).toEqual([])
}

describe('importing a network', () => {
  it('tells how far it is, and enters the network with its weights', async () => {
    const steps = await import_(request('net-60'))
    expect(steps.at(-1)).toBe(60)
    expect(steps.length).toBeGreaterThan(1)
    const record = project.networks.get('net-60')
    expect(record).toMatchObject({ source: 'imported', origin: { format: 'test' }, findings: [] })
    expect(new TextDecoder().decode(await project.artifacts.read(record.weights))).toBe('net-60')
    expect(project.artifactRecords.list().map(({ sha256 }) => sha256)).toEqual([record.weights])
  })

  it('names the folder that holds no files', async () => {
    await mkdir(join(folder, 'empty'))
    await expect(import_({ name: 'net-1', files: [{ path: join(folder, 'empty') }] })).rejects.toThrow(
      `There are no files in the folder "${join(folder, 'empty')}" itself`,
    )
    await expectNothingLeft()
  })

  it('takes an upload, and removes it when it is in the network', async () => {
    const { sha256 } = await project.artifacts.put(new TextEncoder().encode('uploaded'))
    await import_({ name: 'net-1', files: [{ name: 'mine.onnx', sha256 }] })
    expect(await project.artifacts.has(sha256)).toBe(false)
    await expect(import_({ name: 'other-1', files: [{ name: 'mine.onnx', sha256 }] })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('mine.onnx'),
    })
  })

  it('refuses a name in use before it reads anything', async () => {
    await import_(request('net-1'))
    await expect(import_(request('NET-1'))).rejects.toMatchObject({ code: 'conflict' })
    await expect(import_(request('mnist-convnet'))).rejects.toMatchObject({ code: 'conflict' })
  })

  it('names a file that is not there', async () => {
    await expect(import_({ name: 'net-1', files: [{ path: join(folder, 'none.h5') }] })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('none.h5'),
    })
    await expect(import_({ name: 'net-1', files: [{ path: 'net.bin' }] })).rejects.toMatchObject({
      code: 'invalid-input',
    })
  })

  it('is cancelled by leaving its stream, and leaves nothing', async () => {
    for await (const { type } of start(request('net-100000'))) if (type === 'progress') break
    await expectNothingLeft()
    await import_(request('net-1'))
  })

  it('is cancelled while it waits for another', async () => {
    const abort = new AbortController()
    const first = import_(request('net-40'))
    const second = start(request('next-100000'), abort.signal).next()
    abort.abort()
    await expect(second).rejects.toMatchObject({ code: 'cancelled' })
    await first
    expect(project.networks.list().items.map(({ name }) => name)).toEqual(['net-40'])
  })

  it('ends a reader that does not react to a cancel', async () => {
    for await (const { type } of start(request('stuck-100000'))) if (type === 'progress') break
    await expectNothingLeft()
  })

  it('leaves nothing when its worker is killed, and goes on with a fresh one', async () => {
    for (let time = 0; time < 4; time++)
      await expect(import_(request(`kill-${time + 2}`))).rejects.toMatchObject({ code: 'crash' })
    const stream = start(request('net-100000'))
    await stream.next()
    process.kill(workerPid(test.log), 'SIGKILL')
    await expect(stepsOf(stream)).rejects.toMatchObject({ code: 'crash' })
    await expectNothingLeft()
    await import_(request('net-1'))
  })

  it('ends its worker when nothing is asked for a while', async () => {
    await import_(request('net-1'))
    expect(session.isRunning).toBe(true)
    await expect.poll(() => session.isRunning, { timeout: 20_000 }).toBe(false)
    await import_(request('net-2'))
  })
})
