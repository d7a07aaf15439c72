import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findNode24 } from './lib/node24.mjs'

/**
 * The command and `npm start` in a small installation: the real scripts, a build tool that writes a small program, and
 * the Node at hand in place of the bundled one.
 */
const repository = join(import.meta.dirname, '..')
let root: string
let environment: NodeJS.ProcessEnv

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

const program = `
process.on('SIGINT', () => process.exit(130))
const [first] = process.argv.slice(2)
if (first === 'wait') { setInterval(() => {}, 1000); console.log('ready') }
else { console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = first === 'fail' ? 7 : 0 }`

function buildTool(code: string): void {
  write(
    'node_modules/electron-vite/bin/electron-vite.js',
    `const fs = require('node:fs')
     fs.appendFileSync('builds', 'x')
     for (const name of ['main/index.js', 'main/server.js', 'main/worker.js', 'main/engine-thread.js', 'preload/index.cjs', 'renderer/index.html']) {
       fs.mkdirSync('out/' + name.split('/')[0], { recursive: true })
       fs.writeFileSync('out/' + name, '')
     }
     ${code}`,
  )
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'convscope-command-'))
  cpSync(join(repository, 'scripts'), join(root, 'scripts'), { recursive: true })
  cpSync(join(repository, 'bin'), join(root, 'bin'), { recursive: true })
  const name = `node-${process.platform}-${process.arch}`
  const packages = { '': {}, [`node_modules/${name}`]: { version: '24.0.0' } }
  write('package.json', '{"type":"module"}')
  write('package-lock.json', JSON.stringify({ packages }))
  write('node_modules/.package-lock.json', JSON.stringify({ packages }))
  write('node_modules/electron-vite/package.json', '{"type":"commonjs"}')
  write('src/main/cli.ts', '// source')
  mkdirSync(join(root, 'node_modules', name, 'bin'), { recursive: true })
  symlinkSync(process.execPath, join(root, 'node_modules', name, 'bin', 'node'))
  buildTool(`fs.writeFileSync('out/main/cli.js', ${JSON.stringify(program)})`)
  environment = { ...process.env, CONVSCOPE_CACHE: join(root, 'cache'), DISPLAY: '', WAYLAND_DISPLAY: '' }
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

const call = (script: string, ...argumentList: string[]) =>
  spawnSync(process.execPath, [join(root, script), ...argumentList], {
    env: environment,
    encoding: 'utf8',
    cwd: tmpdir(),
  })
const builds = () => readFileSync(join(root, 'builds'), 'utf8').length

describe('convscope', () => {
  it('builds first, then hands arguments, stdout and exit code through', () => {
    const first = call('bin/convscope.mjs', 'fail', '--json', 'two words')
    expect(first).toMatchObject({ status: 7, stdout: '["fail","--json","two words"]\n' })
    expect(first.stderr).toContain('Building the program')
    expect(call('bin/convscope.mjs', 'doctor')).toMatchObject({ status: 0, stdout: '["doctor"]\n', stderr: '' })
    expect(builds()).toBe(1)
  })

  it('builds again when a source has changed, but not for a test', () => {
    call('bin/convscope.mjs', 'doctor')
    write('src/main/cli.test.ts', '// new')
    call('bin/convscope.mjs', 'doctor')
    expect(builds()).toBe(1)
    write('src/main/cli.ts', '// changed')
    call('bin/convscope.mjs', 'doctor')
    expect(builds()).toBe(2)
  })

  it('builds again after a build that was interrupted', () => {
    call('bin/convscope.mjs', 'doctor')
    rmSync(join(root, 'out', 'main', 'cli.js'))
    expect(call('bin/convscope.mjs', 'doctor').status).toBe(0)
    expect(builds()).toBe(2)
  })

  it('shows why a build failed', () => {
    buildTool("console.error('broken at line 3'); process.exit(1)")
    const result = call('bin/convscope.mjs', 'doctor')
    expect(result).toMatchObject({ status: 1, stdout: '' })
    expect(result.stderr).toContain('could not be built')
    expect(result.stderr).toContain('broken at line 3')
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('passes %s on and ends with %i', async (signal, expected) => {
    const child = spawn(process.execPath, [join(root, 'bin/convscope.mjs'), 'wait'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await once(child.stdout, 'data')
    child.kill(signal)
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(expected)
  })

  it.each([[[]], [['open']]])('opens the page with the reason where there is no window: %j', (argumentList) => {
    const result = call('bin/convscope.mjs', ...argumentList)
    expect(result.stdout).toBe('["serve"]\n')
    expect(result.stderr).toContain('Opening the page instead of a window: there is no display.')
  })
})

describe('npm start', () => {
  it('passes its arguments on', () => {
    expect(call('scripts/start.mjs', '--project', 'p q', '--port', '0').stdout).toBe(
      '["serve","--project","p q","--port","0"]\n',
    )
  })

  it('opens the window where there are a display and a runtime', () => {
    write('node_modules/electron/path.txt', 'electron')
    mkdirSync(join(root, 'node_modules/electron/dist'))
    writeFileSync(join(root, 'node_modules/electron/dist/electron'), '#!/bin/sh\necho window "$@"\n', { mode: 0o755 })
    environment.DISPLAY = ':0'
    expect(call('scripts/start.mjs', '--project', 'p').stdout).toBe(`window ${root} --project p\n`)
  })

  it('builds nothing when nothing has changed', () => {
    call('scripts/start.mjs')
    call('scripts/start.mjs')
    expect(builds()).toBe(1)
  })
})

describe('findNode24', () => {
  it('knows the package of each system', () => {
    expect(findNode24({ root, platform: process.platform, architecture: process.arch })).toContain(root)
    expect(findNode24({ root, platform: 'sunos', architecture: 'x64' })).toBeUndefined()
  })
})
