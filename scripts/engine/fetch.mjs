import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Failure, printFailure } from '../lib/failure.mjs'
import { cacheFolder as defaultCacheFolder } from '../lib/folders.mjs'
import { hashFile } from '../lib/hash.mjs'
import { withLock } from '../lib/lock.mjs'
import { createProgress } from '../lib/progress.mjs'
import { run } from '../lib/run.mjs'
import { extractEntry, listZip } from '../lib/zip.mjs'
import { cpuWheel, cudaPackage, engineName, pythonFlags, tensorflowVersion } from './packages.mjs'
import { runPip } from './pip.mjs'
import { enginesFolder, findEngine, removeEngine } from './store.mjs'

/**
 * @typedef {{ stage: 'wait' | 'download' | 'verify' | 'unpack' | 'strip' | 'note', message: string, done?: number, total?: number }} FetchProgress
 *   `done` and `total` in bytes
 */

/** At most ten reports a second within a stage, and never more done than there is. */
function throttled(onProgress) {
  let stage = ''
  let last = 0
  return (event) => {
    const now = performance.now()
    if (event.stage === stage && now - last < 100 && event.done !== event.total) return
    stage = event.stage
    last = now
    onProgress(event.total ? { ...event, done: Math.min(event.done, event.total) } : event)
  }
}

function checkDisk(folder, neededBytes) {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize >= neededBytes) return
  const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`
  throw new Failure(
    'disk-full',
    `The native engine needs ${gigabytes(neededBytes)} while it is installed, and ${folder} has ${gigabytes(bavail * bsize)}.`,
    'Make room, or set CONVSCOPE_CACHE to a folder on a larger disk.',
  )
}

/** Symbols that only a debugger needs are a third of the file. Where `strip` is missing or fails, they stay. */
async function strip(files, { onProgress, signal, environment }) {
  if (process.platform !== 'linux') return false
  onProgress({ stage: 'strip', message: 'Stripping symbols' })
  for (const file of files) {
    const result = await run('strip', ['--strip-unneeded', file], { env: environment, signal })
    if (result.missing || result.code !== 0) return false
  }
  return true
}

/** The verified wheel: the one an interrupted installation has left, or a new download. */
async function obtainWheel({ work, wheel, onProgress, signal, environment }) {
  const kept = join(work, 'wheel')
  const verified = join(work, `${wheel.sha256}.whl`)
  if (existsSync(verified)) return verified
  checkDisk(work, wheel.downloadBytes + wheel.unpackedBytes + 100e6)
  rmSync(kept, { recursive: true, force: true })
  mkdirSync(kept)
  const report = (done) =>
    onProgress({ stage: 'download', message: `Downloading ${wheel.requirement}`, done, total: wheel.downloadBytes })
  report(0)
  const command = ['download', '--no-deps', ...pythonFlags, '--platform', wheel.platform, '--dest', kept]
  await runPip({ command, requirement: wheel.requirement, folder: kept, onBytes: report, signal, environment })
  const name = readdirSync(kept).find((file) => file.endsWith('.whl'))
  if (!name) throw new Failure('pip-failed', `pip reported success but left no wheel of ${wheel.requirement}.`)
  onProgress({ stage: 'verify', message: 'Checking the download' })
  const found = await hashFile(join(kept, name), { signal })
  if (found !== wheel.sha256) {
    rmSync(kept, { recursive: true, force: true })
    throw new Failure(
      'wrong-hash',
      `The download ${name} is not the expected file: its SHA-256 is ${found} instead of ${wheel.sha256}.`,
      'It was deleted. Check which package index pip uses (`pip config list`, PIP_INDEX_URL, PIP_FIND_LINKS) and try again.',
    )
  }
  renameSync(join(kept, name), verified)
  rmSync(kept, { recursive: true, force: true })
  return verified
}

async function unpackLibraries({ path, wheel, target, onProgress, signal }) {
  const entries = await listZip(path)
  const wanted = wheel.libraries.map((name) => {
    const entry = entries.find((candidate) => candidate.name === `tensorflow/${name}`)
    if (!entry) throw new Failure('wrong-content', `The wheel has no ${name}.`)
    return { name, entry }
  })
  const total = wanted.reduce((sum, { entry }) => sum + entry.size, 0)
  let before = 0
  for (const { name, entry } of wanted) {
    const onBytes = (written) => onProgress({ stage: 'unpack', message: 'Unpacking', done: before + written, total })
    await extractEntry(path, entry, join(target, name), { onBytes, signal })
    before += entry.size
  }
}

/** Describes the libraries, writes the manifest, and gives the folder its name. */
async function publish({ cacheFolder, name, target, libraryFolder, libraries, details, signal }) {
  const files = {}
  for (const library of libraries) {
    const path = join(target, libraryFolder, library)
    if (!existsSync(path)) throw new Failure('wrong-content', `The installed package has no ${library}.`)
    let size = 0
    const sha256 = await hashFile(path, { signal, onBytes: (bytes) => (size = bytes) })
    files[library] = { sha256, size }
  }
  const system = `${process.platform}-${process.arch}`
  const manifest = { name, version: tensorflowVersion, system, libraryFolder, files, ...details }
  writeFileSync(join(target, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  const finished = join(enginesFolder(cacheFolder), name)
  if (existsSync(finished)) removeEngine({ cacheFolder, name })
  renameSync(target, finished)
}

async function installCpu({ cacheFolder, name, work, target, wheel, onProgress, signal, environment }) {
  const path = await obtainWheel({ work, wheel, onProgress, signal, environment })
  await unpackLibraries({ path, wheel, target, onProgress, signal })
  const stripped = await strip(
    wheel.libraries.map((library) => join(target, library)),
    { onProgress, signal, environment },
  )
  const details = { stripped, tested: wheel.tested, source: { package: wheel.requirement, sha256: wheel.sha256 } }
  await publish({ cacheFolder, name, target, libraryFolder: '.', libraries: wheel.libraries, details, signal })
}

async function installCuda({ cacheFolder, name, work, target, wheel, onProgress, signal, environment }) {
  checkDisk(work, wheel.downloadBytes + wheel.unpackedBytes)
  onProgress({ stage: 'note', message: 'The CUDA engine is written for but has not been tested yet.' })
  const report = (done) =>
    onProgress({ stage: 'download', message: `Installing ${wheel.requirement}`, done, total: wheel.unpackedBytes })
  const platforms = wheel.platforms.flatMap((platform) => ['--platform', platform])
  const command = ['install', ...pythonFlags, ...platforms, '--no-compile', '--target', join(target, 'site-packages')]
  await runPip({ command, requirement: wheel.requirement, folder: target, onBytes: report, signal, environment })
  const details = { stripped: false, tested: false, source: { package: wheel.requirement } }
  // TensorFlow's libraries find CUDA's by a path relative to their own, so the tree stays as pip made it.
  await publish({
    cacheFolder,
    name,
    target,
    libraryFolder: 'site-packages/tensorflow',
    libraries: wheel.libraries,
    details,
    signal,
  })
}

function explain(error) {
  if (error.code === 'ENOSPC')
    return new Failure(
      'disk-full',
      'The disk became full while the native engine was installed.',
      'Make room, or set CONVSCOPE_CACHE to a folder on a larger disk.',
    )
  if (['EACCES', 'EPERM', 'EROFS'].includes(error.code))
    return new Failure(
      'not-writable',
      `The cache folder cannot be written: ${error.message}`,
      'Set CONVSCOPE_CACHE to a folder that you may write.',
    )
  return error
}

/**
 * Installs a native engine into the cache folder unless it is there already. Safe against two at once (the second
 * waits), against interruption at any moment (a verified download is used again), and against a full disk.
 * @param {object} [options]
 * @param {string} [options.cacheFolder]
 * @param {boolean} [options.cuda] the engine with CUDA (Linux x64)
 * @param {(progress: FetchProgress) => void} [options.onProgress]
 * @param {AbortSignal} [options.signal]
 * @param {NodeJS.ProcessEnv} [options.environment] for pip and strip
 * @param {object} [options.wheel] what to fetch, in place of the pinned package of this system
 * @returns {Promise<ReturnType<typeof findEngine> & { fetched: boolean }>}
 * @throws {Failure} unsupported, python-missing, pip-missing, offline, disk-full, not-writable, wrong-hash, wrong-content, not-found, pip-failed
 */
export async function fetchEngine({
  cacheFolder = defaultCacheFolder(),
  cuda = false,
  onProgress: listener = () => undefined,
  signal,
  environment = process.env,
  wheel = cuda ? cudaPackage() : cpuWheel(),
} = {}) {
  const onProgress = throttled(listener)
  const name = engineName(cuda)
  const present = () => {
    const engine = findEngine({ cacheFolder, name })
    return engine?.complete ? engine : undefined
  }
  const already = present()
  if (already) return { ...already, fetched: false }
  const system = `${process.platform}-${process.arch}`
  if (!wheel)
    throw new Failure(
      'unsupported',
      `There is no native engine${cuda ? ' with CUDA' : ''} for ${system}.`,
      'The program computes with WebAssembly here.',
    )
  if (!wheel.tested && !cuda)
    onProgress({ stage: 'note', message: `The native engine is written for ${system} but has not been tested there.` })
  try {
    mkdirSync(enginesFolder(cacheFolder), { recursive: true })
    const onWait = (pid) =>
      onProgress({
        stage: 'wait',
        message: `Another process (${pid}) is installing the native engine; waiting for it.`,
      })
    return await withLock(join(enginesFolder(cacheFolder), `${name}.lock`), { onWait, signal }, async () => {
      const meanwhile = present()
      if (meanwhile) return { ...meanwhile, fetched: false }
      const work = join(enginesFolder(cacheFolder), `${name}.work`)
      const target = join(work, 'target')
      rmSync(target, { recursive: true, force: true })
      mkdirSync(target, { recursive: true })
      try {
        await (cuda ? installCuda : installCpu)({
          cacheFolder,
          name,
          work,
          target,
          wheel,
          onProgress,
          signal,
          environment,
        })
        rmSync(work, { recursive: true, force: true })
      } finally {
        rmSync(target, { recursive: true, force: true })
      }
      return { ...present(), fetched: true }
    })
  } catch (error) {
    throw explain(error)
  }
}

const jsonLine = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

/**
 * `node scripts/engine/fetch.mjs [--cuda] [--cache FOLDER] [--json]`. With --json each line of stdout is one value:
 * `{type:'progress', stage, message, done?, total?}`, at the end `{type:'done', fetched, name, folder, libraryFolder}` or
 * `{type:'error', code, message, remedy?}`. Exit code 0, 1 on failure, 130 when interrupted.
 */
async function main() {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, cuda: { type: 'boolean' }, cache: { type: 'string' } },
  })
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => interruption.abort())
  const progress = createProgress()
  const show = ({ message, done, total }) =>
    total ? progress.update(message, Math.round(done / 1e6), Math.round(total / 1e6), ' MB') : progress.update(message)
  const onProgress = (event) => (values.json ? jsonLine({ type: 'progress', ...event }) : show(event))
  try {
    const engine = await fetchEngine({
      cacheFolder: values.cache,
      cuda: values.cuda,
      onProgress,
      signal: interruption.signal,
    })
    const { fetched, name, folder, libraryFolder } = engine
    if (values.json) jsonLine({ type: 'done', fetched, name, folder, libraryFolder })
    else progress.say(`${name} is ${fetched ? 'installed' : 'already there'}: ${folder}`)
  } catch (error) {
    process.exitCode = interruption.signal.aborted ? 130 : 1
    const {
      code = 'failed',
      message,
      remedy,
    } = interruption.signal.aborted ? { code: 'interrupted', message: 'Interrupted.' } : error
    progress.clear()
    if (values.json) jsonLine({ type: 'error', code, message, remedy })
    else printFailure(interruption.signal.aborted ? new Failure(code, message) : error)
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main()
