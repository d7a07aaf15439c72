/** Networks of the library. */
import { ConvScopeError } from '../../shared/errors.ts'
import { NetworkRecord } from '../../shared/network/page.ts'
import { hashJson } from '../platform/hash.ts'
import type { Database, Row } from './database.ts'
import { jsonColumn, optional, parseRow, readRows, toJsonColumn, type Listing } from './rows.ts'

/** The hash that a record must carry: of the canonical JSON of `{ spec, weights }`. */
export function networkHash({ spec, weights }: { readonly spec: unknown; readonly weights: string }): string {
  return hashJson({ spec, weights })
}

export class Networks {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** By name, with a sentence for each that cannot be read. */
  list(): Listing<NetworkRecord> {
    return readRows(this.#database.all('SELECT * FROM network ORDER BY name'), read, title)
  }

  /** Letter case does not matter. @throws ConvScopeError 'not-found' or 'damaged' */
  get(name: string): NetworkRecord {
    const row = this.#database.get('SELECT * FROM network WHERE name = ?', name)
    if (row) return read(row)
    throw new ConvScopeError('not-found', `There is no network "${name}" in the library`, {
      remedy: 'Choose one that the library lists, or import it.',
    })
  }

  has(name: string): boolean {
    return this.#database.get('SELECT 1 FROM network WHERE name = ?', name) !== undefined
  }

  /**
   * Adds a network. One of the same name is replaced only where both are built in, or where `replace` says so.
   * @throws ConvScopeError 'conflict' for a name in use, 'damaged' where the hash is not the record's
   */
  save(record: NetworkRecord, { replace = false }: { replace?: boolean } = {}): void {
    const { name, title, weights, source, runId, testError, hash, addedAt } = parseRow(
      NetworkRecord,
      record,
      `Network ${record.name}`,
    )
    if (hash !== networkHash(record)) throw wrongHash(name)
    const old = this.#database.get('SELECT source FROM network WHERE name = ?', name)
    const mayReplace = replace || (old?.['source'] === 'built-in' && source === 'built-in')
    if (old && !mayReplace) throw nameInUse(name)
    this.#database.run(
      `INSERT OR REPLACE INTO network (name, title, spec, weights, source, run_id, test_error, hash, added_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      name,
      title,
      // As given, without the defaults that reading fills in: what is stored is what is hashed, in later versions too.
      JSON.stringify(record.spec),
      weights,
      source,
      runId ?? null,
      toJsonColumn(testError),
      hash,
      addedAt,
    )
  }

  /** Runs keep the hash of what they used. @throws ConvScopeError 'not-found', or 'conflict' for a built-in one */
  remove(name: string): void {
    const row = this.#database.get('SELECT source FROM network WHERE name = ?', name)
    if (!row) throw new ConvScopeError('not-found', `There is no network "${name}" in the library`)
    if (row['source'] === 'built-in')
      throw new ConvScopeError('conflict', `The network "${name}" comes with the program`)
    this.#database.run('DELETE FROM network WHERE name = ?', name)
  }
}

function read(row: Row): NetworkRecord {
  const spec = jsonColumn(row, 'spec', title(row))
  const record = parseRow(
    NetworkRecord,
    {
      name: row['name'],
      title: row['title'],
      spec,
      weights: row['weights'],
      source: row['source'],
      runId: optional(row['run_id']),
      testError: jsonColumn(row, 'test_error', title(row)),
      hash: row['hash'],
      addedAt: row['added_at'],
    },
    title(row),
  )
  if (record.hash !== networkHash({ spec, weights: record.weights })) throw wrongHash(record.name)
  return record
}

function title(row: Row): string {
  return `Network ${String(row['name'])}`
}

function wrongHash(name: string): ConvScopeError {
  return new ConvScopeError('damaged', `Network ${name} does not have the hash it says`, { remedy: 'Import it again.' })
}

function nameInUse(name: string): ConvScopeError {
  return new ConvScopeError('conflict', `The library already has a network "${name}"`, {
    remedy: 'Choose another name.',
  })
}
