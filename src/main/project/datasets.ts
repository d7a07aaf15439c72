/** Data sets of the library. */
import { DatasetRecord } from '../../shared/datasets.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { hashJson } from '../platform/hash.ts'
import type { Database, Row } from './database.ts'
import { jsonColumn, parseRow, readRows, type Listing } from './rows.ts'

/** The hash that a record must carry: of the canonical JSON of format, shape, classes and splits. */
export function datasetHash(record: Pick<DatasetRecord, 'format' | 'shape' | 'classes' | 'splits'>): string {
  const { format, shape, classes, splits } = record
  return hashJson({ format, shape, classes, splits })
}

export class Datasets {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** By name, with a sentence for each that cannot be read. */
  list(): Listing<DatasetRecord> {
    return readRows(this.#database.all('SELECT * FROM dataset ORDER BY name'), read, title)
  }

  /** Letter case does not matter. @throws ConvScopeError 'not-found' or 'damaged' */
  get(name: string): DatasetRecord {
    const row = this.#database.get('SELECT * FROM dataset WHERE name = ?', name)
    if (row) return read(row)
    throw new ConvScopeError('not-found', `There is no data set "${name}" in the library`, {
      remedy: 'Choose one that the library lists, or import it.',
    })
  }

  has(name: string): boolean {
    return this.#database.get('SELECT 1 FROM dataset WHERE name = ?', name) !== undefined
  }

  /**
   * Adds a data set. One of the same name is replaced only where both are built in, or where `replace` says so.
   * @throws ConvScopeError 'conflict' for a name in use, 'damaged' where the hash is not the record's
   */
  save(record: DatasetRecord, { replace = false }: { replace?: boolean } = {}): void {
    const { name, title, format, shape, classes, splits, source, attribution, hash, addedAt } = parseRow(
      DatasetRecord,
      record,
      `Data set ${record.name}`,
    )
    if (hash !== datasetHash(record)) throw wrongHash(name)
    const old = this.#database.get('SELECT source FROM dataset WHERE name = ?', name)
    const mayReplace = replace || (old?.['source'] === 'built-in' && source === 'built-in')
    if (old && !mayReplace) {
      throw new ConvScopeError('conflict', `The library already has a data set "${name}"`, {
        remedy: 'Choose another name.',
      })
    }
    this.#database.run(
      `INSERT OR REPLACE INTO dataset (name, title, format, shape, classes, splits, source, attribution, hash, added_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      name,
      title,
      format,
      JSON.stringify(shape),
      JSON.stringify(classes),
      JSON.stringify(splits),
      source,
      attribution,
      hash,
      addedAt,
    )
  }

  /** Runs keep the hash of what they used. @throws ConvScopeError 'not-found', or 'conflict' for a built-in one */
  remove(name: string): void {
    const row = this.#database.get('SELECT source FROM dataset WHERE name = ?', name)
    if (!row) throw new ConvScopeError('not-found', `There is no data set "${name}" in the library`)
    if (row['source'] === 'built-in')
      throw new ConvScopeError('conflict', `The data set "${name}" comes with the program`)
    this.#database.run('DELETE FROM dataset WHERE name = ?', name)
  }
}

function read(row: Row): DatasetRecord {
  const record = parseRow(
    DatasetRecord,
    {
      name: row['name'],
      title: row['title'],
      format: row['format'],
      shape: jsonColumn(row, 'shape', title(row)),
      classes: jsonColumn(row, 'classes', title(row)),
      splits: jsonColumn(row, 'splits', title(row)),
      source: row['source'],
      attribution: row['attribution'],
      hash: row['hash'],
      addedAt: row['added_at'],
    },
    title(row),
  )
  if (record.hash !== datasetHash(record)) throw wrongHash(record.name)
  return record
}

function title(row: Row): string {
  return `Data set ${String(row['name'])}`
}

function wrongHash(name: string): ConvScopeError {
  return new ConvScopeError('damaged', `Data set ${name} does not have the hash it says`, {
    remedy: 'Import it again.',
  })
}
