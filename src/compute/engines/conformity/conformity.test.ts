/** Every engine that is present here against the whole conformity table, each in a process of its own. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { EngineName } from '../../../shared/engines.ts'
import { defaultCacheFolder, holdsTensorflow, tensorflowFolder } from '../folders.ts'
import type { EngineCheck } from './check-engine.ts'
import { softwareGpuEnvironment } from './software-gpu.ts'

const folder = mkdtempSync(join(tmpdir(), 'convscope-conformity-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function check(name: EngineName, environment: Record<string, string> = {}, ...rest: string[]): Promise<EngineCheck> {
  const options = JSON.stringify({ threads: 2, allowSoftware: true })
  const child = spawn(process.execPath, [join(import.meta.dirname, 'check-engine.ts'), name, options, ...rest], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let log = ''
    child.stderr?.on('data', (piece: Buffer) => (log += piece.toString()))
    child.stdio[3]?.on('data', (piece: Buffer) => pieces.push(piece))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(pieces).toString()) as EngineCheck)
      else reject(new Error(`the check of ${name} ended with ${code}: ${log.slice(-3000)}`))
    })
  })
}

function obstacleHere(name: EngineName): string | undefined {
  if (name === 'tensorflow' && !holdsTensorflow(tensorflowFolder('cpu', undefined, defaultCacheFolder()))) {
    return "TensorFlow's library is not installed"
  }
  if (name === 'webgpu' && softwareGpuEnvironment(folder) === undefined) return 'there is no software GPU'
  return undefined
}

let plain: Promise<EngineCheck> | undefined
const plainCheck = (): Promise<EngineCheck> => (plain ??= check('cpu'))

describe.each(['cpu', 'wasm', 'tensorflow', 'webgpu'] as const)('engine %s', (name) => {
  const reason = obstacleHere(name)
  if (reason !== undefined && !(name === 'tensorflow' && process.env['CI'])) {
    process.stderr.write(`The conformity of ${name} is not tested: ${reason}\n`)
    test.skip(`is not tested: ${reason}`, () => undefined)
    return
  }

  test('agrees with double precision, central differences and the plain kernels', async () => {
    expect(reason).toBeUndefined()
    const result = await (name === 'cpu'
      ? plainCheck()
      : check(name, name === 'webgpu' ? softwareGpuEnvironment(folder) : {}))
    expect(result.identity).toMatchObject({ name })
    expect(result.rows.filter((row) => !row.passed)).toEqual([])
    for (const against of name === 'cpu' ? ['float64', 'differences'] : ['float64', 'differences', 'cpu']) {
      expect(result.rows.filter((row) => row.against === against).length).toBeGreaterThan(60)
    }
    expect(result.tensorsLeft).toBe(0)

    // The same training run everywhere: bit for bit where it is promised, closely elsewhere.
    const [first, second] = result.trainings
    const { deterministic } = result.identity as { deterministic: boolean }
    expect(deterministic).toBe(name !== 'webgpu')
    if (deterministic) expect(second).toBe(first)
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    const { losses } = await plainCheck()
    expect(result.losses).toHaveLength(5)
    expect(losses[4]).toBeLessThan(losses[0] ?? 0)
    result.losses.forEach((loss, index) => expect(loss).toBeCloseTo(losses[index] ?? NaN, 4))

    if (name === 'tensorflow' || name === 'wasm') {
      const again = await check(name, {}, 'training-only')
      expect(again.trainings).toEqual(result.trainings)
    }
  })
})
