import type { Migration } from './migration.ts'

/** Where imported data sets come from, and what was computed of their splits. */
export const datasetSources: Migration = {
  version: 50,
  title: 'sources of data sets',
  up: (database) =>
    database.exec(`
      -- absolute folder of pictures that are read in place
      ALTER TABLE dataset ADD COLUMN location TEXT;
      ALTER TABLE dataset ADD COLUMN origin TEXT;
      -- split -> what was computed of it
      ALTER TABLE dataset ADD COLUMN statistics TEXT NOT NULL DEFAULT '{}';
    `),
}
