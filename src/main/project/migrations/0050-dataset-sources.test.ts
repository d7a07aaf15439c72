import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrationBench, type MigrationBench } from '../testing/migrated.ts'

let bench: MigrationBench

beforeEach(async () => {
  bench = await migrationBench()
})

afterEach(() => bench.close())

it('leaves data sets as they were and gives them empty sources', () => {
  bench.to(30)
  bench.database.run(
    `INSERT INTO dataset (name, title, format, shape, classes, splits, source, attribution, hash, added_at)
     VALUES ('digits', 'Digits', 'idx', '[4,4,1]', '["0"]', '[]', 'imported', 'mine', 'h', 7)`,
  )
  const [before] = bench.rows('dataset')
  bench.to(50)
  expect(bench.rows('dataset')).toEqual([{ ...before, location: null, origin: null, statistics: '{}' }])
})
