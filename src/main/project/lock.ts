/**
 * One owner a project: the file `project.lock` names the process that has it open and how to reach it.
 * The file appears whole (it is linked from a finished one), so nobody reads half of it. A lock whose holder is gone is
 * replaced by whoever first creates the claim that carries that lock's own hash; SQLite's lock on the database stands behind.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import { Timestamp } from '../../shared/values.ts'
import { diskError, errorCodeOf } from '../platform/disk-error.ts'
import { isOwnEndpoint, newEndpoint, removeEndpoint } from '../platform/endpoint.ts'
import { sha256 } from '../platform/hash.ts'
import { keepOutOfLog } from '../platform/logger.ts'
import { isSameProcess, processStart } from '../platform/process-start.ts'
import { PROGRAM } from '../platform/program.ts'

export const LockHolder = z.object({
  program: z.string(),
  host: z.string(),
  pid: z.number().int().positive(),
  /** Start of the process as its system tells it; absent where it does not. */
  processStart: z.string().optional(),
  /** Unix socket or named pipe with the same contract as the page. */
  endpoint: z.string(),
  /** What a caller shows at the endpoint; only this user can read the lock file. */
  token: z.string().regex(/^[0-9a-f]{64}$/),
  openedAt: Timestamp,
  /** Address of the page with its token, where the holder serves one. */
  page: z.string().optional(),
})
export type LockHolder = z.infer<typeof LockHolder>

/** The project is open elsewhere. `reachable`: on this machine, so that a command can go through the holder. */
export class ProjectInUseError extends ConvScopeError {
  readonly holder: LockHolder | undefined
  readonly reachable: boolean

  constructor(message: string, remedy: string, holder: LockHolder | undefined, reachable: boolean) {
    super('conflict', message, { remedy })
    this.name = 'ProjectInUseError'
    this.holder = holder
    this.reachable = reachable
  }
}

export interface ProjectLock {
  readonly holder: LockHolder
  /** Another process held it and did not end in order. */
  readonly takenOver: boolean
  /** Adds the page's address to the lock, for whoever wants to open the project a second time. */
  announcePage(address: string): Promise<void>
  /** Gives the project free and removes the endpoint's socket file. */
  release(): Promise<void>
}

const LOCK_FILE = 'project.lock'
const ATTEMPTS = 50

/**
 * @throws ProjectInUseError where a living process of this machine, or any process of another one, holds the project
 * @throws ConvScopeError 'disk'
 */
export async function acquireLock(folder: string, host: string = hostname()): Promise<ProjectLock> {
  const holder: LockHolder = {
    program: PROGRAM,
    host,
    pid: process.pid,
    processStart: processStart(process.pid),
    endpoint: newEndpoint(),
    token: randomBytes(32).toString('hex'),
    openedAt: Date.now(),
  }
  keepOutOfLog(holder.token)
  let text = JSON.stringify(holder)
  const file = join(folder, LOCK_FILE)
  const takenOver = await acquire(file, text, host)
  const announcePage = async (page: string) => {
    const announced = JSON.stringify({ ...holder, page })
    const candidate = candidateFor(file)
    await writeCandidate(candidate, announced)
    try {
      await rename(candidate, file)
      text = announced
    } catch (error) {
      await rm(candidate, { force: true })
      throw diskError(file, 'write', error)
    }
  }
  const release = async () => {
    removeEndpoint(holder.endpoint)
    if ((await readOrNothing(file)) === text) await rm(file, { force: true })
  }
  return { holder, takenOver, announcePage, release }
}

/** The process that has the project open, if one of this machine has. */
export async function readHolder(folder: string): Promise<LockHolder | undefined> {
  const text = await readOrNothing(join(folder, LOCK_FILE))
  const holder = text === undefined ? undefined : parseHolder(text)
  if (!holder || holder.host !== hostname()) return undefined
  return isSameProcess(holder.pid, holder.processStart) ? holder : undefined
}

/** Whether an old lock had to be replaced. */
async function acquire(file: string, text: string, host: string): Promise<boolean> {
  const candidate = candidateFor(file)
  try {
    await writeCandidate(candidate, text)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await createExclusively(candidate, file, text)) return false
      const old = await readOrNothing(file)
      if (old === undefined) continue
      refuseLiving(file, old, host)
      if (await replace(file, old, candidate, text, host)) return true
    }
  } finally {
    await rm(candidate, { force: true })
  }
  throw new ProjectInUseError(
    `"${dirname(file)}" is being opened by several programs at once`,
    'Try again.',
    undefined,
    true,
  )
}

/**
 * Replaces the lock `old` of a dead process. The claim's name is made of that very lock, so among all who saw it one wins,
 * and who comes late with an old reading finds another lock than the one claimed.
 */
async function replace(file: string, old: string, candidate: string, text: string, host: string): Promise<boolean> {
  const claim = `${file}.claim-${sha256(old).slice(0, 16)}`
  try {
    await acquire(claim, text, host)
  } catch (error) {
    if (!(error instanceof ProjectInUseError)) throw error
    // Somebody living is replacing it right now; its lock will be there in a moment.
    await setTimeout(5)
    return false
  }
  try {
    if ((await readOrNothing(file)) !== old) return false
    await rename(candidate, file)
    const holder = parseHolder(old)
    if (holder) removeEndpoint(holder.endpoint)
    return true
  } catch (error) {
    throw diskError(file, 'write', error)
  } finally {
    await rm(claim, { force: true })
  }
}

function refuseLiving(file: string, text: string, host: string): void {
  const holder = parseHolder(text)
  const folder = dirname(file)
  // Not written by this program, or cut off by a failing machine: nobody can hold it.
  if (!holder) return
  if (holder.host !== host) {
    throw new ProjectInUseError(
      `The project "${folder}" is open on the machine ${holder.host} (process ${holder.pid}, ${holder.program})`,
      `Close it there. If that machine no longer has it open, remove the file "${file}".`,
      holder,
      false,
    )
  }
  if (isSameProcess(holder.pid, holder.processStart)) {
    throw new ProjectInUseError(
      `The project "${folder}" is open in another ConvScope (process ${holder.pid})`,
      'Use that one, or close it first.',
      holder,
      isOwnEndpoint(holder.endpoint),
    )
  }
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    return LockHolder.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** A name of its own beside the lock. */
function candidateFor(file: string): string {
  return `${file}.${process.pid}-${randomBytes(6).toString('hex')}.new`
}

async function writeCandidate(candidate: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(candidate), { recursive: true })
    const handle = await open(candidate, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw diskError(candidate, 'write', error)
  }
}

async function createExclusively(candidate: string, file: string, text: string): Promise<boolean> {
  try {
    await link(candidate, file)
    return true
  } catch (error) {
    const code = errorCodeOf(error)
    if (code === 'EEXIST') return false
    // File systems without links (FAT, some network ones): created empty, then written.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS')
      return createPlainly(file, text)
    throw diskError(file, 'write', error)
  }
}

async function createPlainly(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return true
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false
    throw diskError(file, 'write', error)
  }
}

async function readOrNothing(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw diskError(file, 'read', error)
  }
}
