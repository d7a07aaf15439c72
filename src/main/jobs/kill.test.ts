import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { configureLogging } from '../platform/logger.ts'
import { checkProject } from '../project/doctor.ts'
import { openProject } from '../project/project.ts'
import { temporaryFolder } from '../project/testing/samples.ts'
import { damagedFiles, killRandom, lostRuns, type Said } from './testing/kill-checks.ts'

const KILLS = 22
const ARTIFACT_BYTES = 100_000
/** After its start, for one that is killed early. */
const LONGEST_START_MS = 500
/** The others are killed some lines after they have the project open, and up to so long after the last of these. */
const MOST_LINES = 6
const LONGEST_MS = 25

let temporary: Awaited<ReturnType<typeof temporaryFolder>>

beforeEach(async () => {
  configureLogging({ stderr: 'off' })
  temporary = await temporaryFolder()
})

afterEach(() => temporary.remove())

/**
 * Starts the process and kills it at a random moment.
 * @returns whether it had the project open
 */
async function runAndKill(random: () => number, early: boolean, said: Said): Promise<boolean> {
  const script = join(import.meta.dirname, 'testing', 'kill-child.ts')
  const child = spawn(process.execPath, [script, temporary.folder, String(ARTIFACT_BYTES)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  let isOpen = false
  let linesLeft = 1 + Math.floor(random() * MOST_LINES)
  const enough = Promise.withResolvers<undefined>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as { opened?: boolean; started?: string; id?: string; outputs?: string[] }
    if (message.opened !== undefined) isOpen = true
    if (message.started !== undefined) said.started.add(message.started)
    if (message.id !== undefined && message.outputs) said.finished.set(message.id, message.outputs)
    if (--linesLeft === 0) enough.resolve(undefined)
  })
  if (!early) await Promise.race([enough.promise, closed])
  await Promise.race([delay(random() * (early ? LONGEST_START_MS : LONGEST_MS)), closed])
  child.kill('SIGKILL')
  // Anything but the kill would be an error of the process itself.
  const [, signal] = await closed
  expect(signal, errors).toBe('SIGKILL')
  return isOpen
}

it(`loses no finished run and leaves no half-written artifact when it is killed ${KILLS} times at random moments`, async () => {
  const random = killRandom('kill test')
  const said: Said = { started: new Set(), finished: new Map() }
  for (let kill = 0; kill < KILLS; kill++) {
    const wasOpen = await runAndKill(random, kill % 4 === 3, said)
    const project = await openProject(temporary.folder, { create: true })
    try {
      if (wasOpen) expect(project.lock.takenOver).toBe(true)
      expect(lostRuns(project, said)).toEqual([])
      if (kill % 7 === 6) {
        expect(await damagedFiles(project)).toEqual([])
        expect((await checkProject(project, { full: true })).problems).toEqual([])
      }
    } finally {
      // As after the kill: the next process must find its way through the same state.
      await project.close()
    }
  }
  const project = await openProject(temporary.folder)
  expect(await damagedFiles(project)).toEqual([])
  const { artifacts } = await project.artifacts.list()
  const garbage = await project.collectGarbage({ graceMs: 0 })
  expect((await checkProject(project, { full: true })).problems).toEqual([])
  await project.close()
  process.stdout.write(
    `kill test: ${KILLS} kills, ${said.started.size} runs started, ${said.finished.size} finished, ${artifacts.length} files, ${garbage.files} of them garbage\n`,
  )
  expect(said.finished.size).toBeGreaterThan(0)
}, 300_000)
