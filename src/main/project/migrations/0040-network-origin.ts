import type { Migration } from './migration.ts'

/** What imported networks were read from, and what was noticed. */
export const networkOrigin: Migration = {
  version: 40,
  title: 'network-origin',
  up: (database) =>
    database.exec(`
      ALTER TABLE network ADD COLUMN origin TEXT;
      ALTER TABLE network ADD COLUMN findings TEXT;
    `),
}
