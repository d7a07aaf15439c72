/** A project: one folder with a database and an artifact store, owned by one process. */
import { existsSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'
import type { WriteBytes } from '../platform/atomic-file.ts'
import { diskError } from '../platform/disk-error.ts'
import { createLogger } from '../platform/logger.ts'
import { makeFolder } from '../platform/make-folder.ts'
import { isAlive } from '../platform/process-start.ts'
import { ArtifactRecords } from './artifact-records.ts'
import { ArtifactStore } from './artifact-store.ts'
import { Checkpoints } from './checkpoints.ts'
import { Database } from './database.ts'
import { Datasets } from './datasets.ts'
import { JobEvents } from './job-events.ts'
import { acquireLock, type ProjectLock } from './lock.ts'
import { Looks, type LookBounds } from './looks.ts'
import { migrate } from './migrate.ts'
import { Networks } from './networks.ts'
import { Runs } from './runs.ts'
import { ProjectSettings } from './settings.ts'

const log = createLogger('project')
const DATABASE_FILE = 'project.sqlite'
/** What an interrupted creation may have left: such a folder still counts as empty. */
const OWN_NAMES = /^(project\.(sqlite(-wal|-shm|-journal)?|lock.*)|artifacts|scratch|copies)$/
const DAY_MS = 24 * 60 * 60 * 1000
/** How long a removed run can be brought back. */
export const UNDO_MS = 7 * DAY_MS
/** After a crash the database is checked before it is used, unless that would take long. */
const CHECKED_AT_OPENING_BYTES = 64 * 2 ** 20

export interface OpenOptions {
  /** Makes the project where there is none. */
  readonly create?: boolean
  readonly lookBounds?: LookBounds
  /** How artifacts are written; for tests of full disks. */
  readonly write?: WriteBytes
}

export interface Garbage {
  readonly runs: number
  readonly files: number
  readonly bytes: number
}

export class Project {
  readonly folder: string
  readonly name: string
  readonly database: Database
  readonly lock: ProjectLock
  readonly artifacts: ArtifactStore
  readonly artifactRecords: ArtifactRecords
  readonly networks: Networks
  readonly datasets: Datasets
  readonly jobEvents: JobEvents
  readonly runs: Runs
  readonly checkpoints: Checkpoints
  readonly looks: Looks
  readonly settings: ProjectSettings
  /** Runs that were interrupted by a kill and wait again. */
  readonly requeued: readonly string[]
  #closed: Promise<void> | undefined

  constructor(folder: string, database: Database, artifacts: ArtifactStore, lock: ProjectLock, options: OpenOptions) {
    this.folder = folder
    this.database = database
    this.artifacts = artifacts
    this.lock = lock
    this.artifactRecords = new ArtifactRecords(database)
    this.networks = new Networks(database)
    this.datasets = new Datasets(database)
    this.jobEvents = new JobEvents(database)
    this.runs = new Runs(database, this.jobEvents, this.artifactRecords)
    this.checkpoints = new Checkpoints(database, this.artifactRecords)
    this.looks = new Looks(database, this.artifactRecords, options.lookBounds)
    this.settings = new ProjectSettings(database)
    this.name = this.#nameInDatabase()
    this.requeued = this.runs.requeueInterrupted()
  }

  /** Removes the files among `hashes` that nothing in the project names any more. */
  async discard(hashes: Iterable<string>): Promise<void> {
    const candidates = [...hashes].filter((sha256) => !this.artifacts.isFresh(sha256))
    if (candidates.length === 0) return
    await this.artifacts.remove(this.artifactRecords.forgetUnreferenced(candidates))
  }

  /**
   * Forgets runs that were removed longer ago than `undoMs`, and removes files that nothing names and that are older than
   * `graceMs`: uploads may wait that long for a document that uses them.
   */
  async collectGarbage({
    undoMs = UNDO_MS,
    graceMs = DAY_MS,
  }: { undoMs?: number; graceMs?: number } = {}): Promise<Garbage> {
    const { runs, hashes } = this.runs.purge(Date.now() - undoMs)
    await this.discard(hashes)
    const { artifacts } = await this.artifacts.list()
    const referenced = this.artifactRecords.referenced()
    const newest = Date.now() - graceMs
    const garbage = artifacts.filter(
      ({ sha256, modifiedAt }) => !referenced.has(sha256) && !this.artifacts.isFresh(sha256) && modifiedAt <= newest,
    )
    await this.discard(garbage.map(({ sha256 }) => sha256))
    return { runs, files: garbage.length, bytes: garbage.reduce((sum, { bytes }) => sum + bytes, 0) }
  }

  /** Gives the project free. Whoever still uses it gets errors. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    try {
      this.looks.flush()
    } catch (error) {
      log.warn('the order of looks was not saved', { error })
    }
    this.database.close()
    await this.lock.release()
  }

  #nameInDatabase(): string {
    const row = this.database.get("SELECT value FROM meta WHERE key = 'name'")
    if (row) return String(row['value'])
    const name = basename(this.folder) || 'project'
    this.database.run("INSERT INTO meta (key, value) VALUES ('name', ?)", name)
    return name
  }
}

/**
 * Opens a project for this process alone.
 * @throws ProjectInUseError where another process has it open
 * @throws ConvScopeError 'not-found' without `create`, 'conflict' for a folder that holds other things, 'unsupported' for a
 * newer project, 'damaged' for a broken database, 'disk'
 */
export async function openProject(folder: string, options: OpenOptions = {}): Promise<Project> {
  const path = resolve(folder)
  const isNew = await inspectFolder(path, options.create ?? false)
  const lock = await acquireLock(path)
  let database: Database | undefined
  try {
    const artifacts = new ArtifactStore(path, { write: options.write })
    await artifacts.prepare()
    database = new Database(join(path, DATABASE_FILE))
    if (lock.takenOver && !isNew) checkAfterCrash(database)
    migrate(database, join(path, 'copies'))
    await removeDeadCandidates(path)
    const project = new Project(path, database, artifacts, lock, options)
    if (project.requeued.length > 0) log.info('interrupted runs wait again', { runs: project.requeued })
    return project
  } catch (error) {
    database?.close()
    await lock.release()
    throw error
  }
}

/** Whether there is no project yet; makes the folder where it may. */
async function inspectFolder(folder: string, create: boolean): Promise<boolean> {
  if (existsSync(join(folder, DATABASE_FILE))) return false
  const found = await stat(folder).catch(() => undefined)
  if (found && !found.isDirectory()) {
    throw new ConvScopeError('conflict', `"${folder}" is a file, not the folder of a project`, {
      remedy: 'Choose a folder.',
    })
  }
  const names = found
    ? await readdir(folder).catch((error: unknown) => Promise.reject(diskError(folder, 'read', error)))
    : []
  const strangers = names.filter((name) => !OWN_NAMES.test(name))
  if (strangers.length > 0) {
    throw new ConvScopeError(
      'conflict',
      `"${folder}" is not a ConvScope project and holds other files, such as "${strangers[0]}"`,
      {
        remedy: 'Choose the folder of a project, or an empty one.',
      },
    )
  }
  if (!create) {
    throw new ConvScopeError('not-found', `There is no ConvScope project in "${folder}"`, {
      remedy: 'Choose the folder of a project, or let one be made there.',
    })
  }
  await makeFolder(folder)
  return true
}

function checkAfterCrash(database: Database): void {
  if (database.bytes > CHECKED_AT_OPENING_BYTES) return
  const problems = database.check()
  if (problems.length === 0) return
  throw new ConvScopeError('damaged', `The project database "${database.file}" is damaged: ${problems[0] ?? ''}`, {
    remedy: 'Restore the project from a copy; one from before the last upgrade is in its folder "copies".',
    details: problems.join('\n'),
  })
}

/** Lock candidates and claims of processes that were killed while they opened the project. */
async function removeDeadCandidates(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^project\.lock\..*?(\d+)-[0-9a-f]{12}\.new$/.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true })
  }
}
