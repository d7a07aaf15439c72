/** The program as `convscope serve` starts it (project, queue, worker, engine), killed again and again while runs go. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { damagedFiles, killRandom, lostRuns, type Said } from '../src/main/jobs/testing/kill-checks.ts'
import { configureLogging } from '../src/main/platform/logger.ts'
import { readHolder } from '../src/main/project/lock.ts'
import { openProject } from '../src/main/project/project.ts'
import { connectToHolder, type HolderConnection } from '../src/main/rpc/client.ts'
import { findNode } from '../src/main/sessions/launcher.ts'
import type { Json } from '../src/shared/values.ts'

const KILLS = 20
/** After its start, for one that is killed early. */
const LONGEST_START_MS = 600
/** The others are killed so many events after they can be asked, and up to so long after the last of these. */
const MOST_EVENTS = 12
const LONGEST_MS = 40

const projection = (index: number): Json => ({
  kind: 'deconvnet',
  version: 1,
  seed: 0,
  params: {
    network: 'mnist-convnet',
    picture: { dataset: 'mnist', split: 'test', index },
    layer: 'conv1',
    units: { kind: 'strongest', count: 4 },
  },
})
const documents = [projection(0), projection(1)]

let folder: string
let projectFolder: string
const said: Said = { started: new Set(), finished: new Map() }
/** Hashes of the outputs of each document (by its hash) in a program that was left alone. */
const expected = new Map<string, string>()

beforeAll(async () => {
  configureLogging({ stderr: 'off' })
  folder = await mkdtemp(join(tmpdir(), 'convscope-program-kill-'))
  projectFolder = join(folder, 'project')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Program {
  readonly child: ChildProcess
  readonly closed: Promise<unknown[]>
  readonly opened: Promise<unknown[]>
  readonly errors: () => string
}

function startProgram(): Program {
  const cli = join(import.meta.dirname, '../src/main/cli.ts')
  const options = ['--no-open', '--port', '0', '--engine', 'wasm', '--threads', '1']
  const child = spawn(findNode(), [cli, 'serve', projectFolder, ...options], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      CONVSCOPE_CACHE: join(folder, 'cache'),
      CONVSCOPE_CONFIG: join(folder, 'config'),
      CONVSCOPE_DATA: join(folder, 'data'),
      CONVSCOPE_FETCH_ENGINE: 'never',
    },
  })
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  return {
    child,
    closed: once(child, 'close'),
    opened: once(createInterface(child.stdout), 'line'),
    errors: () => errors,
  }
}

async function connect(): Promise<HolderConnection> {
  const holder = await readHolder(projectFolder)
  if (!holder) throw new Error('nobody has the project open')
  return connectToHolder(holder)
}

/** Watches a run to its end, or until the connection breaks. */
async function follow({ client }: HolderConnection, id: string, onEvent: () => void = () => undefined): Promise<void> {
  for await (const event of await client.jobs.watch({ id })) {
    if (event.type === 'done') {
      const { outputs } = await client.runs.show({ id })
      said.finished.set(
        id,
        outputs.map(({ sha256 }) => sha256),
      )
    }
    onEvent()
  }
}

/** Starts runs one after the other, beside those that wait from before, until the program is gone. Never ends but with the error. */
async function work(connection: HolderConnection, onEvent: () => void): Promise<void> {
  const unfinished = [...said.started].filter((id) => !said.finished.has(id))
  const older = Promise.all(unfinished.map((id) => follow(connection, id, onEvent)))
  const newer = async (): Promise<void> => {
    for (let index = said.started.size; ; index++) {
      const { id } = await connection.client.jobs.start({ document: documents[index % documents.length] ?? null })
      said.started.add(id)
      onEvent()
      await follow(connection, id, onEvent)
    }
  }
  await Promise.all([older, newer()])
}

async function runAndKill(random: () => number, early: boolean): Promise<void> {
  const { child, closed, opened, errors } = startProgram()
  if (early) {
    await delay(random() * LONGEST_START_MS)
    child.kill('SIGKILL')
  } else {
    await Promise.race([opened, closed])
    const connection = await connect()
    let eventsLeft = 1 + Math.floor(random() * MOST_EVENTS)
    const enough = Promise.withResolvers<undefined>()
    const working = work(connection, () => {
      if (--eventsLeft === 0) enough.resolve(undefined)
    }).catch((error: unknown) => error)
    const failure = await Promise.race([enough.promise, working])
    expect(failure, errors()).toBeUndefined()
    await delay(random() * LONGEST_MS)
    child.kill('SIGKILL')
    await closed
    connection.close()
    await working
  }
  const [, signal] = await closed
  // Anything but the kill would be an error of the program itself.
  expect(signal, errors()).toBe('SIGKILL')
}

/** Processes that were started with this test's folders. */
function processesLeft(): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => environmentOf(pid).includes(`CONVSCOPE_DATA=${folder}`)).map(Number)
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    // It is gone, or somebody else's.
    return ''
  }
}

async function inOrder(use: (connection: HolderConnection) => Promise<void>): Promise<void> {
  const { child, closed, opened, errors } = startProgram()
  await Promise.race([opened, closed])
  const connection = await connect()
  await use(connection)
  connection.close()
  child.kill('SIGTERM')
  expect(await closed, errors()).toEqual([0, null])
}

it(`loses nothing when the whole program is killed ${KILLS} times at random moments`, async () => {
  const random = killRandom('program kill test')
  await inOrder(async (connection) => {
    for (const document of documents) {
      const { id } = await connection.client.jobs.start({ document })
      said.started.add(id)
      await follow(connection, id)
      const { documentHash, outputs } = await connection.client.runs.show({ id })
      expected.set(documentHash, outputs.map(({ sha256 }) => sha256).join())
    }
  })
  for (let kill = 0; kill < KILLS; kill++) {
    await runAndKill(random, kill % 3 === 2)
    const project = await openProject(projectFolder)
    try {
      expect(lostRuns(project, said)).toEqual([])
      if (kill % 7 === 6) expect(await damagedFiles(project)).toEqual([])
    } finally {
      await project.close()
    }
  }
  await inOrder(async (connection) => {
    for (const id of said.started) if (!said.finished.has(id)) await follow(connection, id)
    for (const id of said.started) {
      const run = await connection.client.runs.show({ id })
      // One that was killed three times says so and waits to be resumed by hand.
      if (run.state === 'failed') continue
      expect(run.outputs.map(({ sha256 }) => sha256).join()).toBe(expected.get(run.documentHash))
    }
    const report = await connection.client.system.doctor({ full: true, speed: false })
    expect(report.project.problems).toEqual([])
  })
  const project = await openProject(projectFolder)
  expect(lostRuns(project, said)).toEqual([])
  expect(await damagedFiles(project)).toEqual([])
  await project.close()
  process.stdout.write(`program kill test: ${said.started.size} runs started, ${said.finished.size} finished\n`)
  if (existsSync('/proc/self/environ')) await vi.waitFor(() => expect(processesLeft()).toEqual([]), 10_000)
  else process.stdout.write('program kill test: orphans not looked for, this system does not tell environments\n')
}, 300_000)
