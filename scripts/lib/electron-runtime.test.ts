import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasDisplay, obtainElectron } from './electron-runtime.mjs'
import { createProgress } from './progress.mjs'

let root: string
let cacheFolder: string

/** An `electron` package whose installer does what `script` says; `folder` is the package's folder in it. */
function installElectron(script: string): void {
  const folder = join(root, 'node_modules', 'electron')
  mkdirSync(join(folder, 'dist'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"version":"45.0.0"}')
  const head = `const fs = require('node:fs'); const folder = __dirname; fs.appendFileSync(folder + '/tries', 'x');`
  writeFileSync(join(folder, 'install.js'), `${head}${script}`)
}

const works = "fs.writeFileSync(folder + '/dist/electron', ''); fs.writeFileSync(folder + '/path.txt', 'electron')"
const tries = () => readFileSync(join(root, 'node_modules', 'electron', 'tries'), 'utf8').length
const silent = createProgress(new Writable({ write: (_chunk, _encoding, done) => done() }))
const obtain = (environment: NodeJS.ProcessEnv = { ...process.env, DISPLAY: ':0', CONVSCOPE_NO_WINDOW: '' }) =>
  obtainElectron({ root, cacheFolder, environment, progress: silent })

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'convscope-electron-'))
  cacheFolder = join(root, 'cache')
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

describe('obtainElectron', () => {
  it('gets the runtime by the installer of the package', async () => {
    installElectron(works)
    const executable = join(root, 'node_modules', 'electron', 'dist', 'electron')
    expect(await obtain()).toEqual({ executable })
    expect(await obtain()).toEqual({ executable })
    expect(tries()).toBe(1)
  })

  it('tries once, remembers the failure, and says how to try again', async () => {
    installElectron("console.error('HTTPError: Response code 403'); process.exit(1)")
    expect(await obtain()).toEqual({ reason: expect.stringContaining('HTTPError: Response code 403') })
    expect(await obtain()).toEqual({
      reason: expect.stringMatching(/earlier.*403.*to try again, delete .*electron-45\.0\.0-failed\.txt/),
    })
    expect(tries()).toBe(1)
    for (const name of readdirSync(cacheFolder)) rmSync(join(cacheFolder, name))
    installElectron(works)
    expect(await obtain()).toHaveProperty('executable')
  })

  it('does not try where no window could be shown', async () => {
    installElectron(works)
    expect(await obtain({ ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' })).toEqual({
      reason: 'there is no display',
    })
    expect(await obtain({ ...process.env, DISPLAY: ':0', CONVSCOPE_NO_WINDOW: '1' })).toHaveProperty('reason')
    expect(tries).toThrow(/ENOENT/)
  })
})

describe('hasDisplay', () => {
  it.each([
    [{ DISPLAY: ':0' }, 'linux', true],
    [{ WAYLAND_DISPLAY: 'wayland-0' }, 'linux', true],
    [{}, 'linux', false],
    [{}, 'darwin', true],
    [{ SSH_CONNECTION: '1 2 3 4' }, 'darwin', false],
    [{}, 'win32', true],
  ] as const)('%o on %s: %s', (environment, platform, expected) => {
    expect(hasDisplay(environment, platform)).toBe(expected)
  })
})
