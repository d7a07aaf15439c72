import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrationBench, type MigrationBench } from '../testing/migrated.ts'

let bench: MigrationBench

beforeEach(async () => {
  bench = await migrationBench()
})

afterEach(() => bench.close())

function addLook(key: string, engine: string, usedAt: number): void {
  bench.database.run("INSERT INTO look VALUES (?, ?, 'd', 100, 1, ?, '{}', '[]', '{}', '{}')", key, engine, usedAt)
}

it('leaves runs and their events as they were', () => {
  bench.to(20)
  bench.database.run(
    `INSERT INTO run (id, kind, title, document_hash, library, state, created_at, queued_at, document)
     VALUES ('r', 'deconvnet', 'kept', '', '{}', 'done', 1, 1, '{}')`,
  )
  bench.database.run("INSERT INTO job_event VALUES ('r', 1, 'queued', 1, '{}')")
  const before = ['run', 'job_event'].map(bench.rows)
  bench.to(30)
  expect(['run', 'job_event'].map(bench.rows)).toEqual(before)
  expect(bench.schema()['look']).toEqual([
    ...[
      'key',
      'engine',
      'document_hash',
      'bytes',
      'created_at',
      'used_at',
      'document',
      'outputs',
      'provenance',
      'result',
    ],
  ])
})

it('holds one look for each key and engine', () => {
  bench.to(30)
  addLook('k', 'cpu', 1)
  addLook('k', 'wasm', 2)
  expect(() => addLook('k', 'cpu', 3)).toThrow('UNIQUE')
})
