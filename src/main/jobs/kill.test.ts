import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { hashFile } from '../platform/hash.ts'
import { configureLogging } from '../platform/logger.ts'
import { checkProject } from '../project/doctor.ts'
import { openProject, type Project } from '../project/project.ts'
import { MOST_ATTEMPTS } from '../project/runs.ts'
import { temporaryFolder } from '../project/testing/samples.ts'

const KILLS = 22
const ARTIFACT_BYTES = 100_000
const LONGEST_MS = 250

/** Delays that can be repeated: set CONVSCOPE_KILL_SEED to the number that a failed test printed. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What the processes said before they were killed. */
interface Said {
  readonly started: Set<string>
  readonly finished: Map<string, string[]>
}

let temporary: Awaited<ReturnType<typeof temporaryFolder>>

beforeEach(async () => {
  configureLogging({ stderr: 'off' })
  temporary = await temporaryFolder()
})

afterEach(() => temporary.remove())

/**
 * Starts the process and kills it `ms` after it has the project open, or after its start where `early` says so.
 * @returns whether it had the project open
 */
async function runAndKill(ms: number, early: boolean, said: Said): Promise<boolean> {
  const script = join(import.meta.dirname, 'testing', 'kill-child.ts')
  const child = spawn(process.execPath, [script, temporary.folder, String(ARTIFACT_BYTES)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  const closed = new Promise<string | null>((resolve) => child.once('close', (_code, signal) => resolve(signal)))
  let isOpen = false
  const opened = Promise.withResolvers<boolean>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as { opened?: boolean; started?: string; id?: string; outputs?: string[] }
    if (message.opened !== undefined) {
      isOpen = true
      opened.resolve(true)
    }
    if (message.started !== undefined) said.started.add(message.started)
    if (message.id !== undefined && message.outputs) said.finished.set(message.id, message.outputs)
  })
  if (!early) await Promise.race([opened.promise, closed])
  await Promise.race([delay(ms), closed])
  child.kill('SIGKILL')
  // Anything but the kill would be an error of the process itself.
  expect(await closed, errors).toBe('SIGKILL')
  return isOpen
}

function examine(project: Project, said: Said): void {
  expect(project.database.check({ full: true })).toEqual([])
  for (const [id, outputs] of said.finished) {
    const run = project.runs.get(id)
    expect(run.state).toBe('done')
    expect(run.outputs.map(({ sha256 }) => sha256)).toEqual(outputs)
    expect(project.jobEvents.after(id, 0, 5000).items.at(-1)?.type).toBe('done')
  }
  const waiting = new Set(project.runs.queued())
  for (const id of said.started) {
    const { state, error } = project.runs.summary(id)
    // One that was interrupted again and again before its first checkpoint is not begun for ever.
    if (state === 'failed') expect(error?.message).toContain(`${MOST_ATTEMPTS} times`)
    else if (state !== 'done') expect(waiting).toContain(id)
  }
  expect(project.runs.list({ state: 'running' }).total).toBe(0)
}

/** Every file under the artifacts is what its name says, whether anything names it or not. */
async function examineFiles(project: Project): Promise<number> {
  const { artifacts, strangers } = await project.artifacts.list()
  expect(strangers).toEqual([])
  for (const { sha256 } of artifacts) expect((await hashFile(project.artifacts.path(sha256))).sha256).toBe(sha256)
  const health = await checkProject(project, { full: true })
  expect(health.problems).toEqual([])
  return artifacts.length
}

it(`loses no finished run and leaves no half-written artifact when it is killed ${KILLS} times at random moments`, async () => {
  const seed = Number(process.env['CONVSCOPE_KILL_SEED'] ?? Date.now() % 1_000_000)
  process.stdout.write(`kill test: CONVSCOPE_KILL_SEED=${seed}\n`)
  const random = generator(seed)
  const said: Said = { started: new Set(), finished: new Map() }
  for (let kill = 0; kill < KILLS; kill++) {
    const early = kill % 4 === 3
    const wasOpen = await runAndKill(random() * LONGEST_MS * (early ? 2 : 1), early, said)
    const project = await openProject(temporary.folder, { create: true })
    try {
      if (wasOpen) expect(project.lock.takenOver).toBe(true)
      examine(project, said)
      if (kill % 7 === 6) await examineFiles(project)
    } finally {
      // As after the kill: the next process must find its way through the same state.
      await project.close()
    }
  }
  const project = await openProject(temporary.folder)
  const files = await examineFiles(project)
  const garbage = await project.collectGarbage({ graceMs: 0 })
  expect((await checkProject(project, { full: true })).problems).toEqual([])
  await project.close()
  process.stdout.write(
    `kill test: ${KILLS} kills, ${said.started.size} runs started, ${said.finished.size} finished, ${files} files, ${garbage.files} of them garbage\n`,
  )
  expect(said.finished.size).toBeGreaterThan(0)
}, 120_000)
