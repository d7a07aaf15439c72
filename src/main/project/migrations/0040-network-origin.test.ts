import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrationBench, type MigrationBench } from '../testing/migrated.ts'

let bench: MigrationBench

beforeEach(async () => {
  bench = await migrationBench()
})

afterEach(() => bench.close())

it('leaves networks as they were, of unknown origin', () => {
  bench.to(30)
  bench.database.run(
    `INSERT INTO network (name, title, spec, weights, source, hash, added_at)
     VALUES ('net', 'A network', '{}', 'w', 'trained', 'h', 7)`,
  )
  const [before] = bench.rows('network')
  bench.to(40)
  expect(bench.rows('network')).toEqual([{ ...before, origin: null, findings: null }])
})
