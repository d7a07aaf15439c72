import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrationBench, type MigrationBench } from '../testing/migrated.ts'

let bench: MigrationBench

beforeEach(async () => {
  bench = await migrationBench()
})

afterEach(() => bench.close())

it('makes the tables of the library in an empty file', () => {
  expect(bench.schema()).toEqual({})
  bench.to(10)
  expect(Object.keys(bench.schema())).toEqual(['artifact', 'dataset', 'meta', 'network', 'setting'])
  expect(bench.database.userVersion).toBe(10)
})

it('holds types and hashes to their form, and names apart whatever their case', () => {
  bench.to(10)
  const add = (sha256: string, bytes: number | string) =>
    bench.database.run('INSERT INTO artifact VALUES (?, ?, 0)', sha256, bytes)
  add('a'.repeat(64), 5)
  expect(() => add('short', 5)).toThrow('CHECK')
  expect(() => add('b'.repeat(64), -1)).toThrow('CHECK')
  expect(() => add('c'.repeat(64), 'many')).toThrow('cannot store TEXT')
  const network = (name: string) =>
    bench.database.run("INSERT INTO network VALUES (?, '', '{}', '', '', NULL, NULL, '', 0)", name)
  network('VGG')
  expect(() => network('vgg')).toThrow('UNIQUE')
  expect(bench.rows('artifact')).toEqual([{ sha256: 'a'.repeat(64), bytes: 5, created_at: 0 }])
})
