/** Lasting runs: their documents, states, results and outputs. Every change of state is checked and leaves an event. */
import { action } from '../../shared/actions.ts'
import { ConvScopeError, type ErrorReport } from '../../shared/errors.ts'
import type { ExperimentDocument, ExperimentKindName } from '../../shared/experiments/index.ts'
import type { DurableJobEvent } from '../../shared/jobs.ts'
import type { OutputRecord, Provenance, RunRecord, RunState, RunSummary } from '../../shared/runs.ts'
import type { Json } from '../../shared/values.ts'
import { hashJson } from '../platform/hash.ts'
import type { ArtifactRecords } from './artifact-records.ts'
import type { Database } from './database.ts'
import type { JobEvents, NewJobEvent } from './job-events.ts'
import type { LibraryHashes } from './library-hashes.ts'
import { readAttempts, readLibrary, readRun, readSummary, rowTitle, SUMMARY_COLUMNS } from './run-rows.ts'
import { newRunId, saveOutputs } from './run-writes.ts'
import { readRows, toJsonColumn } from './rows.ts'

/** From each state, the states that may follow. */
const TRANSITIONS: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['running', 'paused', 'cancelled', 'failed'],
  running: ['paused', 'done', 'failed', 'cancelled', 'queued'],
  paused: ['running', 'queued', 'done', 'failed', 'cancelled'],
  done: [],
  failed: ['queued'],
  cancelled: [],
}

/** A run that was interrupted so often without reaching another checkpoint is not begun again by itself. */
export const MOST_ATTEMPTS = 3

export interface RunQuery {
  readonly kind?: ExperimentKindName
  readonly state?: RunState
  /** Looked for in title, kind and document, whatever the letter case. */
  readonly search?: string
  readonly offset?: number
  readonly limit?: number
  /** Those that can still be brought back, instead of the others. */
  readonly deleted?: boolean
}

export interface RunPage {
  readonly total: number
  readonly runs: RunSummary[]
  readonly problems: string[]
}

export interface FinishedRun {
  readonly result: Json
  readonly outputs: readonly OutputRecord[]
  readonly provenance: Provenance
}

export class Runs {
  readonly #database: Database
  readonly #events: JobEvents
  readonly #artifacts: ArtifactRecords

  constructor(database: Database, events: JobEvents, artifacts: ArtifactRecords) {
    this.#database = database
    this.#events = events
    this.#artifacts = artifacts
  }

  /** Puts a run into the queue. */
  create(document: ExperimentDocument, { title, library }: { title: string; library: LibraryHashes }): RunRecord {
    const now = Date.now()
    return this.#database.transaction(() => {
      const id = newRunId(this.#database, now)
      this.#database.run(
        `INSERT INTO run (id, kind, title, document, document_hash, library, state, created_at, queued_at)
         VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?)`,
        id,
        document.kind,
        title,
        JSON.stringify(document),
        hashJson(document),
        JSON.stringify(library),
        now,
        now,
      )
      this.#events.append(id, [{ type: 'queued', seq: 1, at: now }])
      return this.get(id)
    })
  }

  /** Also one that was removed and can be brought back. @throws ConvScopeError 'not-found' or 'damaged' */
  get(id: string): RunRecord {
    const row = this.#database.get('SELECT * FROM run WHERE id = ?', id)
    if (!row) throw notFound(id)
    return readRun(row, this.#database.all('SELECT * FROM run_output WHERE run_id = ? ORDER BY position', id))
  }

  summary(id: string): RunSummary {
    const row = this.#database.get(`SELECT ${SUMMARY_COLUMNS} FROM run WHERE id = ?`, id)
    if (!row) throw notFound(id)
    return readSummary(row)
  }

  /** The hashes the run was asked for with. */
  library(id: string): LibraryHashes {
    const row = this.#database.get('SELECT id, library FROM run WHERE id = ?', id)
    if (!row) throw notFound(id)
    return readLibrary(row)
  }

  /** Newest first. */
  list({ kind, state, search, offset = 0, limit = 100, deleted = false }: RunQuery = {}): RunPage {
    const pattern = search ? `%${search.replaceAll(/[\\%_]/g, '\\$&')}%` : null
    const where = `WHERE (deleted_at IS NOT NULL) = ?1 AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR state = ?3)
      AND (?4 IS NULL OR title LIKE ?4 ESCAPE '\\' OR kind LIKE ?4 ESCAPE '\\' OR document LIKE ?4 ESCAPE '\\')`
    const parameters = [deleted ? 1 : 0, kind ?? null, state ?? null, pattern] as const
    const total = Number(this.#database.get(`SELECT count(*) AS n FROM run ${where}`, ...parameters)?.['n'])
    const rows = this.#database.all(
      `SELECT ${SUMMARY_COLUMNS} FROM run ${where} ORDER BY created_at DESC, rowid DESC LIMIT ?5 OFFSET ?6`,
      ...parameters,
      limit,
      offset,
    )
    const { items, problems } = readRows(rows, readSummary, rowTitle)
    return { total, runs: items, problems }
  }

  /** Waiting runs in the order in which they are to be begun. */
  queued(): string[] {
    return this.#database
      .all("SELECT id FROM run WHERE state = 'queued' AND deleted_at IS NULL ORDER BY queued_at, rowid")
      .map((row) => String(row['id']))
  }

  /** Running, paused and waiting ones, then the last ended ones. */
  overview(ended = 20): RunSummary[] {
    const active = this.#database.all(
      `SELECT ${SUMMARY_COLUMNS} FROM run WHERE state IN ('running', 'paused', 'queued') AND deleted_at IS NULL
       ORDER BY state = 'queued', queued_at, rowid`,
    )
    const last = this.#database.all(
      `SELECT ${SUMMARY_COLUMNS} FROM run WHERE state IN ('done', 'failed', 'cancelled') AND deleted_at IS NULL
       ORDER BY finished_at DESC, rowid DESC LIMIT ?`,
      ended,
    )
    return readRows([...active, ...last], readSummary, rowTitle).items
  }

  /** The run begins, pauses, goes on or is put back into the queue; `events` are stored with it. */
  move(id: string, to: 'running' | 'paused' | 'queued', events: readonly DurableJobEvent[] = []): void {
    this.#change(id, to, events, () => {
      if (to !== 'queued') return
      this.#database.run(
        'UPDATE run SET queued_at = ?, attempts = 0, error = NULL, finished_at = NULL WHERE id = ?',
        Date.now(),
        id,
      )
    })
  }

  /** Another document of a run that has not ended: what was changed while it runs. */
  amend(id: string, document: ExperimentDocument, events: readonly DurableJobEvent[]): void {
    this.#database.transaction(() => {
      this.#database.run(
        'UPDATE run SET document = ?, document_hash = ? WHERE id = ?',
        JSON.stringify(document),
        hashJson(document),
        id,
      )
      this.#events.append(id, events)
    })
  }

  /** Result, outputs, provenance, last events and what `also` does come into being together, or not at all. */
  finish(
    id: string,
    { result, outputs, provenance }: FinishedRun,
    events: readonly DurableJobEvent[],
    also?: () => void,
  ): void {
    this.#change(id, 'done', events, () => {
      saveOutputs(this.#database, this.#artifacts, id, outputs)
      this.#end(id, { result, provenance })
      also?.()
    })
  }

  /** Keeps the outputs that are there nevertheless. */
  fail(id: string, error: ErrorReport, outputs: readonly OutputRecord[], events: readonly DurableJobEvent[]): void {
    this.#change(id, 'failed', events, () => {
      saveOutputs(this.#database, this.#artifacts, id, outputs)
      this.#end(id, { error })
    })
  }

  /** Keeps the outputs written so far. */
  cancel(id: string, outputs: readonly OutputRecord[], events: readonly DurableJobEvent[]): void {
    this.#change(id, 'cancelled', events, () => {
      saveOutputs(this.#database, this.#artifacts, id, outputs)
      this.#end(id, {})
    })
  }

  rename(id: string, title: string): void {
    if (this.#database.run('UPDATE run SET title = ? WHERE id = ?', title, id) === 0) throw notFound(id)
  }

  /** Can be brought back by `restore` until it is purged. @throws ConvScopeError 'conflict' for one that has not ended */
  remove(id: string): void {
    const { state, deletedAt } = this.summary(id)
    if (deletedAt !== undefined) throw new ConvScopeError('conflict', `The run ${id} was removed already`)
    if (state === 'running' || state === 'paused' || state === 'queued')
      throw new ConvScopeError('conflict', `The run ${id} is ${state}`, { remedy: 'Cancel it first.' })
    this.#database.run('UPDATE run SET deleted_at = ? WHERE id = ?', Date.now(), id)
  }

  restore(id: string): void {
    const { deletedAt } = this.summary(id)
    if (deletedAt === undefined) throw new ConvScopeError('conflict', `The run ${id} was not removed`)
    this.#database.run('UPDATE run SET deleted_at = NULL WHERE id = ?', id)
  }

  /** Forgets runs removed at `before` or earlier for good; how many, and the hashes of what they named. */
  purge(before: number): { runs: number; hashes: string[] } {
    return this.#database.transaction(() => {
      const hashes = this.#database.all(
        `SELECT sha256 FROM run_output JOIN run ON id = run_id WHERE deleted_at <= ?1
         UNION SELECT sha256 FROM checkpoint JOIN run ON id = run_id WHERE deleted_at <= ?1`,
        before,
      )
      const runs = this.#database.run('DELETE FROM run WHERE deleted_at <= ?', before)
      return { runs, hashes: hashes.map((row) => String(row['sha256'])) }
    })
  }

  /**
   * After a kill: what was running waits again, unless it has taken the program down several times. Its place is the old one.
   * @returns the runs put back
   */
  requeueInterrupted(): string[] {
    return this.#database.transaction(() => {
      const requeued: string[] = []
      for (const row of this.#database.all(
        "SELECT id, attempts FROM run WHERE state = 'running' ORDER BY queued_at, rowid",
      )) {
        const id = String(row['id'])
        if (readAttempts(row) >= MOST_ATTEMPTS) {
          const error: ErrorReport = {
            code: 'crash',
            message: `The program ended ${MOST_ATTEMPTS} times in the middle of this run`,
            remedy: 'Look into the log file; resume the run to try once more.',
          }
          this.fail(id, error, [], this.#numbered(id, [{ type: 'failed', error }]))
          continue
        }
        this.#change(
          id,
          'queued',
          this.#numbered(id, [{ type: 'log', message: 'The program had ended; waiting again.' }, { type: 'queued' }]),
        )
        requeued.push(id)
      }
      return requeued
    })
  }

  #numbered(id: string, events: readonly NewJobEvent[]): DurableJobEvent[] {
    const last = this.#events.lastSeq(id)
    return events.map((event, index) => ({ ...event, seq: last + 1 + index, at: Date.now() }))
  }

  #change(id: string, to: RunState, events: readonly DurableJobEvent[], also?: () => void): void {
    this.#database.transaction(() => {
      const row = this.#database.get('SELECT state FROM run WHERE id = ?', id)
      if (!row) throw notFound(id)
      const from = String(row['state'])
      if (!Object.entries(TRANSITIONS).some(([state, next]) => state === from && next.includes(to)))
        throw new ConvScopeError('conflict', `The run ${id} is ${from} and cannot become ${to}`)
      this.#database.run('UPDATE run SET state = ? WHERE id = ?', to, id)
      if (to === 'running') this.#database.run('UPDATE run SET attempts = attempts + 1 WHERE id = ?', id)
      if (to === 'paused' || to === 'failed') this.#database.run('UPDATE run SET attempts = 0 WHERE id = ?', id)
      this.#events.append(id, events)
      also?.()
    })
  }

  #end(
    id: string,
    { result, provenance, error }: { result?: Json; provenance?: Provenance; error?: ErrorReport },
  ): void {
    this.#database.run(
      'UPDATE run SET result = ?, provenance = ?, error = ?, finished_at = ? WHERE id = ?',
      toJsonColumn(result),
      toJsonColumn(provenance),
      toJsonColumn(error),
      Date.now(),
      id,
    )
  }
}

function notFound(id: string): ConvScopeError {
  return new ConvScopeError('not-found', `There is no run ${id} in this project`, { remedy: action('list-runs') })
}
