import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Failure } from '../lib/failure.mjs'
import { summarisePlaywright } from './playwright-summary.mjs'
import { describeResults, runCounted, runStage } from './stages.mjs'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convscope-stages-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('runStage', () => {
  it('counts success, failure and what is skipped as one each', async () => {
    expect(await runStage('a', () => Promise.resolve())).toMatchObject({ passed: 1, failed: 0, skipped: [] })
    const failed = await runStage('b', () => Promise.reject(new Failure('x', 'broken', 'mend it')))
    expect(failed).toMatchObject({ passed: 0, failed: 1, problem: 'broken\nmend it' })
    const skipped = await runStage('c', () => Promise.reject(new Failure('skip', 'no display')))
    expect(skipped).toMatchObject({ passed: 0, failed: 0, skipped: [{ name: 'c', reason: 'no display' }] })
  })
})

describe('runCounted', () => {
  const counted = (counts: object | undefined, code: number) => {
    const report = join(folder, 'report.json')
    return runCounted({
      report,
      read: (value: object) => value as never,
      run: () => {
        if (counts) writeFileSync(report, JSON.stringify({ passed: 0, failed: 0, skipped: [], ...counts }))
        return Promise.resolve(code)
      },
    })
  }

  it('takes the counts of the report', async () => {
    expect(await counted({ passed: 3 }, 0)).toMatchObject({ passed: 3, failed: 0 })
    expect(await counted({ passed: 3, failed: 2 }, 1)).toMatchObject({ passed: 3, failed: 2 })
  })

  it('counts a runner that fails, dies or runs nothing as a failure', async () => {
    expect(await counted({ passed: 3 }, 1)).toMatchObject({ passed: 3, failed: 1 })
    expect(await counted({}, 0)).toMatchObject({ failed: 1 })
    await expect(counted(undefined, 139)).rejects.toThrow(/no report \(exit code 139\)/)
  })

  it('does not read the report of an earlier run', async () => {
    await counted({ passed: 3 }, 0)
    await expect(counted(undefined, 0)).rejects.toThrow(/no report/)
  })
})

describe('describeResults', () => {
  it('ends with the sum, and gives every reason', () => {
    const lines = describeResults([
      { name: 'lint', seconds: 1.23, passed: 1, failed: 0, skipped: [] },
      { name: 'unit', seconds: 40, passed: 10, failed: 2, skipped: [{ name: 'webgpu', reason: 'no adapter' }] },
    ]).split('\n')
    expect(lines.at(-1)).toBe('11 passed, 2 failed, 1 skipped')
    expect(lines).toContain('skipped: webgpu: no adapter')
    expect(lines.find((line) => line.startsWith('unit'))).toMatch(/40\.0 s\s+10\s+2\s+1\s+FAILED$/)
    expect(lines.find((line) => line.startsWith('lint'))).toMatch(/ok$/)
  })
})

describe('summarisePlaywright', () => {
  it('counts tests in nested suites; flaky ones have failed', () => {
    const spec = (title: string, status: string, annotations: object[] = []) => ({
      title,
      tests: [{ status, annotations }],
    })
    const report = {
      errors: [{}],
      suites: [
        {
          title: 'open.spec.ts',
          specs: [spec('opens', 'expected')],
          suites: [
            {
              title: 'inner',
              specs: [
                spec('x', 'unexpected'),
                spec('y', 'flaky'),
                spec('z', 'skipped', [{ type: 'skip', description: 'why' }]),
              ],
            },
          ],
        },
      ],
    }
    expect(summarisePlaywright(report)).toEqual({
      passed: 1,
      failed: 3,
      skipped: [{ name: 'open.spec.ts > inner > z', reason: 'why' }],
    })
  })
})
