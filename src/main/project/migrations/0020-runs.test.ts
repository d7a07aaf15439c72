import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrationBench, type MigrationBench } from '../testing/migrated.ts'

const HASH = 'a'.repeat(64)
let bench: MigrationBench

beforeEach(async () => {
  bench = await migrationBench()
})

afterEach(() => bench.close())

function addRun(id: string, state = 'queued'): void {
  bench.database.run(
    `INSERT INTO run (id, kind, title, document_hash, library, state, created_at, queued_at, document)
     VALUES (?, 'deconvnet', '', ?, '{}', ?, 1, 1, '{}')`,
    id,
    HASH,
    state,
  )
}

it('leaves the library as it was', () => {
  bench.to(10)
  bench.database.run('INSERT INTO artifact VALUES (?, 5, 1)', HASH)
  bench.database.run("INSERT INTO meta VALUES ('name', 'kept')")
  bench.database.run("INSERT INTO setting VALUES ('theme', '\"dark\"')")
  const before = ['artifact', 'meta', 'setting'].map(bench.rows)
  bench.to(20)
  expect(['artifact', 'meta', 'setting'].map(bench.rows)).toEqual(before)
  expect(Object.keys(bench.schema())).toEqual([
    ...['artifact', 'checkpoint', 'dataset', 'job_event', 'meta', 'network', 'run', 'run_output', 'setting'],
  ])
})

it('starts a run with no attempts and no numbers reserved, and knows its states', () => {
  bench.to(20)
  addRun('r')
  expect(bench.rows('run')).toMatchObject([{ id: 'r', attempts: 0, reserved_seq: 0, result: null, finished_at: null }])
  expect(() => addRun('s', 'sleeping')).toThrow('CHECK')
})

it('lets outputs, events and the checkpoint go with their run, and keeps named artifacts', () => {
  bench.to(20)
  addRun('r')
  const output = () =>
    bench.database.run("INSERT INTO run_output VALUES ('r', 0, 'weights', 'weights', ?, 5, NULL, NULL)", HASH)
  expect(output).toThrow('FOREIGN KEY')
  bench.database.run('INSERT INTO artifact VALUES (?, 5, 1)', HASH)
  output()
  expect(output).toThrow('UNIQUE')
  bench.database.run("INSERT INTO job_event VALUES ('r', 1, 'queued', 1, '{}')")
  bench.database.run("INSERT INTO checkpoint VALUES ('r', 7, ?, 1)", HASH)
  expect(() => bench.database.run('DELETE FROM artifact')).toThrow('FOREIGN KEY')
  bench.database.run("DELETE FROM run WHERE id = 'r'")
  expect(['run_output', 'job_event', 'checkpoint'].map(bench.rows)).toEqual([[], [], []])
  expect(bench.rows('artifact')).toHaveLength(1)
})
