/** Data sets of the library. */
import * as z from 'zod'
import { DatasetRecord, SplitStatistics } from '../../shared/datasets.ts'
import { hashJson } from '../platform/hash.ts'
import type { Database, Row } from './database.ts'
import { LibraryTable, requireHash } from './library-table.ts'
import { jsonColumn, optional, parseRow, toJsonColumn } from './rows.ts'

/** The hash that a record must carry: of the canonical JSON of format, shape, classes and splits. */
export function datasetHash(record: Pick<DatasetRecord, 'format' | 'shape' | 'classes' | 'splits'>): string {
  const { format, shape, classes, splits } = record
  return hashJson({ format, shape, classes, splits })
}

export class Datasets extends LibraryTable<DatasetRecord> {
  constructor(database: Database) {
    super(database, { table: 'dataset', thing: 'data set', read })
  }

  /**
   * Adds a data set. One of the same name is replaced only where both are built in, or where `replace` says so.
   * @throws ConvScopeError 'conflict' for a name in use, 'damaged' where the hash is not the record's
   */
  save(record: DatasetRecord, { replace = false }: { replace?: boolean } = {}): void {
    const { name, title, format, shape, classes, splits, source, attribution, location, origin, hash, addedAt } =
      parseRow(DatasetRecord, record, this.title(record.name))
    requireHash(hash, datasetHash(record), this.title(name))
    this.requireFree(name, source, replace)
    this.database.run(
      `INSERT OR REPLACE INTO dataset (name, title, format, shape, classes, splits, source, attribution, location, origin, hash, added_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      name,
      title,
      format,
      JSON.stringify(shape),
      JSON.stringify(classes),
      JSON.stringify(splits),
      source,
      attribution,
      location ?? null,
      toJsonColumn(origin),
      hash,
      addedAt,
    )
  }

  /** What was once computed of a split; undefined where nothing was, or where it cannot be read. */
  statistics(name: string, split: string): SplitStatistics | undefined {
    const row = this.database.get('SELECT statistics FROM dataset WHERE name = ?', name)
    const stored = StoredStatistics.safeParse(row && jsonColumn(row, 'statistics', this.title(name)))
    return stored.success ? stored.data[split] : undefined
  }

  /** Keeps what was computed; the data set's own content stays as it is. */
  saveStatistics(name: string, statistics: SplitStatistics): void {
    this.database.run(
      'UPDATE dataset SET statistics = json_set(statistics, ?, json(?)) WHERE name = ?',
      `$.${JSON.stringify(statistics.split)}`,
      JSON.stringify(statistics),
      name,
    )
  }
}

const StoredStatistics = z.record(z.string(), SplitStatistics)

function read(row: Row, title: string): DatasetRecord {
  const members = {
    name: row['name'],
    title: row['title'],
    format: row['format'],
    shape: jsonColumn(row, 'shape', title),
    classes: jsonColumn(row, 'classes', title),
    splits: jsonColumn(row, 'splits', title),
    source: row['source'],
    attribution: row['attribution'],
    location: optional(row['location']),
    origin: jsonColumn(row, 'origin', title),
    hash: row['hash'],
    addedAt: row['added_at'],
  }
  const record = parseRow(DatasetRecord, members, title)
  requireHash(record.hash, datasetHash(record), title)
  return record
}
