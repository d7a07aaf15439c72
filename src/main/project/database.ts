/** The project's SQLite connection. The one file that knows `node:sqlite`. */
import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { action } from '../../shared/actions.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { createLogger } from '../platform/logger.ts'

const log = createLogger('database')
const SLOW_QUERY_MS = 100

/** Written into the file's header: tells a project from any other SQLite file. "CVSC". */
export const APPLICATION_ID = 0x43565343

export type SqlValue = null | number | string | Uint8Array
export type Row = Readonly<Record<string, unknown>>

export interface QueryTiming {
  readonly sql: string
  readonly calls: number
  readonly totalMs: number
  readonly longestMs: number
}

/** A connection that can only be read through. */
export interface DatabaseReader {
  readonly file: string
  get(sql: string, ...parameters: SqlValue[]): Row | undefined
  all(sql: string, ...parameters: SqlValue[]): Row[]
  /** Whether the file is in order: nothing, or what SQLite complains about. `full` compares the indices too. */
  check(options?: { full?: boolean }): string[]
  timings(): QueryTiming[]
}

export class Database implements DatabaseReader {
  readonly file: string
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #timings = new Map<string, { calls: number; totalMs: number; longestMs: number }>()
  #depth = 0

  /**
   * Opens a file, or creates it.
   * @throws ConvScopeError 'damaged' for what is no SQLite file or a broken one, 'conflict' where another process has it
   * open, 'unsupported' for another program's file, 'disk' for what the disk refuses
   */
  constructor(file: string) {
    this.file = file
    this.#connection = this.#guard(() => new DatabaseSync(file, { enableForeignKeyConstraints: true, timeout: 500 }))
    try {
      this.#guard(() => this.#prepareConnection())
    } catch (error) {
      this.#connection.close()
      throw error
    }
  }

  #prepareConnection(): void {
    this.#connection.enableDefensive(true)
    // Exclusive before the first access: then no shared memory file exists and the system frees the lock with the process.
    for (const pragma of [
      'trusted_schema = OFF',
      'cell_size_check = ON',
      'locking_mode = EXCLUSIVE',
      'journal_mode = WAL',
      'synchronous = FULL',
    ]) {
      this.#connection.exec(`PRAGMA ${pragma}`)
    }
    // Takes the exclusive lock now, so that a second opener fails here and not in the middle of its work.
    this.#connection.exec('BEGIN EXCLUSIVE; COMMIT')
    const applicationId = this.pragma('application_id')
    const objects = Number(this.get('SELECT count(*) AS n FROM sqlite_schema')?.['n'])
    if (applicationId === 0 && objects === 0) this.#connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    else if (applicationId !== APPLICATION_ID) {
      throw new ConvScopeError('unsupported', `"${this.file}" is a database of another program`, {
        remedy: 'Choose the folder of a ConvScope project.',
      })
    }
    if (this.get("SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view') LIMIT 1")) {
      throw new ConvScopeError('damaged', `"${this.file}" holds triggers or views, which no ConvScope project has`, {
        remedy: 'Do not open projects from a source you do not trust.',
      })
    }
  }

  /** A pragma's number. `name` is never a user's text. */
  pragma(name: 'user_version' | 'application_id' | 'page_size' | 'page_count' | 'freelist_count'): number {
    return Number(this.get(`PRAGMA ${name}`)?.[name])
  }

  get userVersion(): number {
    return this.pragma('user_version')
  }

  setUserVersion(version: number): void {
    this.exec(`PRAGMA user_version = ${Math.trunc(version)}`)
  }

  /** Bytes of the file and of its log. */
  get bytes(): number {
    return [this.file, `${this.file}-wal`]
      .map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, bytes) => sum + bytes, 0)
  }

  get(sql: string, ...parameters: SqlValue[]): Row | undefined {
    return this.#timed(sql, (statement) => statement.get(...parameters))
  }

  all(sql: string, ...parameters: SqlValue[]): Row[] {
    return this.#timed(sql, (statement) => statement.all(...parameters))
  }

  /** Executes one statement; the number of rows it changed. */
  run(sql: string, ...parameters: SqlValue[]): number {
    return Number(this.#timed(sql, (statement) => statement.run(...parameters)).changes)
  }

  /** Several statements without parameters: schema and pragmas. */
  exec(sql: string): void {
    this.#guard(() => this.#connection.exec(sql))
  }

  /**
   * Everything in `work` happens or nothing does; on return it is on the disk. Inside another transaction it joins that one.
   * `work` must not be asynchronous: something else would get in between.
   */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.exec('BEGIN IMMEDIATE')
    this.#depth++
    try {
      const result = work()
      if (result instanceof Promise) throw new TypeError('a transaction cannot be asynchronous')
      this.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk may have rolled back already.
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
      throw error
    } finally {
      this.#depth--
    }
  }

  check({ full = false }: { full?: boolean } = {}): string[] {
    const problems: string[] = []
    try {
      const pages = this.all(`PRAGMA ${full ? 'integrity_check' : 'quick_check'}(20)`)
      problems.push(...pages.map((row) => String(Object.values(row)[0])).filter((message) => message !== 'ok'))
      const orphans = this.all('PRAGMA foreign_key_check').slice(0, 20)
      problems.push(...orphans.map((row) => `a row of ${String(row['table'])} refers to nothing`))
    } catch (error) {
      if (!(error instanceof ConvScopeError) || error.code !== 'damaged') throw error
      problems.push(error.details ?? error.message)
    }
    return problems
  }

  /** A compact copy in a new file. */
  copyTo(file: string): void {
    this.run('VACUUM INTO ?', file)
  }

  timings(): QueryTiming[] {
    return [...this.#timings].map(([sql, timing]) => ({ sql, ...timing })).sort((a, b) => b.totalMs - a.totalMs)
  }

  close(): void {
    this.#statements.clear()
    if (this.#connection.isOpen) this.#connection.close()
  }

  #timed<T>(sql: string, work: (statement: StatementSync) => T): T {
    const startedAt = performance.now()
    const result = this.#guard(() => {
      let statement = this.#statements.get(sql)
      if (!statement) this.#statements.set(sql, (statement = this.#connection.prepare(sql)))
      return work(statement)
    })
    const ms = performance.now() - startedAt
    const timing = this.#timings.get(sql) ?? { calls: 0, totalMs: 0, longestMs: 0 }
    timing.calls++
    timing.totalMs += ms
    timing.longestMs = Math.max(timing.longestMs, ms)
    this.#timings.set(sql, timing)
    if (ms > SLOW_QUERY_MS) log.warn('slow query', { ms: Math.round(ms), sql })
    return result
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw this.#translated(error)
    }
  }

  #translated(error: unknown): unknown {
    const code = sqliteCode(error)
    if (code === undefined || !(error instanceof Error)) return error
    const details = { cause: error, details: `SQLite ${code}: ${error.message}` }
    const cannotWrite = `"${this.file}" cannot be written`
    switch (code & 0xff) {
      case SQLITE.corrupt:
      case SQLITE.notADatabase:
        return new ConvScopeError('damaged', `The project database "${this.file}" is damaged`, {
          ...details,
          remedy: `${action('examine-project')} A copy from before the last upgrade is in the folder "copies" of the project.`,
        })
      case SQLITE.busy:
      case SQLITE.locked:
        return new ConvScopeError('conflict', `"${this.file}" is in use by another process`, {
          ...details,
          remedy: 'Close the program that has the project open.',
        })
      case SQLITE.full:
        return new ConvScopeError('disk', `${cannotWrite}: the disk is full`, {
          ...details,
          remedy: 'Free some space and try again.',
        })
      case SQLITE.readOnly:
      case SQLITE.cannotOpen:
      case SQLITE.permission:
        return new ConvScopeError('disk', `${cannotWrite}: it is read-only or not accessible`, {
          ...details,
          remedy: 'Change the permissions of the folder or choose another one.',
        })
      case SQLITE.inputOutput:
        return new ConvScopeError('disk', `"${this.file}" cannot be read or written: the disk reports an error`, {
          ...details,
          remedy: 'Check the disk and its free space, then try again.',
        })
      default:
        return error
    }
  }
}

const SQLITE = {
  permission: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const

function sqliteCode(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode
    : undefined
}
