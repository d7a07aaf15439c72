import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import * as workerThreads from 'node:worker_threads'
import { afterAll, describe, expect, test } from 'vitest'
import { action } from '../../shared/actions.ts'
import { ENGINE_NAMES, type EngineReport } from '../../shared/engines.ts'
import { probeEngine } from './probe-engine.ts'
import { measure, rankEngines, startEngine } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'convscope-engines-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const report = (
  name: EngineReport['name'],
  calibrationMs: number | undefined,
  state: EngineReport['state'] = 'available',
): EngineReport => ({
  name,
  state,
  reason: 'test',
  calibrationMs,
})

describe('the choice of an engine', () => {
  test('takes the fastest, and within a tenth the earlier name', () => {
    expect(rankEngines([report('tensorflow', 50), report('wasm', 20)])).toEqual(['wasm', 'tensorflow'])
    expect(rankEngines([report('wasm', 50), report('tensorflow', 54)])).toEqual(['tensorflow', 'wasm'])
    expect(rankEngines([report('wasm', 50), report('tensorflow', 56)])).toEqual(['wasm', 'tensorflow'])
  })

  test('leaves out what did not pass', () => {
    const reports = [report('webgpu', 1, 'failed'), report('tensorflow', undefined, 'unavailable'), report('wasm', 90)]
    expect(rankEngines(reports)).toEqual(['wasm'])
  })

  test('a wish that cannot be met is refused with the reason and the remedy', async () => {
    await expect(
      startEngine('tensorflow', { tensorflowFolder: join(folder, 'nothing'), cacheFolder: folder }),
    ).rejects.toMatchObject({
      code: 'unsupported',
      message: "TensorFlow's library is not installed",
      remedy: expect.stringContaining(action('install-engine')),
    })
  })

  test('a folder with something else than the library is refused with the reason', async () => {
    for (const name of ['libtensorflow_framework.so.2', 'libtensorflow_cc.so.2'])
      writeFileSync(join(folder, name), 'no library')
    await expect(startEngine('tensorflow', { tensorflowFolder: folder, cacheFolder: folder })).rejects.toMatchObject({
      code: 'unsupported',
    })
  })

  test('a process that dies while it tries an engine becomes a report', async () => {
    const script = join(folder, 'dies.mjs')
    writeFileSync(script, `process.stderr.write('driver exploded'); process.abort()`)
    const answer = await probeEngine('wasm', {}, { probePath: script })
    expect(answer).toMatchObject({ name: 'wasm', state: 'failed' })
    expect(answer.reason).toContain('driver exploded')
  })

  test('auto calibrates once, remembers it, and reports every engine', async () => {
    const options = {
      tensorflowFolder: join(folder, 'nothing'),
      cudaFolder: join(folder, 'nothing'),
      cacheFolder: folder,
      threads: 2,
    }
    const cores = cpus().length
    const { engine, reports } = await startEngine('auto', options)
    expect(reports.map(({ name }) => name).sort()).toEqual([...ENGINE_NAMES].sort())
    const taken = reports.filter(({ state }) => state === 'taken')
    expect(taken).toHaveLength(1)
    expect(taken[0]).toMatchObject({ name: engine.identity.name, identity: engine.identity })
    expect(taken[0]?.calibrationMs).toBeGreaterThan(0)
    expect(reports.find(({ name }) => name === 'tensorflow')).toMatchObject({
      state: 'unavailable',
      reason: `TensorFlow's library is not installed. ${action('install-engine')}`,
    })
    expect(engine.tf.getBackend()).toBe(engine.identity.name)
    const speed = await measure(engine)
    expect(speed.matmulGflops).toBeGreaterThan(0.1)
    expect(speed.convolutionGflops).toBeGreaterThan(0.1)
    expect(speed.stepMs).toBeGreaterThan(0)
    // WebAssembly has no graphs.
    expect(speed.compiledStepMs).toBeUndefined()
    await engine.dispose()
    // What starting WebAssembly with threads replaces for a moment is as before.
    expect(workerThreads.Worker).toBe(Worker)
    expect(cpus()).toHaveLength(cores)

    const file = join(folder, 'calibration.json')
    expect(existsSync(file)).toBe(true)
    const remembered = JSON.parse(readFileSync(file, 'utf8')) as {
      calibrations: { reports: EngineReport[] }[]
    }
    expect(remembered.calibrations).toHaveLength(1)
    expect(rankEngines(remembered.calibrations[0]?.reports ?? [])[0]).toBe(engine.identity.name)
  })
})
