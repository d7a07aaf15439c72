import type { Migration } from './migration.ts'

/** Runs with their outputs, events and checkpoints. */
export const runs: Migration = {
  version: 20,
  title: 'runs',
  up: (database) =>
    database.exec(`
      CREATE TABLE run (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        title TEXT NOT NULL,
        document_hash TEXT NOT NULL,
        -- hashes of the networks and data sets it was asked for with
        library TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'done', 'failed', 'cancelled')),
        error TEXT,
        -- how often it was begun without coming to an end
        attempts INTEGER NOT NULL DEFAULT 0,
        -- no event up to this number is given out again after a kill
        reserved_seq INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        queued_at INTEGER NOT NULL,
        finished_at INTEGER,
        deleted_at INTEGER,
        document TEXT NOT NULL,
        provenance TEXT,
        result TEXT
      ) STRICT;
      CREATE INDEX run_by_state ON run (state, queued_at);
      CREATE INDEX run_by_creation ON run (created_at);
      CREATE TABLE run_output (
        run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        sha256 TEXT NOT NULL REFERENCES artifact (sha256),
        bytes INTEGER NOT NULL,
        shape TEXT,
        dtype TEXT,
        PRIMARY KEY (run_id, kind, name)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX run_output_by_artifact ON run_output (sha256);
      CREATE TABLE job_event (
        run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL CHECK (seq > 0),
        type TEXT NOT NULL,
        at INTEGER NOT NULL,
        -- the members of the event that its type adds
        body TEXT NOT NULL,
        PRIMARY KEY (run_id, seq)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE checkpoint (
        run_id TEXT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
        step INTEGER NOT NULL,
        sha256 TEXT NOT NULL REFERENCES artifact (sha256),
        created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX checkpoint_by_artifact ON checkpoint (sha256);
    `),
}
