/** The durable events of runs. A sequence number is given out once, across kills and restarts too. */
import { JobEvent, type DurableJobEvent } from '../../shared/jobs.ts'
import type { Database, Row } from './database.ts'
import { jsonColumn, parseRow, readRows, type Listing } from './rows.ts'

/** An event before it has a number. */
export type NewJobEvent = DurableJobEvent extends infer E
  ? E extends DurableJobEvent
    ? Omit<E, 'seq' | 'at'>
    : never
  : never

export class JobEvents {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Writes numbered events in one transaction. */
  append(runId: string, events: readonly DurableJobEvent[]): void {
    this.#database.transaction(() => {
      for (const { seq, type, at, ...body } of events) {
        this.#database.run(
          'INSERT INTO job_event (run_id, seq, type, at, body) VALUES (?, ?, ?, ?, ?)',
          runId,
          seq,
          type,
          at,
          JSON.stringify(body),
        )
      }
    })
  }

  /** Events with a number above `afterSeq`, in order, `limit` at most. */
  after(runId: string, afterSeq: number, limit = 500): Listing<DurableJobEvent> {
    const rows = this.#database.all(
      'SELECT * FROM job_event WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?',
      runId,
      afterSeq,
      limit,
    )
    return readRows(rows, read, eventTitle)
  }

  /** The number of the last event that was stored or may have been shown; 0 for none. */
  lastSeq(runId: string): number {
    const row = this.#database.get(
      `SELECT max(reserved_seq, coalesce((SELECT max(seq) FROM job_event WHERE run_id = id), 0)) AS seq FROM run WHERE id = ?`,
      runId,
    )
    return Number(row?.['seq'] ?? 0)
  }

  /** Numbers up to `seq` may be shown before they are stored; after a kill none of them is given out again. */
  reserve(runId: string, seq: number): void {
    this.#database.run('UPDATE run SET reserved_seq = ? WHERE id = ? AND reserved_seq < ?', seq, runId, seq)
  }

  /** The last of a type, e.g. the last step for the progress of a run that is not running. */
  last(runId: string, type: DurableJobEvent['type']): DurableJobEvent | undefined {
    const row = this.#database.get(
      'SELECT * FROM job_event WHERE run_id = ? AND type = ? ORDER BY seq DESC LIMIT 1',
      runId,
      type,
    )
    return row ? readRows([row], read, eventTitle).items[0] : undefined
  }
}

function eventTitle(row: Row): string {
  return `Event ${String(row['seq'])} of run ${String(row['run_id'])}`
}

function read(row: Row): DurableJobEvent {
  const body = jsonColumn(row, 'body', eventTitle(row))
  const members = typeof body === 'object' && body !== null ? body : {}
  const event = parseRow(JobEvent, { ...members, type: row['type'], seq: row['seq'], at: row['at'] }, eventTitle(row))
  if (event.type === 'preview') throw new TypeError('a preview is not durable')
  return event
}
