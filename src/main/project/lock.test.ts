import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { processStart } from '../platform/process-start.ts'
import { acquireLock, LockHolder, ProjectInUseError, readHolder } from './lock.ts'
import { temporaryFolder } from './testing/samples.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let lockFile: string
const children: ChildProcessWithoutNullStreams[] = []

beforeEach(async () => {
  temporary = await temporaryFolder()
  lockFile = join(temporary.folder, 'project.lock')
})

afterEach(async () => {
  await Promise.all(children.splice(0).map(end))
  await temporary.remove()
})

async function end(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

/** A process that is ready to try. */
async function startChild(): Promise<{ child: ChildProcessWithoutNullStreams; attempt: () => Promise<string> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing', 'lock-child.ts'), temporary.folder])
  children.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  expect((await lines.next()).value).toBe('ready')
  const attempt = async () => {
    child.stdin.write('go\n')
    return String((await lines.next()).value)
  }
  return { child, attempt }
}

async function staleLock(changes: Partial<LockHolder> = {}): Promise<void> {
  const holder: LockHolder = {
    program: 'ConvScope 0.0.1',
    host: hostname(),
    pid: process.pid,
    processStart: 'another boot:1',
    endpoint: '/tmp/gone.sock',
    token: '0'.repeat(64),
    openedAt: 1,
    ...changes,
  }
  await writeFile(lockFile, JSON.stringify(holder))
}

it('names its holder, for this user only, and leaves nothing behind', async () => {
  const lock = await acquireLock(temporary.folder)
  expect(lock.takenOver).toBe(false)
  expect(await readHolder(temporary.folder)).toEqual(lock.holder)
  expect(lock.holder).toMatchObject({ pid: process.pid, host: hostname(), processStart: processStart(process.pid) })
  expect(Buffer.byteLength(lock.holder.endpoint)).toBeLessThanOrEqual(103)
  await expect(acquireLock(temporary.folder)).rejects.toMatchObject({
    code: 'conflict',
    reachable: true,
    holder: lock.holder,
  })
  await lock.release()
  expect(await readdir(temporary.folder)).toEqual([])
  expect(await readHolder(temporary.folder)).toBeUndefined()
})

it('tells the address of the page, for this user only', async () => {
  const lock = await acquireLock(temporary.folder)
  const page = 'http://127.0.0.1:7878/?token=secret'
  await lock.announcePage(page)
  expect(await readHolder(temporary.folder)).toEqual({ ...lock.holder, page })
  if (process.platform !== 'win32') expect((await stat(lockFile)).mode & 0o777).toBe(0o600)
  await expect(acquireLock(temporary.folder)).rejects.toMatchObject({ holder: { page } })
  expect(await readdir(temporary.folder)).toEqual(['project.lock'])
  await lock.release()
  expect(await readdir(temporary.folder)).toEqual([])
})

it('is refused while another process lives, and taken over after it was killed', async () => {
  const { child, attempt } = await startChild()
  expect(await attempt()).toBe('locked')
  const error = await acquireLock(temporary.folder).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ProjectInUseError)
  expect(error).toMatchObject({ reachable: true, holder: { pid: child.pid } })
  await end(child)
  const lock = await acquireLock(temporary.folder)
  expect(lock.takenOver).toBe(true)
  expect(await readdir(temporary.folder)).toEqual(['project.lock'])
  await lock.release()
})

it('is taken over from a process whose number another one has now', async () => {
  // This very process lives, but it is not the one that wrote the lock.
  await staleLock()
  const lock = await acquireLock(temporary.folder)
  expect(lock.takenOver).toBe(true)
  await lock.release()
})

it('is taken over where the file was cut off by a failing machine', async () => {
  await writeFile(lockFile, '{"program":')
  const lock = await acquireLock(temporary.folder)
  expect(lock.takenOver).toBe(true)
  await lock.release()
})

it('does not let a lock from elsewhere name what is removed or asked', async () => {
  const foreign = join(temporary.folder, 'agent.sock')
  await writeFile(foreign, 'of another program')
  await staleLock({ endpoint: foreign })
  const lock = await acquireLock(temporary.folder)
  expect(lock.takenOver).toBe(true)
  expect(await readFile(foreign, 'utf8')).toBe('of another program')
  await lock.release()

  await staleLock({ endpoint: foreign, processStart: processStart(process.pid) })
  await expect(acquireLock(temporary.folder)).rejects.toMatchObject({ code: 'conflict', reachable: false })
})

it('is refused where another machine has it, with what to do', async () => {
  await staleLock({ host: 'another-machine', pid: 1 })
  const error = await acquireLock(temporary.folder).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'conflict',
    reachable: false,
    message: expect.stringContaining('another-machine'),
    remedy: expect.stringContaining('project.lock'),
  })
  expect(await readHolder(temporary.folder)).toBeUndefined()
})

it('is taken over by exactly one of several processes that try at once', async () => {
  const rivals = await Promise.all([1, 2, 3, 4].map(startChild))
  for (let round = 0; round < 3; round++) {
    await staleLock({ openedAt: round })
    const outcomes = await Promise.all(rivals.map(({ attempt }) => attempt()))
    expect(outcomes.toSorted()).toEqual(['conflict', 'conflict', 'conflict', 'taken over'])
    const winner = LockHolder.parse(JSON.parse(await readFile(lockFile, 'utf8')))
    expect(rivals[outcomes.indexOf('taken over')]?.child.pid).toBe(winner.pid)
    expect(await readdir(temporary.folder)).toEqual(['project.lock'])
  }
})

it('is taken over after the one that was taking over was killed in the middle', async () => {
  await staleLock()
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256')
    .update(await readFile(lockFile))
    .digest('hex')
    .slice(0, 16)
  // A claim of a dead process, and its unused candidate.
  const dead = JSON.stringify({ ...JSON.parse(await readFile(lockFile, 'utf8')), pid: 2 ** 22 - 1 })
  await writeFile(`${lockFile}.claim-${hash}`, dead)
  const lock = await acquireLock(temporary.folder)
  expect(lock.takenOver).toBe(true)
  expect(await readdir(temporary.folder)).toEqual(['project.lock'])
  await lock.release()
})

it('is not removed by one that no longer holds it', async () => {
  const lock = await acquireLock(temporary.folder)
  await staleLock({ pid: 1 })
  await lock.release()
  expect(await readdir(temporary.folder)).toEqual(['project.lock'])
})
