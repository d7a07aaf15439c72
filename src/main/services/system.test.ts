import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EngineReport } from '../../shared/engines.ts'
import { SettingsFile } from './settings-file.ts'
import { mergedReports } from './system.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-system-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it('keeps settings, and starts from defaults where there are none or they do not fit', async () => {
  const settings = new SettingsFile(join(folder, 'deep', 'config'))
  expect(await settings.read()).toEqual({ engine: 'auto', theme: 'system' })
  await settings.change({ theme: 'dark', threads: 2 })
  await settings.change({ engine: 'wasm' })
  expect(await new SettingsFile(settings.folder).read()).toEqual({ engine: 'wasm', theme: 'dark', threads: 2 })
  const file = join(settings.folder, 'settings.json')
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ engine: 'wasm' })
  await writeFile(file, '{"engine":"abacus"}')
  expect(await settings.read()).toEqual({ engine: 'auto', theme: 'system' })
  await writeFile(file, '{')
  expect(await settings.read()).toEqual({ engine: 'auto', theme: 'system' })
})

it('says of every engine why it was or was not taken', () => {
  const probed: EngineReport[] = [
    { name: 'tensorflow-cuda', state: 'unavailable', reason: 'no GPU' },
    { name: 'tensorflow', state: 'available', reason: 'passed', calibrationMs: 10, matmulGflops: 200 },
    { name: 'wasm', state: 'available', reason: 'passed', calibrationMs: 50, matmulGflops: 40 },
  ]
  const forced = mergedReports(probed, [{ name: 'wasm', state: 'taken', reason: 'chosen by the user' }])
  expect(forced.map(({ name, state, reason }) => [name, state, reason])).toEqual([
    ['tensorflow-cuda', 'unavailable', 'no GPU'],
    ['tensorflow', 'available', 'not used: wasm was chosen by the user'],
    ['wasm', 'taken', 'chosen by the user'],
  ])
  expect(forced[2]?.matmulGflops).toBe(40)
  const automatic = mergedReports(probed, [
    { name: 'tensorflow', state: 'taken', reason: 'fastest' },
    { name: 'wasm', state: 'available', reason: 'slower than tensorflow here' },
    { name: 'cpu', state: 'available', reason: 'for tests only' },
  ])
  expect(automatic.map(({ reason }) => reason)).toEqual([
    'no GPU',
    'fastest',
    'slower than tensorflow here',
    'for tests only',
  ])
})
