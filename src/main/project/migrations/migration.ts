import type { Database } from '../database.ts'

/** One step of the schema. Numbers rise in tens, so that a correction can be put in between. */
export interface Migration {
  readonly version: number
  readonly title: string
  /** Runs inside the one transaction of all pending steps. */
  readonly up: (database: Database) => void
}
