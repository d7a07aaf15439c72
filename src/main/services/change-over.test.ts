/** The program is used while its native engine is fetched, by a script that takes as long as the test wants. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SystemStatus } from '../../shared/contract/system.ts'
import type { Json } from '../../shared/values.ts'
import { cacheFolder } from '../platform/folders.ts'
import { configureLogging } from '../platform/logger.ts'
import { openProject, type Project } from '../project/project.ts'
import { createServices, type RunningServices } from './index.ts'
import { programFolder } from './program-folder.ts'

const ENGINE = 'tensorflow-cpu-2.21.0'
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
const installed = [process.env['CONVSCOPE_TENSORFLOW_DIR'], join(cacheFolder(), 'engines', ENGINE)].find(
  (folder) => folder && LIBRARIES.every((name) => existsSync(join(folder, name))),
)

let folder: string
let project: Project
let services: RunningServices
let script: ReturnType<typeof fetchScript>

beforeEach(async () => {
  configureLogging({ stderr: 'off' })
  vi.stubEnv('CONVSCOPE_TENSORFLOW_DIR', undefined)
  folder = await mkdtemp(join(tmpdir(), 'convscope-change-over-'))
  script = fetchScript()
  await makeProgram(script.text)
  project = await openProject(join(folder, 'project'), { create: true })
  services = await createServices({
    project,
    workerPath: join(programFolder(), 'src/compute/worker/main.ts'),
    cacheFolder: join(folder, 'cache'),
    configFolder: join(folder, 'config'),
    programFolder: join(folder, 'program'),
    threads: 1,
    shell: 'page',
    fetchEngine: true,
  })
})
afterEach(async () => {
  await services.close()
  await project.close()
  await rm(folder, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

/** A program folder like the real one, but for the script that fetches. */
async function makeProgram(fetch: string): Promise<void> {
  const program = join(folder, 'program')
  await mkdir(join(program, 'scripts', 'engine'), { recursive: true })
  for (const name of ['resources', 'node_modules', 'scripts/engine/manage.mjs'])
    await symlink(join(programFolder(), name), join(program, name))
  await writeFile(join(program, 'scripts', 'engine', 'fetch.mjs'), fetch)
}

/** It says that it downloads, waits for the test's word, and does as told: `fail` as without a network, `install` links to what is installed here. */
function fetchScript(): { text: string; say: (word: 'fail' | 'install') => Promise<void> } {
  const wordFile = join(folder, 'word')
  const text = `
    import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
    const say = (value) => console.log(JSON.stringify(value))
    say({ type: 'progress', stage: 'download', message: 'Downloading', done: 1, total: 4 })
    while (!existsSync(${JSON.stringify(wordFile)})) await new Promise((resolve) => setTimeout(resolve, 20))
    const word = readFileSync(${JSON.stringify(wordFile)}, 'utf8')
    rmSync(${JSON.stringify(wordFile)})
    if (word === 'fail') {
      say({ type: 'error', code: 'offline', message: 'There is no network.', remedy: 'Connect and try again.' })
      process.exit(1)
    }
    const engine = ${JSON.stringify(join(folder, 'cache', 'engines', ENGINE))}
    mkdirSync(engine, { recursive: true })
    const files = {}
    for (const name of ${JSON.stringify(LIBRARIES)}) {
      const library = ${JSON.stringify(installed ?? '')} + '/' + name
      symlinkSync(library, engine + '/' + name)
      files[name] = { sha256: '', size: statSync(library).size }
    }
    writeFileSync(engine + '/manifest.json', JSON.stringify({ libraryFolder: '.', files }))
    say({ type: 'done', name: ${JSON.stringify(ENGINE)} })`
  const say = async (word: string): Promise<void> => {
    // The script must not find half of it.
    await writeFile(`${wordFile}.part`, word)
    await rename(`${wordFile}.part`, wordFile)
  }
  return { text, say }
}

async function until(fits: (status: SystemStatus) => boolean): Promise<SystemStatus> {
  for await (const status of services.system.status()) if (fits(status)) return status
  throw new Error('the status ended')
}

const look = async (index: number): Promise<string | undefined> => {
  const picture = { dataset: 'mnist', split: 'test', index }
  const params = { network: 'mnist-convnet', picture, layer: 'conv1', units: { kind: 'strongest', count: 2 } }
  const { provenance } = await services.jobs.look({ document: { kind: 'deconvnet', version: 1, params } })
  return provenance.engine.name
}

const training: Json = {
  kind: 'train-classifier',
  version: 1,
  params: {
    architecture: 'mnist-convnet',
    dataset: 'mnist',
    name: 'own',
    epochs: 1,
    batchSize: 8,
    trainCount: 160,
    testCount: 8,
  },
}

describe('without a network', () => {
  it('the session computes on WebAssembly, says why, and fetching can be tried again', async () => {
    const working = await until(({ session, nativeEngine }) => {
      return session.state === 'ready' && nativeEngine.state === 'installing' && nativeEngine.fraction !== undefined
    })
    expect(working.nativeEngine).toEqual({ state: 'installing', message: 'Downloading', fraction: 0.25 })
    expect(working.session).toMatchObject({
      engine: { name: 'wasm' },
      message: 'Computing with WebAssembly while the native engine is being fetched.',
    })
    for (const index of [1, 2]) {
      await script.say('fail')
      const failed = await until(({ nativeEngine }) => nativeEngine.state === 'failed')
      expect(failed.nativeEngine).toMatchObject({
        error: { message: 'There is no network.', remedy: 'Connect and try again.' },
      })
      expect(failed.session.message).toBe('Computing with WebAssembly: the native engine is not installed.')
      expect(await look(index)).toBe('wasm')
      await services.system.installEngine()
      await until(({ nativeEngine }) => nativeEngine.state === 'installing')
    }
  })
})

describe.skipIf(installed === undefined)(
  installed === undefined
    ? `the change-over (left out: no native engine in ${cacheFolder()} or CONVSCOPE_TENSORFLOW_DIR)`
    : 'the change-over',
  () => {
    it('waits for the run under way, and looks work before, meanwhile and after', async () => {
      await until(({ session, nativeEngine }) => session.state === 'ready' && nativeEngine.state === 'installing')
      expect(await look(1)).toBe('wasm')
      const { id } = await services.jobs.start({ document: training })
      for await (const event of services.jobs.watch({ id })) if (event.type === 'started') break
      // It is under way as long as the test wants.
      await services.jobs.pause({ id })
      await script.say('install')
      const waiting = await until(({ nativeEngine }) => nativeEngine.state === 'installed')
      expect(waiting.session.engine?.name).toBe('wasm')
      const told = await until(({ session }) => session.message?.startsWith('The native engine is ready') ?? false)
      expect(told.session.engine?.name).toBe('wasm')
      expect(await look(2)).toBe('wasm')
      await services.jobs.resume({ id })

      const changed = await until(({ session }) => session.state === 'ready' && session.engine?.name !== 'wasm')
      expect(changed.session).toMatchObject({ engine: { name: 'tensorflow' } })
      expect(changed.session.message).toBeUndefined()
      expect(await services.runs.show({ id })).toMatchObject({
        state: 'done',
        provenance: { engine: { name: 'wasm' } },
      })
      expect(await look(3)).toBe('tensorflow')
    })
  },
)
