import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Database } from './database.ts'
import { migrate, NewerProjectError } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import type { Migration } from './migrations/migration.ts'
import { temporaryFolder } from './testing/samples.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let file: string
let copies: string
const open: Database[] = []

beforeEach(async () => {
  temporary = await temporaryFolder()
  file = join(temporary.folder, 'project.sqlite')
  copies = join(temporary.folder, 'copies')
})

afterEach(async () => {
  for (const database of open.splice(0)) database.close()
  await temporary.remove()
})

function connect(): Database {
  const database = new Database(file)
  open.push(database)
  return database
}

const create = (version: number, sql: string): Migration => ({
  version,
  title: `step ${version}`,
  up: (database) => database.exec(sql),
})
const first = create(10, "CREATE TABLE one (a TEXT NOT NULL) STRICT; INSERT INTO one VALUES ('kept')")
const second = create(20, 'ALTER TABLE one ADD COLUMN b INTEGER')
const broken = create(30, 'CREATE TABLE three (a TEXT) STRICT; SELECT * FROM nowhere')

it('is set up as the design says', () => {
  const database = connect()
  const value = (pragma: string) => Object.values(database.get(`PRAGMA ${pragma}`) ?? {})[0]
  expect(value('journal_mode')).toBe('wal')
  expect(value('locking_mode')).toBe('exclusive')
  expect(value('synchronous')).toBe(2)
  expect(value('foreign_keys')).toBe(1)
  expect(value('trusted_schema')).toBe(0)
})

it('is refused to a second connection', () => {
  connect()
  expect(connect).toThrow(expect.objectContaining({ code: 'conflict' }))
})

it('takes a transaction whole or not at all, and refuses an asynchronous one', () => {
  const database = connect()
  database.exec('CREATE TABLE t (a INTEGER NOT NULL) STRICT')
  const add = (value: number) => database.run('INSERT INTO t VALUES (?)', value)
  expect(() =>
    database.transaction(() => {
      add(1)
      database.transaction(() => add(2))
      throw new Error('stop')
    }),
  ).toThrow('stop')
  expect(() => database.transaction(() => Promise.resolve(add(3)))).toThrow('asynchronous')
  expect(database.all('SELECT a FROM t')).toEqual([])
  database.transaction(() => add(4))
  expect(database.all('SELECT a FROM t')).toMatchObject([{ a: 4 }])
  expect(database.timings().find(({ sql }) => sql.startsWith('INSERT'))).toMatchObject({ calls: 4 })
})

it('refuses what is damaged, what belongs to another program, and what holds triggers', async () => {
  await writeFile(file, 'this is a text, and longer than the header of a database file would be'.repeat(20))
  expect(connect).toThrow(expect.objectContaining({ code: 'damaged', message: expect.stringContaining(file) }))
  file = join(temporary.folder, 'other.sqlite')
  const other = connect()
  other.exec('CREATE TABLE t (a) STRICT; PRAGMA application_id = 1'.replace('(a)', '(a TEXT)'))
  other.close()
  expect(connect).toThrow(expect.objectContaining({ code: 'unsupported' }))
  file = join(temporary.folder, 'hostile.sqlite')
  const hostile = connect()
  hostile.exec('CREATE TABLE t (a TEXT) STRICT; CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; END')
  hostile.close()
  expect(connect).toThrow(expect.objectContaining({ code: 'damaged', message: expect.stringContaining('triggers') }))
})

it('finds a page that was overwritten', async () => {
  const database = connect()
  database.exec('CREATE TABLE t (a TEXT NOT NULL) STRICT')
  database.transaction(() => {
    for (let row = 0; row < 500; row++) database.run('INSERT INTO t VALUES (?)', 'x'.repeat(100))
  })
  expect(database.check({ full: true })).toEqual([])
  database.close()
  const bytes = await readFile(file)
  bytes.fill(0xff, 3 * 4096, 4 * 4096)
  await writeFile(file, bytes)
  expect(connect().check()).not.toEqual([])
})

it('brings a new file to the present schema without a copy', () => {
  const database = connect()
  expect(migrate(database, copies)).toEqual({ from: 0, to: migrations.at(-1)?.version, copy: undefined })
  expect(migrate(database, copies)).toMatchObject({
    from: database.userVersion,
    to: database.userVersion,
    copy: undefined,
  })
  expect(database.check({ full: true })).toEqual([])
})

it('copies an older file before it is changed', () => {
  const database = connect()
  migrate(database, copies, [first])
  const { from, to, copy } = migrate(database, copies, [first, second])
  expect([from, to, database.userVersion]).toEqual([10, 20, 20])
  expect(database.all('SELECT * FROM one')).toMatchObject([{ a: 'kept', b: null }])
  file = copy ?? ''
  const before = connect()
  expect(before.userVersion).toBe(10)
  expect(before.all('SELECT * FROM one')).toMatchObject([{ a: 'kept' }])
})

it('leaves the old version whole where one of several steps fails', () => {
  const database = connect()
  migrate(database, copies, [first])
  expect(() => migrate(database, copies, [first, second, broken])).toThrow('nowhere')
  expect(database.userVersion).toBe(10)
  expect(Object.keys(database.get('SELECT * FROM one') ?? {})).toEqual(['a'])
  expect(database.get("SELECT 1 FROM sqlite_schema WHERE name = 'three'")).toBeUndefined()
})

it('refuses a file from the future, and steps out of order', () => {
  const database = connect()
  database.setUserVersion(99_990)
  expect(() => migrate(database, copies)).toThrow(NewerProjectError)
  expect(() => migrate(database, copies)).toThrow(
    expect.objectContaining({ code: 'unsupported', remedy: expect.stringContaining('newer') }),
  )
  expect(() => migrate(database, copies, [second, first])).toThrow('does not come after')
})

it('numbers its migrations in tens', () => {
  expect(migrations.length).toBeGreaterThan(0)
  for (const { version } of migrations) expect(version % 10).toBe(0)
})
