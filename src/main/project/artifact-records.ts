/** Which artifacts the project should have, and which are named by anything in it. */
import type { Database } from './database.ts'

export interface ArtifactRecord {
  readonly sha256: string
  readonly bytes: number
}

/** Every column that may name an artifact, inside JSON or as a whole. Results do not: what they are made of is in outputs. */
const NAMING_COLUMNS = [
  ['run', 'document'],
  ['run_output', 'sha256'],
  ['checkpoint', 'sha256'],
  ['look', 'document'],
  ['look', 'outputs'],
  ['network', 'spec'],
  ['network', 'weights'],
  ['dataset', 'splits'],
  ['setting', 'value'],
] as const

export class ArtifactRecords {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Notes artifacts in the transaction of the rows that name them. */
  record(artifacts: Iterable<ArtifactRecord>): void {
    const createdAt = Date.now()
    for (const { sha256, bytes } of artifacts) {
      this.#database.run(
        'INSERT OR IGNORE INTO artifact (sha256, bytes, created_at) VALUES (?, ?, ?)',
        sha256,
        bytes,
        createdAt,
      )
    }
  }

  list(): ArtifactRecord[] {
    return this.#database
      .all('SELECT sha256, bytes FROM artifact')
      .map((row) => ({ sha256: String(row['sha256']), bytes: Number(row['bytes']) }))
  }

  /**
   * Every hash that any row mentions. Taken from the text of the rows, whatever their schema: a row that cannot be read, or one of
   * a kind that a later version adds, still protects its artifacts.
   */
  referenced(): Set<string> {
    const found = new Set<string>()
    for (const [table, column] of NAMING_COLUMNS) {
      for (const row of this.#database.all(`SELECT ${column} AS text FROM ${table} WHERE ${column} IS NOT NULL`)) {
        for (const [hash] of String(row['text']).matchAll(/[0-9a-f]{64}/g)) found.add(hash)
      }
    }
    return found
  }

  /** Forgets the records among `candidates` that nothing mentions any more; returns their hashes, whose files can be removed. */
  forgetUnreferenced(candidates: Iterable<string>): string[] {
    return this.#database.transaction(() => {
      const referenced = this.referenced()
      const garbage = [...new Set(candidates)].filter((sha256) => !referenced.has(sha256))
      for (const sha256 of garbage) this.#database.run('DELETE FROM artifact WHERE sha256 = ?', sha256)
      return garbage
    })
  }
}
