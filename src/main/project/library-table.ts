/** What the tables of the library have in common: things with a name, some of which come with the program. */
import { ConvScopeError } from '../../shared/errors.ts'
import { suggestNames } from '../../shared/nearest-names.ts'
import type { Database, Row } from './database.ts'
import { readRows, type Listing } from './rows.ts'

export interface LibraryTableOptions<T> {
  readonly table: 'network' | 'dataset'
  /** What messages call one of its things, in lower case. */
  readonly thing: string
  /** @throws ConvScopeError 'damaged' for a row that does not fit, or with another hash than it says */
  readonly read: (row: Row, title: string) => T
}

export class LibraryTable<T> {
  protected readonly database: Database
  readonly #options: LibraryTableOptions<T>

  constructor(database: Database, options: LibraryTableOptions<T>) {
    this.database = database
    this.#options = options
  }

  /** By name, with a sentence for each that cannot be read. */
  list(): Listing<T> {
    const rows = this.database.all(`SELECT * FROM ${this.#options.table} ORDER BY name`)
    const title = (row: Row): string => this.title(String(row['name']))
    return readRows(rows, (row) => this.#options.read(row, title(row)), title)
  }

  /** Letter case does not matter. @throws ConvScopeError 'not-found' or 'damaged' */
  get(name: string): T {
    const row = this.database.get(`SELECT * FROM ${this.#options.table} WHERE name = ?`, name)
    if (row) return this.#options.read(row, this.title(String(row['name'])))
    throw this.#notThere(name)
  }

  has(name: string): boolean {
    return this.#sourceOf(name) !== undefined
  }

  /** Runs keep the hash of what they used. @throws ConvScopeError 'not-found', or 'conflict' for a built-in one */
  remove(name: string): void {
    const source = this.#sourceOf(name)
    if (source === undefined) throw this.#notThere(name)
    if (source === 'built-in')
      throw new ConvScopeError('conflict', `The ${this.#options.thing} "${name}" comes with the program`)
    this.database.run(`DELETE FROM ${this.#options.table} WHERE name = ?`, name)
  }

  /** How messages begin that speak of one of the things. */
  protected title(name: string): string {
    const { thing } = this.#options
    return `${thing.charAt(0).toUpperCase()}${thing.slice(1)} ${name}`
  }

  /**
   * One of the same name may be replaced only where both are built in, or where `replace` says so.
   * @throws ConvScopeError 'conflict' for a name in use
   */
  protected requireFree(name: string, source: string, replace: boolean): void {
    const old = this.#sourceOf(name)
    if (old === undefined || replace || (old === 'built-in' && source === 'built-in')) return
    throw new ConvScopeError('conflict', `The library already has a ${this.#options.thing} "${name}"`, {
      remedy: 'Choose another name.',
    })
  }

  #sourceOf(name: string): unknown {
    return this.database.get(`SELECT source FROM ${this.#options.table} WHERE name = ?`, name)?.['source']
  }

  #notThere(name: string): ConvScopeError {
    const names = this.database.all(`SELECT name FROM ${this.#options.table} ORDER BY name`)
    const remedy = suggestNames(
      name,
      names.map((row) => String(row['name'])),
      'The library has',
    )
    return new ConvScopeError('not-found', `There is no ${this.#options.thing} "${name}" in the library`, { remedy })
  }
}

/** @throws ConvScopeError 'damaged' where they differ */
export function requireHash(stated: string, actual: string, title: string): void {
  if (stated === actual) return
  throw new ConvScopeError('damaged', `${title} does not have the hash it says`, { remedy: 'Import it again.' })
}
