import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { EngineReport } from '../../shared/engines.ts'
import { calibrationKey, readCalibration, writeCalibration } from './calibration-cache.ts'

let folder: string
const wasm: EngineReport = { name: 'wasm', state: 'available', reason: 'passed its test', calibrationMs: 100 }
const failed: EngineReport = { name: 'tensorflow', state: 'failed', reason: 'did not answer within 90 s' }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convscope-calibration-'))
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true, force: true })
})

it('remembers a calibration a key, so that threads can be changed and changed back', async () => {
  const options = { cacheFolder: folder }
  const [one, two] = await Promise.all([1, 2].map((threads) => calibrationKey({ ...options, threads })))
  expect(one).not.toBe(two)
  await writeCalibration(one ?? '', [wasm], options)
  await writeCalibration(two ?? '', [{ ...wasm, calibrationMs: 50 }], options)
  expect(await readCalibration(one ?? '', options)).toEqual([wasm])
  expect((await readCalibration(two ?? '', options))?.[0]?.calibrationMs).toBe(50)
  expect(await readCalibration('another', options)).toBeUndefined()
})

it('keeps a bounded number, the newest', async () => {
  const options = { cacheFolder: folder }
  for (let index = 0; index < 12; index++) await writeCalibration(`key ${index}`, [wasm], options)
  expect(await readCalibration('key 0', options)).toBeUndefined()
  expect(await readCalibration('key 11', options)).toEqual([wasm])
})

it('tries again after a day where an engine failed', async () => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] })
  const options = { cacheFolder: folder }
  await writeCalibration('with a failure', [wasm, failed], options)
  await writeCalibration('without', [wasm], options)
  expect(await readCalibration('with a failure', options)).toEqual([wasm, failed])
  vi.setSystemTime(1_000_000 + 25 * 60 * 60 * 1000)
  expect(await readCalibration('with a failure', options)).toBeUndefined()
  expect(await readCalibration('without', options)).toEqual([wasm])
})

it('takes a damaged file for none, and replaces it', async () => {
  const options = { cacheFolder: folder }
  writeFileSync(join(folder, 'calibration.json'), '{ "key": ')
  expect(await readCalibration('key', options)).toBeUndefined()
  await writeCalibration('key', [wasm], options)
  expect(JSON.parse(readFileSync(join(folder, 'calibration.json'), 'utf8'))).toMatchObject({
    calibrations: [{ key: 'key' }],
  })
})
