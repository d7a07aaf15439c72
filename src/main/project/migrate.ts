/** Brings a database to the schema of this program, or refuses it. */
import { mkdirSync, openSync, fsyncSync, closeSync } from 'node:fs'
import { join } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'
import { createLogger } from '../platform/logger.ts'
import type { Database } from './database.ts'
import { migrations as allMigrations } from './migrations/index.ts'
import type { Migration } from './migrations/migration.ts'

const log = createLogger('database')

/** The project was written by a newer program. */
export class NewerProjectError extends ConvScopeError {
  constructor(file: string, version: number, newest: number) {
    super('unsupported', `"${file}" has schema ${version}; this program knows schemas up to ${newest}`, {
      remedy: 'Open it with a newer ConvScope.',
    })
    this.name = 'NewerProjectError'
  }
}

export interface MigrationResult {
  readonly from: number
  readonly to: number
  /** The copy made before, where there was something to copy. */
  readonly copy: string | undefined
}

/**
 * Runs all pending migrations in one transaction together with the version number; before that the file is copied into
 * `copiesFolder` unless it is new. A failure leaves the database as it was.
 * @throws NewerProjectError for a database from the future
 */
export function migrate(
  database: Database,
  copiesFolder: string,
  migrations: readonly Migration[] = allMigrations,
): MigrationResult {
  assertOrder(migrations)
  const from = database.userVersion
  const to = migrations.at(-1)?.version ?? 0
  if (from > to) throw new NewerProjectError(database.file, from, to)
  const pending = migrations.filter(({ version }) => version > from)
  if (pending.length === 0) return { from, to, copy: undefined }
  const copy = from === 0 ? undefined : copyBefore(database, copiesFolder, from)
  if (copy) log.info('migrating', { from, to, copy })
  database.transaction(() => {
    for (const { up } of pending) up(database)
    database.setUserVersion(to)
  })
  return { from, to, copy }
}

function assertOrder(migrations: readonly Migration[]): void {
  let last = 0
  for (const { version, title } of migrations) {
    if (version <= last) throw new Error(`migration ${version} (${title}) does not come after ${last}`)
    last = version
  }
}

function copyBefore(database: Database, copiesFolder: string, version: number): string {
  mkdirSync(copiesFolder, { recursive: true })
  const time = new Date().toISOString().replaceAll(/[-:]/g, '').slice(0, 15)
  const copy = join(copiesFolder, `project-${String(version).padStart(4, '0')}-${time}-${process.pid}.sqlite`)
  database.copyTo(copy)
  const descriptor = openSync(copy, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return copy
}
