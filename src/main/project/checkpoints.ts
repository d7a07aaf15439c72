/** The last checkpoint of each run that can go on. */
import type { ArtifactRecords } from './artifact-records.ts'
import type { Database } from './database.ts'

export interface CheckpointRecord {
  readonly runId: string
  readonly step: number
  readonly sha256: string
  readonly createdAt: number
}

export class Checkpoints {
  readonly #database: Database
  readonly #artifacts: ArtifactRecords

  constructor(database: Database, artifacts: ArtifactRecords) {
    this.#database = database
    this.#artifacts = artifacts
  }

  get(runId: string): CheckpointRecord | undefined {
    const row = this.#database.get('SELECT * FROM checkpoint WHERE run_id = ?', runId)
    if (!row) return undefined
    return { runId, step: Number(row['step']), sha256: String(row['sha256']), createdAt: Number(row['created_at']) }
  }

  /** Replaces the run's checkpoint by one whose bytes are in the store; the hash of the old one, if it had one. */
  save(checkpoint: CheckpointRecord, bytes: number): string | undefined {
    return this.#database.transaction(() => {
      const old = this.get(checkpoint.runId)?.sha256
      this.#artifacts.record([{ sha256: checkpoint.sha256, bytes }])
      this.#database.run(
        'INSERT OR REPLACE INTO checkpoint (run_id, step, sha256, created_at) VALUES (?, ?, ?, ?)',
        checkpoint.runId,
        checkpoint.step,
        checkpoint.sha256,
        checkpoint.createdAt,
      )
      // It gets somewhere: interruptions from here on are counted anew.
      this.#database.run('UPDATE run SET attempts = 0 WHERE id = ?', checkpoint.runId)
      return old
    })
  }

  /** The hash of the checkpoint that was removed. */
  remove(runId: string): string | undefined {
    const old = this.get(runId)?.sha256
    this.#database.run('DELETE FROM checkpoint WHERE run_id = ?', runId)
    return old
  }
}
