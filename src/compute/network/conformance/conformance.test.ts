import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import type { EngineOutcome } from './report-outcome.ts'
import { failures, runNetworkConformance, type Row } from './index.ts'

const folder = join(import.meta.dirname, '../../../../tests/conformance')
const run = promisify(execFile)
/** Every engine runs the same table; fewer rows would mean that a part of it was lost. */
const LEAST_ROWS = 900

function expectAll(rows: readonly Row[]): void {
  expect(failures(rows)).toEqual([])
  expect(rows.length).toBeGreaterThanOrEqual(LEAST_ROWS)
}

describe('conformance of the network core', () => {
  it('holds on cpu, and leaves no tensor behind', async () => {
    await tf.setBackend('cpu')
    const before = tf.memory().numTensors
    expectAll(await runNetworkConformance(tf, folder))
    expect(tf.memory().numTensors).toBe(before)
  })

  it.for([
    { name: 'tensorflow', required: process.env['CI'] !== undefined },
    { name: 'wasm', required: true },
    { name: 'tensorflow-cuda', required: false },
    { name: 'webgpu', required: false },
  ])('holds on $name', async ({ name, required }, context) => {
    const script = join(import.meta.dirname, 'engine-process.ts')
    const { stdout } = await run(process.execPath, [script, name, folder], { maxBuffer: 2 ** 26 })
    const outcome = JSON.parse(stdout) as EngineOutcome
    if ('unsupported' in outcome) {
      if (required) throw new Error(outcome.unsupported)
      context.skip(outcome.unsupported)
      return
    }
    expectAll(outcome.rows)
  })
})
