import type { Migration } from './migration.ts'

/** The bounded history of what was looked at. */
export const looks: Migration = {
  version: 30,
  title: 'looks',
  up: (database) =>
    database.exec(`
      CREATE TABLE look (
        -- hash of document, library hashes and program version
        key TEXT NOT NULL,
        -- hash of the engine's identity
        engine TEXT NOT NULL,
        document_hash TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL,
        document TEXT NOT NULL,
        outputs TEXT NOT NULL,
        provenance TEXT NOT NULL,
        result TEXT NOT NULL,
        PRIMARY KEY (key, engine)
      ) STRICT;
      CREATE INDEX look_by_use ON look (used_at, bytes);
      CREATE INDEX look_by_document ON look (document_hash);
    `),
}
