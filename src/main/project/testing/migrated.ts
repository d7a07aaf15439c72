/** A database at the schema before or after a migration, for the migrations' tests. */
import { join } from 'node:path'
import { Database, type Row } from '../database.ts'
import { migrate } from '../migrate.ts'
import { migrations } from '../migrations/index.ts'
import { temporaryFolder } from './samples.ts'

export interface MigrationBench {
  readonly database: Database
  /** Brings the database to exactly this version. */
  readonly to: (version: number) => void
  /** Table → its columns. */
  readonly schema: () => Record<string, string[]>
  readonly rows: (table: string) => Row[]
  readonly close: () => Promise<void>
}

export async function migrationBench(): Promise<MigrationBench> {
  const { folder, remove } = await temporaryFolder()
  const database = new Database(join(folder, 'project.sqlite'))
  const tables = () =>
    database.all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").map((row) => String(row['name']))
  const columns = (table: string) =>
    database.all('SELECT name FROM pragma_table_info(?)', table).map((row) => String(row['name']))
  return {
    database,
    to: (version) =>
      migrate(
        database,
        join(folder, 'copies'),
        migrations.filter((step) => step.version <= version),
      ),
    schema: () => Object.fromEntries(tables().map((table) => [table, columns(table)])),
    rows: (table) => database.all(`SELECT * FROM ${table}`).map((row) => ({ ...row })),
    close: async () => {
      database.close()
      await remove()
    },
  }
}
