import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { EngineOutcome } from '../network/conformance/report-outcome.ts'
import { failures } from '../network/conformance/index.ts'

const run = promisify(execFile)
/** Fewer would mean that a file was lost. */
const LEAST_ROWS = 140

describe('imported networks', () => {
  it.for([
    { name: 'tensorflow', required: process.env['CI'] !== undefined },
    { name: 'wasm', required: true },
    { name: 'tensorflow-cuda', required: false },
    { name: 'webgpu', required: false },
  ])('compute on $name what their own libraries compute', async ({ name, required }, context) => {
    const script = join(import.meta.dirname, 'testing/engine-process.ts')
    const { stdout } = await run(process.execPath, [script, name], { maxBuffer: 2 ** 26 })
    const outcome = JSON.parse(stdout) as EngineOutcome
    if ('unsupported' in outcome) {
      if (required) throw new Error(outcome.unsupported)
      context.skip(outcome.unsupported)
      return
    }
    expect(failures(outcome.rows)).toEqual([])
    expect(outcome.rows.length).toBeGreaterThanOrEqual(LEAST_ROWS)
  })
})
