import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EngineInstall } from '../../shared/contract/system.ts'
import { NativeEngine } from './native-engine.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-native-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A program whose scripts say what is given here; the real ones are tested beside themselves. */
async function engineWith(name: string, fetchScript: string, installed: readonly object[] = []): Promise<NativeEngine> {
  const programFolder = join(folder, name)
  const scripts = join(programFolder, 'scripts', 'engine')
  await mkdir(scripts, { recursive: true })
  await writeFile(join(scripts, 'fetch.mjs'), fetchScript)
  await writeFile(join(scripts, 'manage.mjs'), `process.stdout.write(${JSON.stringify(JSON.stringify(installed))})`)
  return new NativeEngine({ programFolder, cacheFolder: join(folder, 'cache') })
}

const say = (...lines: object[]): string =>
  lines.map((line) => `console.log(${JSON.stringify(JSON.stringify(line))})`).join('\n')
const complete = { name: 'tensorflow-cpu-2.21.0', folder: '/cache', bytes: 5, complete: true, problems: [] }

describe('NativeEngine', () => {
  it('sees what is installed', async () => {
    expect(await (await engineWith('there', '', [complete])).refresh()).toEqual({ state: 'installed' })
    const half = { ...complete, complete: false, problems: ['It has no manifest.'] }
    expect(await (await engineWith('half', '', [half])).refresh()).toMatchObject({ state: 'missing' })
    expect(await (await engineWith('none', '')).refresh()).toMatchObject({ state: 'missing' })
  })

  it('follows the fetching to its end', async () => {
    const script = say(
      { type: 'progress', stage: 'download', message: 'Downloading', done: 25, total: 100 },
      { type: 'done', fetched: true, name: 'tensorflow-cpu-2.21.0', folder: '/f', libraryFolder: '/f' },
    )
    const engine = await engineWith('fetching', script)
    const abort = new AbortController()
    const seen: EngineInstall[] = []
    const watching = (async () => {
      for await (const state of engine.state.watch(abort.signal)) seen.push(state)
    })()
    await Promise.all([engine.install(), engine.install()])
    expect(engine.state.value).toEqual({ state: 'installed' })
    abort.abort()
    await watching
    expect(seen).toContainEqual({ state: 'installing', message: 'Downloading', fraction: 0.25 })
  })

  it('says why it failed, and can be tried again', async () => {
    const script = `${say({ type: 'error', code: 'offline', message: 'There is no network.', remedy: 'Connect.' })}\nprocess.exitCode = 1`
    const engine = await engineWith('offline', script)
    await expect(engine.install()).rejects.toMatchObject({
      code: 'unsupported',
      message: 'There is no network.',
      remedy: 'Connect.',
    })
    expect(engine.state.value).toMatchObject({ state: 'failed', error: { message: 'There is no network.' } })
    await expect(engine.install()).rejects.toThrow('There is no network.')
  })

  it('reports a script that dies without a word', async () => {
    const engine = await engineWith('dying', 'process.stderr.write("broken\\n"); process.exit(3)')
    await expect(engine.install()).rejects.toMatchObject({
      message: expect.stringMatching(/ended with code 3/) as string,
      details: 'broken\n',
    })
  })
})
