import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureInstalled, missingPackages } from './install.mjs'
import { createProgress } from './progress.mjs'

const nodePackage = `node-${process.platform}-${process.arch}`
let root: string
let said: string

/** A stand-in for npm: records that it ran and installs what the lockfile names, or does what `script` says. */
function npmThat(script: string) {
  const path = join(root, 'fake-npm.mjs')
  writeFileSync(
    path,
    `import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
     appendFileSync(${JSON.stringify(join(root, 'calls'))}, process.argv.slice(2).join(' ') + '\\n')
     const install = () => {
       const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
       for (const name of Object.keys(packages).filter(Boolean)) {
         mkdirSync(name + '/bin', { recursive: true })
         writeFileSync(name + '/bin/node', '')
         console.error('npm http fetch GET 200 /' + name + '.tgz 10ms')
       }
       writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }))
     }
     ${script}`,
  )
  return { command: process.execPath, argumentList: [path] }
}

const offline = 'console.error("npm error code ENOTFOUND"); process.exit(1)'

function lock(packages: Record<string, string>): void {
  const entries = Object.entries(packages).map(([name, version]) => [`node_modules/${name}`, { version }])
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ packages: { '': {}, ...Object.fromEntries(entries) } }),
  )
}

function install(script = 'install()') {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString()
      done()
    },
  })
  return ensureInstalled({ root, npm: npmThat(script), progress: createProgress(stream) })
}

const calls = () =>
  existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'convscope-install-'))
  said = ''
  writeFileSync(join(root, 'package.json'), '{}')
  lock({ [nodePackage]: '24.0.0', vue: '3.0.0' })
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

describe('ensureInstalled', () => {
  it('installs once, without install scripts, and shows how far it is', async () => {
    expect(await install()).toBe('installed')
    expect(await install()).toBe('unchanged')
    expect(calls()).toHaveLength(1)
    expect(calls()[0]).toMatch(/^ci --ignore-scripts/)
    expect(said).toContain('Installing packages 2/2')
    expect(readdirSync(root).filter((name) => name.startsWith('.convscope'))).toEqual([])
  })

  it('installs again when the lockfile changes', async () => {
    await install()
    lock({ [nodePackage]: '24.0.0', vue: '3.1.0' })
    expect(missingPackages(root)).toEqual(['vue@3.1.0'])
    expect(await install()).toBe('installed')
  })

  it('accepts what was installed by hand', async () => {
    await install()
    rmSync(join(root, 'node_modules', '.convscope-install.json'))
    expect(await install()).toBe('unchanged')
    expect(calls()).toHaveLength(1)
  })

  it('starts over after an interruption', async () => {
    mkdirSync(join(root, '.convscope-staging', 'node_modules'), { recursive: true })
    mkdirSync(join(root, 'node_modules', 'vue'), { recursive: true })
    writeFileSync(join(root, '.convscope-install.lock'), JSON.stringify({ pid: process.pid, started: 'long ago' }))
    expect(await install()).toBe('installed')
    expect(missingPackages(root)).toEqual([])
  })

  it('says without a network exactly what is missing', async () => {
    await expect(install(offline)).rejects.toMatchObject({
      code: 'offline',
      message: expect.stringContaining(`2 packages are missing: ${nodePackage}@24.0.0, vue@3.0.0`),
      remedy: expect.stringContaining('Connect this machine'),
    })
    expect(existsSync(join(root, 'node_modules'))).toBe(false)
  })

  it('keeps a working installation when there is no network', async () => {
    await install()
    lock({ [nodePackage]: '24.0.0', vue: '3.1.0' })
    expect(await install(offline)).toBe('kept')
    expect(existsSync(join(root, 'node_modules', 'vue', 'bin', 'node'))).toBe(true)
    expect(said).toContain('vue@3.1.0')
    expect(said).toContain('Going on with the packages installed earlier')
  })

  it('keeps a working installation when npm fails half-way, and shows why', async () => {
    await install()
    lock({ [nodePackage]: '24.0.0', vue: '3.1.0' })
    const broken = 'mkdirSync("node_modules"); console.error("npm error code EINTEGRITY"); process.exit(1)'
    await expect(install(broken)).rejects.toMatchObject({
      code: 'npm-failed',
      remedy: expect.stringContaining('EINTEGRITY'),
    })
    expect(existsSync(join(root, 'node_modules', 'vue', 'bin', 'node'))).toBe(true)
  })

  it('says that there is no npm', async () => {
    const npm = { command: join(root, 'nothing'), argumentList: [] }
    await expect(
      ensureInstalled({ root, npm, progress: createProgress(new Writable({ write: (_a, _b, done) => done() })) }),
    ).rejects.toMatchObject({
      code: 'npm-missing',
    })
  })

  it('lets a second one wait for the first', async () => {
    const go = join(root, 'go')
    const waiting = `import { existsSync } from 'node:fs'\nwhile (!existsSync(${JSON.stringify(go)})) {}\ninstall()`
    const first = install(waiting)
    const second = install(waiting)
    const asked = setInterval(() => {
      if (said.includes('is installing the packages; waiting for it')) writeFileSync(go, '')
    }, 5)
    expect(await Promise.all([first, second])).toEqual(['installed', 'unchanged'])
    clearInterval(asked)
    expect(calls()).toHaveLength(1)
  })
})

describe('missingPackages', () => {
  it('passes over packages for other systems', () => {
    const packages = {
      '': {},
      'node_modules/here': { version: '1.0.0', os: [process.platform], cpu: [process.arch] },
      'node_modules/maybe': { version: '1.0.0', optional: true },
      'node_modules/there': { version: '1.0.0', os: ['aix'] },
      'node_modules/one-library': {
        version: '1.0.0',
        os: 'linux',
        libc: process.platform === 'linux' ? 'other' : 'musl',
      },
      'node_modules/not-there': { version: '1.0.0', os: ['!aix'] },
      'node_modules/not-here': { version: '1.0.0', os: [`!${process.platform}`] },
      'node_modules/a/node_modules/inner': { version: '2.0.0' },
    }
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }))
    expect(missingPackages(root)).toEqual(['here@1.0.0', 'not-there@1.0.0', 'inner@2.0.0'])
  })

  it('does not take half an installation for one', () => {
    const half = join(root, 'node_modules', 'vue', 'package.json')
    mkdirSync(dirname(half), { recursive: true })
    writeFileSync(half, '{"version":"3.0.0"}')
    expect(missingPackages(root)).toHaveLength(2)
  })
})
