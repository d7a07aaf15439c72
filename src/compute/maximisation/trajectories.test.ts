import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { EngineOutcome } from '../network/conformance/report-outcome.ts'
import { failures } from '../network/conformance/index.ts'

const folder = join(import.meta.dirname, '../../../tests/conformance')
const run = promisify(execFile)

describe('trajectories of regularised activation maximisation', () => {
  it.for([
    { name: 'tensorflow', required: process.env['CI'] !== undefined, lastStep: 50, leastRows: 260 },
    { name: 'wasm', required: true, lastStep: 2, leastRows: 170 },
    { name: 'tensorflow-cuda', required: false, lastStep: 50, leastRows: 260 },
    { name: 'webgpu', required: false, lastStep: 2, leastRows: 150 },
  ])('agree with an independent implementation on $name', async (engine, context) => {
    const script = join(import.meta.dirname, 'testing/engine-process.ts')
    const { stdout } = await run(process.execPath, [script, engine.name, folder, String(engine.lastStep)], {
      maxBuffer: 2 ** 26,
    })
    const outcome = JSON.parse(stdout) as EngineOutcome
    if ('unsupported' in outcome) {
      if (engine.required) throw new Error(outcome.unsupported)
      context.skip(outcome.unsupported)
      return
    }
    expect(failures(outcome.rows)).toEqual([])
    expect(outcome.rows.length).toBeGreaterThanOrEqual(engine.leastRows)
  })
})
