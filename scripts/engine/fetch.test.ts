import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256, zipOf } from '../testing/fake-wheel.ts'
import { fetchEngine } from './fetch.mjs'
import { cpuWheel } from './packages.mjs'
import { findEngine, listEngines, removeEngine, verifyEngine } from './store.mjs'

const name = 'tensorflow-cpu-2.21.0'
const libraries = {
  'libtensorflow_cc.so.2': Buffer.alloc(300_000, 'compute'),
  'libtensorflow_framework.so.2': Buffer.alloc(5_000, 'frame'),
}
const content = zipOf({
  'tensorflow/__init__.py': Buffer.from('x'),
  ...Object.fromEntries(Object.entries(libraries).map(([file, bytes]) => [`tensorflow/${file}`, bytes])),
})
const wheel = {
  requirement: 'tensorflow-cpu==2.21.0',
  platform: 'manylinux_2_27_x86_64',
  sha256: sha256(content),
  libraries: Object.keys(libraries),
  downloadBytes: content.length,
  unpackedBytes: 305_000,
  tested: true,
}

let folder: string
let cacheFolder: string
let environment: NodeJS.ProcessEnv

/** A python3 that answers as the real one would; `download` is what `pip download` does, as a shell script. */
function installPython(download: string, pipWorks = true): void {
  const python = join(folder, 'python3')
  const script = [
    '#!/bin/sh',
    `echo "$@" >> "${join(folder, 'calls')}"`,
    'if [ "$1" = -c ]; then echo 3; exit 0; fi',
    pipWorks ? '' : 'echo "No module named pip" >&2; exit 1',
    'if [ "$3" = --version ]; then echo "pip 25"; exit 0; fi',
    'while [ $# -gt 0 ]; do if [ "$1" = --dest ]; then dest="$2"; fi; shift; done',
    download,
  ]
  writeFileSync(python, script.join('\n'))
  chmodSync(python, 0o755)
  environment = { ...process.env, CONVSCOPE_PYTHON: python }
}

const copyWheel = () => `cp "${join(folder, 'source.whl')}" "$dest/tensorflow_cpu-2.21.0-cp311.whl"`
const calls = () => readFileSync(join(folder, 'calls'), 'utf8').split('\n')
const downloads = () => calls().filter((line) => line.includes('pip download')).length
const fetchFake = (more: object = {}) => fetchEngine({ cacheFolder, wheel, environment, ...more })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convscope-engine-'))
  cacheFolder = join(folder, 'cache')
  writeFileSync(join(folder, 'source.whl'), content)
  installPython(copyWheel())
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('fetchEngine', () => {
  it('installs the two libraries with a manifest and leaves nothing else', async () => {
    const stages = new Set<string>()
    const engine = await fetchFake({ onProgress: ({ stage }: { stage: string }) => stages.add(stage) })
    expect(engine).toMatchObject({ name, fetched: true, complete: true, problems: [] })
    expect(readdirSync(join(cacheFolder, 'engines'))).toEqual([name])
    expect(readdirSync(engine.folder).sort()).toEqual([...wheel.libraries, 'manifest.json'].sort())
    for (const [file, bytes] of Object.entries(libraries))
      expect(readFileSync(join(engine.libraryFolder, file))).toEqual(bytes)
    expect(engine.manifest).toMatchObject({
      version: '2.21.0',
      source: { package: wheel.requirement, sha256: wheel.sha256 },
    })
    expect([...stages].slice(0, 3)).toEqual(['download', 'verify', 'unpack'])
    expect(await verifyEngine({ cacheFolder, name })).toEqual([])
  })

  it('asks pip for one pinned wheel, whatever the Python at hand', async () => {
    await fetchFake()
    const call = calls().find((line) => line.includes('pip download')) ?? ''
    expect(call).toContain('--no-deps --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311')
    expect(call).toContain('--platform manylinux_2_27_x86_64')
    expect(call).toMatch(/tensorflow-cpu==2\.21\.0$/)
  })

  it('does nothing when the engine is there', async () => {
    await fetchFake()
    expect(await fetchFake()).toMatchObject({ fetched: false, complete: true })
    expect(downloads()).toBe(1)
  })

  it('installs again what was damaged', async () => {
    const { folder: installed } = await fetchFake()
    writeFileSync(join(installed, 'libtensorflow_cc.so.2'), 'short')
    expect(findEngine({ cacheFolder, name })?.problems).toEqual([
      'libtensorflow_cc.so.2 has 5 bytes instead of 300000.',
    ])
    expect(await fetchFake()).toMatchObject({ fetched: true, complete: true })
  })

  it('refuses a wheel with another hash, deletes it, and says so', async () => {
    writeFileSync(join(folder, 'source.whl'), 'something else')
    await expect(fetchFake()).rejects.toMatchObject({ code: 'wrong-hash', remedy: expect.stringContaining('deleted') })
    expect(findEngine({ cacheFolder, name })).toBeUndefined()
    writeFileSync(join(folder, 'source.whl'), content)
    expect(await fetchFake()).toMatchObject({ fetched: true })
  })

  it('uses a verified download again after an interruption', async () => {
    const interruption = new AbortController()
    const onProgress = ({ stage }: { stage: string }) => stage === 'unpack' && interruption.abort()
    await expect(fetchFake({ onProgress, signal: interruption.signal })).rejects.toThrow(/abort/i)
    expect(findEngine({ cacheFolder, name })).toBeUndefined()
    expect(await fetchFake()).toMatchObject({ fetched: true })
    expect(downloads()).toBe(1)
  })

  it.each([
    [
      'offline',
      'echo "NewConnectionError: Failed to establish a new connection" >&2; echo "No matching distribution found" >&2; exit 1',
    ],
    ['not-found', 'echo "ERROR: No matching distribution found for tensorflow-cpu" >&2; exit 1'],
    ['disk-full', 'echo "OSError: [Errno 28] No space left on device" >&2; exit 1'],
    ['pip-failed', 'echo "something else" >&2; exit 1'],
  ])('names the failure %s and what to do', async (code, download) => {
    installPython(download)
    await expect(fetchFake()).rejects.toMatchObject({ code, remedy: expect.stringMatching(/.+/) })
  })

  it('tells a missing pip from a missing Python', async () => {
    installPython('', false)
    await expect(fetchFake()).rejects.toMatchObject({
      code: 'pip-missing',
      remedy: expect.stringContaining('python3-pip'),
    })
    const nowhere = { ...process.env, CONVSCOPE_PYTHON: join(folder, 'nothing') }
    await expect(fetchFake({ environment: nowhere })).rejects.toMatchObject({ code: 'python-missing' })
  })

  it('checks the disk before it downloads', async () => {
    const huge = { ...wheel, unpackedBytes: 1e18 }
    await expect(fetchFake({ wheel: huge })).rejects.toMatchObject({
      code: 'disk-full',
      remedy: expect.stringContaining('CONVSCOPE_CACHE'),
    })
    expect(existsSync(join(folder, 'calls'))).toBe(false)
  })

  it('says that the cache folder cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(fetchFake({ cacheFolder: join(folder, 'file', 'cache') })).rejects.toThrow(/ENOTDIR|cannot be written/)
  })

  it('lets a second one wait and then finds the engine', async () => {
    installPython(`while [ ! -e "${join(folder, 'go')}" ]; do :; done\n${copyWheel()}`)
    const first = fetchFake()
    const second = fetchFake({
      onProgress: ({ stage, message }: { stage: string; message: string }) => {
        if (stage !== 'wait') return
        expect(message).toContain(String(process.pid))
        writeFileSync(join(folder, 'go'), '')
      },
    })
    expect(await Promise.all([first, second])).toMatchObject([{ fetched: true }, { fetched: false, complete: true }])
    expect(downloads()).toBe(1)
  })

  it('says where there is no engine for the system', async () => {
    expect(cpuWheel('win32-x64')).toBeUndefined()
    await expect(fetchFake({ wheel: null })).rejects.toMatchObject({ code: 'unsupported' })
  })
})

describe('the store', () => {
  it('counts a folder without a manifest as unfinished', () => {
    mkdirSync(join(cacheFolder, 'engines', name), { recursive: true })
    expect(listEngines({ cacheFolder })).toMatchObject([
      { name, complete: false, problems: [expect.stringContaining('not finished')] },
    ])
  })

  it('finds a byte that was changed', async () => {
    const { libraryFolder } = await fetchFake()
    const damaged = Buffer.from(libraries['libtensorflow_cc.so.2'])
    damaged[1000] = 0
    writeFileSync(join(libraryFolder, 'libtensorflow_cc.so.2'), damaged)
    expect(listEngines({ cacheFolder })).toMatchObject([{ complete: true }])
    expect(await verifyEngine({ cacheFolder, name })).toEqual([
      expect.stringContaining('libtensorflow_cc.so.2 is damaged'),
    ])
  })

  it('removes an engine, and nothing that is not one', async () => {
    await fetchFake()
    expect(removeEngine({ cacheFolder, name })).toBe(true)
    expect(removeEngine({ cacheFolder, name })).toBe(false)
    expect(readdirSync(join(cacheFolder, 'engines'))).toEqual([])
    expect(() => removeEngine({ cacheFolder, name: '..' })).toThrow(/no native engine called/)
  })
})

describe('the command', () => {
  const script = join(import.meta.dirname, 'fetch.mjs')

  it('prints one JSON value a line and ends with an error a program can read', () => {
    installPython('echo "Temporary failure in name resolution" >&2; exit 1')
    const result = spawnSync(process.execPath, [script, '--json', '--cache', cacheFolder], {
      env: environment,
      encoding: 'utf8',
    })
    const lines = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string })
    expect(result.status).toBe(1)
    expect(lines[0]).toMatchObject({ type: 'progress', stage: 'download' })
    expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'offline', remedy: expect.stringContaining('network') })
  })

  it('stops on SIGTERM with 130 and leaves no half-installed engine', async () => {
    installPython('while :; do :; done')
    const child = spawn(process.execPath, [script, '--json', '--cache', cacheFolder], { env: environment })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (!child.killed && output.includes('"download"')) child.kill('SIGTERM')
    })
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code).toBe(130)
    expect(output.trim().split('\n').at(-1)).toContain('"interrupted"')
    expect(listEngines({ cacheFolder })).toEqual([])
  })
})
