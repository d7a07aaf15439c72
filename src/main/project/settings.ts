/** Choices that belong to a project, each a JSON value under a key. */
import type * as z from 'zod'
import { createLogger } from '../platform/logger.ts'
import type { Database } from './database.ts'
import { jsonColumn } from './rows.ts'

const log = createLogger('settings')

export class ProjectSettings {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The stored value, or `fallback` where there is none or it does not fit the schema (which is logged). */
  get<S extends z.ZodType>(key: string, schema: S, fallback: z.infer<S>): z.infer<S> {
    const row = this.#database.get('SELECT value FROM setting WHERE key = ?', key)
    if (!row) return fallback
    try {
      return schema.parse(jsonColumn(row, 'value', `Setting ${key}`))
    } catch {
      log.warn('a stored setting does not fit and is ignored', { key })
      return fallback
    }
  }

  /** `value` must be JSON. */
  set(key: string, value: unknown): void {
    this.#database.run('INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)', key, JSON.stringify(value))
  }

  remove(key: string): void {
    this.#database.run('DELETE FROM setting WHERE key = ?', key)
  }
}
