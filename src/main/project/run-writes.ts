/** Rows that belong to a run. */
import { randomInt } from 'node:crypto'
import type { OutputRecord } from '../../shared/runs.ts'
import type { ArtifactRecords } from './artifact-records.ts'
import type { Database } from './database.ts'
import { toJsonColumn } from './rows.ts'

/** Short enough to type, sorted by time: `20261123-011102-k3f9`. Free in this project. */
export function newRunId(database: Database, now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15)
  for (;;) {
    const id = `${time}-${randomInt(36 ** 4)
      .toString(36)
      .padStart(4, '0')}`
    if (!database.get('SELECT 1 FROM run WHERE id = ?', id)) return id
  }
}

/** Inside the transaction that ends the run. A name may appear once for each kind of output. */
export function saveOutputs(
  database: Database,
  artifacts: ArtifactRecords,
  id: string,
  outputs: readonly OutputRecord[],
): void {
  artifacts.record(outputs)
  // A run that failed with outputs and was resumed writes them anew.
  database.run('DELETE FROM run_output WHERE run_id = ?', id)
  for (const [position, { name, kind, sha256, bytes, shape, dtype }] of outputs.entries()) {
    database.run(
      `INSERT INTO run_output (run_id, position, name, kind, sha256, bytes, shape, dtype) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      position,
      name,
      kind,
      sha256,
      bytes,
      toJsonColumn(shape),
      dtype ?? null,
    )
  }
}
