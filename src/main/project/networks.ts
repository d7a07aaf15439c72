/** Networks of the library. */
import { NetworkRecord } from '../../shared/network/page.ts'
import { hashJson } from '../platform/hash.ts'
import type { Database, Row } from './database.ts'
import { LibraryTable, requireHash } from './library-table.ts'
import { jsonColumn, optional, parseRow, toJsonColumn } from './rows.ts'

/** The hash that a record must carry: of the canonical JSON of `{ spec, weights }`. */
export function networkHash({ spec, weights }: { readonly spec: unknown; readonly weights: string }): string {
  return hashJson({ spec, weights })
}

export class Networks extends LibraryTable<NetworkRecord> {
  constructor(database: Database) {
    super(database, { table: 'network', thing: 'network', read })
  }

  /**
   * Adds a network. One of the same name is replaced only where both are built in, or where `replace` says so.
   * @throws ConvScopeError 'conflict' for a name in use, 'damaged' where the hash is not the record's
   */
  save(record: NetworkRecord, { replace = false }: { replace?: boolean } = {}): void {
    const { name, title, weights, source, runId, testError, origin, findings, hash, addedAt } = parseRow(
      NetworkRecord,
      record,
      this.title(record.name),
    )
    requireHash(hash, networkHash(record), this.title(name))
    this.requireFree(name, source, replace)
    this.database.run(
      `INSERT OR REPLACE INTO network (name, title, spec, weights, source, run_id, test_error, origin, findings, hash, added_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      name,
      title,
      // As given, without the defaults that reading fills in: what is stored is what is hashed, in later versions too.
      JSON.stringify(record.spec),
      weights,
      source,
      runId ?? null,
      toJsonColumn(testError),
      toJsonColumn(origin),
      toJsonColumn(findings),
      hash,
      addedAt,
    )
  }

  /** Gives it another name, under which nothing else may be; its hash stays. @throws ConvScopeError 'not-found' or 'damaged' */
  rename(name: string, to: string): void {
    this.get(name)
    this.database.run('UPDATE network SET name = ? WHERE name = ?', to, name)
  }
}

function read(row: Row, title: string): NetworkRecord {
  const spec = jsonColumn(row, 'spec', title)
  const members = {
    name: row['name'],
    title: row['title'],
    spec,
    weights: row['weights'],
    source: row['source'],
    runId: optional(row['run_id']),
    testError: jsonColumn(row, 'test_error', title),
    origin: jsonColumn(row, 'origin', title),
    findings: jsonColumn(row, 'findings', title),
    hash: row['hash'],
    addedAt: row['added_at'],
  }
  const record = parseRow(NetworkRecord, members, title)
  requireHash(record.hash, networkHash({ spec, weights: record.weights }), title)
  // A network keeps its hash when it is renamed; whoever speaks of it says the new name.
  return record.spec.name === record.name ? record : { ...record, spec: { ...record.spec, name: record.name } }
}
