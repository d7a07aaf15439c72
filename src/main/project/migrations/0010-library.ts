import type { Migration } from './migration.ts'

/** What a project holds besides its work: name, settings, artifacts, networks, data sets. */
export const library: Migration = {
  version: 10,
  title: 'library',
  up: (database) =>
    database.exec(`
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE artifact (
        sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
        bytes INTEGER NOT NULL CHECK (bytes >= 0),
        created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE network (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        title TEXT NOT NULL,
        spec TEXT NOT NULL,
        weights TEXT NOT NULL,
        source TEXT NOT NULL,
        run_id TEXT,
        test_error TEXT,
        hash TEXT NOT NULL,
        added_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE dataset (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        title TEXT NOT NULL,
        format TEXT NOT NULL,
        shape TEXT NOT NULL,
        classes TEXT NOT NULL,
        splits TEXT NOT NULL,
        source TEXT NOT NULL,
        attribution TEXT NOT NULL,
        hash TEXT NOT NULL,
        added_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `),
}
