/** What was looked at: a bounded history that answers again without computing. The least recently used go first. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import type { EngineIdentity } from '../../shared/engines.ts'
import type { ExperimentDocument } from '../../shared/experiments/index.ts'
import { Look, OutputRecord } from '../../shared/runs.ts'
import { Timestamp } from '../../shared/values.ts'
import { hashJson } from '../platform/hash.ts'
import { PROGRAM } from '../platform/program.ts'
import type { ArtifactRecords } from './artifact-records.ts'
import type { Database, Row } from './database.ts'
import type { LibraryHashes } from './library-hashes.ts'
import { jsonColumn, parseRow, readRows, type Listing } from './rows.ts'

export interface LookBounds {
  readonly looks: number
  readonly bytes: number
}

const KEPT = 0.9
const DEFAULT_BOUNDS: LookBounds = { looks: 500, bytes: 256 * 2 ** 20 }

export const PastLook = Look.omit({ outputs: true, result: true }).extend({ usedAt: Timestamp })
export type PastLook = z.infer<typeof PastLook>

export type NewLook = Omit<Look, 'cached' | 'documentHash'>

/** What a look is found by: another document, network, data set or program version is another look. */
export function lookKey(document: ExperimentDocument, library: LibraryHashes): string {
  return hashJson({ document, library, program: PROGRAM })
}

export class Looks {
  readonly #database: Database
  readonly #artifacts: ArtifactRecords
  readonly #bounds: LookBounds
  /** Uses not yet written: a cache hit should not wait for the disk. Lost at a kill, which only costs their order. */
  readonly #used = new Map<string, { key: string; engine: string; usedAt: number }>()
  #clock = 0

  constructor(database: Database, artifacts: ArtifactRecords, bounds: LookBounds = DEFAULT_BOUNDS) {
    this.#database = database
    this.#artifacts = artifacts
    this.#bounds = bounds
  }

  /** Without an engine, e.g. before a session is ready: the last used of any engine. */
  find(key: string, engine: EngineIdentity | undefined): Look | undefined {
    if (!engine) this.#writeUses()
    const row = engine
      ? this.#database.get('SELECT * FROM look WHERE key = ? AND engine = ?', key, hashJson(engine))
      : this.#database.get('SELECT * FROM look WHERE key = ? ORDER BY used_at DESC LIMIT 1', key)
    if (!row) return undefined
    try {
      const look = read(row)
      const found = { key, engine: String(row['engine']) }
      this.#used.set(`${key} ${found.engine}`, { ...found, usedAt: this.#tick() })
      return look
    } catch (error) {
      // Computing again is better than an error about a cache.
      if (error instanceof ConvScopeError && error.code === 'damaged') return undefined
      throw error
    }
  }

  /** The last used look of a document, on whatever engine and library. @throws ConvScopeError 'not-found' or 'damaged' */
  get(documentHash: string): Look {
    this.#writeUses()
    const row = this.#database.get(
      'SELECT * FROM look WHERE document_hash = ? ORDER BY used_at DESC LIMIT 1',
      documentHash,
    )
    if (row) return read(row)
    throw new ConvScopeError('not-found', 'This look is no longer in the history', { remedy: 'Look at it again.' })
  }

  /** Newest first. */
  history(limit = 50): Listing<PastLook> {
    this.#writeUses()
    const rows = this.#database.all('SELECT * FROM look ORDER BY used_at DESC LIMIT ?', limit)
    return readRows(rows, readPast, lookTitle)
  }

  /** Stores a look and prunes; the hashes that pruned looks named. */
  save(key: string, look: NewLook): string[] {
    const engine = hashJson(look.provenance.engine)
    const columns = [look.document, look.result, look.outputs, look.provenance].map((value) => JSON.stringify(value))
    const outputBytes = look.outputs.reduce((sum, { bytes }) => sum + bytes, 0)
    const bytes = outputBytes + columns.reduce((sum, text) => sum + text.length, 0)
    return this.#database.transaction(() => {
      this.#writeUses()
      this.#artifacts.record(look.outputs)
      this.#database.run(
        `INSERT OR REPLACE INTO look
         (key, engine, document_hash, document, result, outputs, provenance, bytes, created_at, used_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        key,
        engine,
        hashJson(look.document),
        ...columns,
        bytes,
        Date.now(),
        this.#tick(),
      )
      return this.#prune()
    })
  }

  /** One whose artifacts are gone. */
  forget(key: string): void {
    this.#database.run('DELETE FROM look WHERE key = ?', key)
  }

  /** Empties the history; the hashes it named. */
  clear(): string[] {
    return this.#removeWhere('used_at <= ?', Number.MAX_SAFE_INTEGER)
  }

  size(): LookBounds {
    const row = this.#database.get('SELECT count(*) AS looks, coalesce(sum(bytes), 0) AS bytes FROM look')
    return { looks: Number(row?.['looks']), bytes: Number(row?.['bytes']) }
  }

  /** Writes the uses that are only in memory. */
  flush(): void {
    this.#writeUses()
  }

  #prune(): string[] {
    const { looks, bytes } = this.size()
    if (looks <= this.#bounds.looks && bytes <= this.#bounds.bytes) return []
    let count = 0
    let sum = 0
    for (const row of this.#database.all('SELECT used_at, bytes FROM look ORDER BY used_at DESC')) {
      count++
      sum += Number(row['bytes'])
      // A little below the bounds, so that not every look has to prune. The one just made stays, however large it is.
      if (count > 1 && (count > this.#bounds.looks * KEPT || sum > this.#bounds.bytes * KEPT)) {
        return this.#removeWhere('used_at <= ?', Number(row['used_at']))
      }
    }
    return []
  }

  #removeWhere(condition: string, value: number): string[] {
    return this.#database.transaction(() => {
      const rows = this.#database.all(`SELECT outputs FROM look WHERE ${condition}`, value)
      this.#database.run(`DELETE FROM look WHERE ${condition}`, value)
      return rows.flatMap((row) => String(row['outputs']).match(/[0-9a-f]{64}/g) ?? [])
    })
  }

  #writeUses(): void {
    if (this.#used.size === 0) return
    this.#database.transaction(() => {
      for (const { key, engine, usedAt } of this.#used.values()) {
        this.#database.run('UPDATE look SET used_at = ? WHERE key = ? AND engine = ?', usedAt, key, engine)
      }
    })
    this.#used.clear()
  }

  /** Milliseconds that never repeat, so that the order of uses is total. */
  #tick(): number {
    if (this.#clock === 0)
      this.#clock = Number(this.#database.get('SELECT max(used_at) AS used FROM look')?.['used'] ?? 0)
    this.#clock = Math.max(Date.now(), this.#clock + 1)
    return this.#clock
  }
}

function lookTitle(row: Row): string {
  return `Look ${String(row['document_hash']).slice(0, 12)}`
}

function read(row: Row): Look {
  return parseRow(
    Look,
    {
      documentHash: row['document_hash'],
      document: jsonColumn(row, 'document', lookTitle(row)),
      result: jsonColumn(row, 'result', lookTitle(row)),
      outputs: parseRow(z.array(OutputRecord), jsonColumn(row, 'outputs', lookTitle(row)), lookTitle(row)),
      provenance: jsonColumn(row, 'provenance', lookTitle(row)),
      cached: true,
    },
    lookTitle(row),
  )
}

function readPast(row: Row): PastLook {
  const { documentHash, document, provenance, cached } = read(row)
  return { documentHash, document, provenance, cached, usedAt: Number(row['used_at']) }
}
