import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../lib/failure.mjs'
import { hashFile } from '../lib/hash.mjs'

/**
 * The native engines in the cache folder: one folder each under `engines/`, complete when it has its manifest, which is
 * written before the folder gets its name.
 *
 * @typedef {object} EngineManifest
 * @property {string} name folder name, such as `tensorflow-cpu-2.21.0`
 * @property {string} version of TensorFlow
 * @property {string} system such as `linux-x64`
 * @property {string} libraryFolder where the two libraries lie, relative to the engine's folder
 * @property {Record<string, { sha256: string, size: number }>} files relative to `libraryFolder`
 * @property {boolean} stripped
 * @property {boolean} tested whether this system is one that ConvScope is tested on
 * @property {{ package: string, sha256?: string }} source
 */

export const enginesFolder = (cacheFolder) => join(cacheFolder, 'engines')

const validName = /^tensorflow-(cpu|cuda)-\d+\.\d+\.\d+$/

function folderOf(cacheFolder, name) {
  if (!validName.test(name))
    throw new Failure('unknown-engine', `There is no native engine called ${name}.`, 'See `convscope engine list`.')
  return join(enginesFolder(cacheFolder), name)
}

/** @returns {EngineManifest | undefined} */
export function readManifest(cacheFolder, name) {
  try {
    const manifest = JSON.parse(readFileSync(join(folderOf(cacheFolder, name), 'manifest.json'), 'utf8'))
    return typeof manifest?.libraryFolder === 'string' && manifest.files ? manifest : undefined
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** What a quick look (existence and sizes) finds wrong with an engine; empty when nothing. */
function problemsOf(folder, manifest) {
  if (!manifest) return ['It has no manifest: its installation was not finished.']
  return Object.entries(manifest.files).flatMap(([name, { size }]) => {
    const path = join(folder, manifest.libraryFolder, name)
    if (!existsSync(path)) return [`${name} is missing.`]
    const found = statSync(path).size
    return found === size ? [] : [`${name} has ${found} bytes instead of ${size}.`]
  })
}

/**
 * The engine's entry in the list, or undefined where there is no such folder.
 * @returns {{ name: string, folder: string, libraryFolder: string, bytes: number, complete: boolean, problems: string[], manifest?: EngineManifest } | undefined}
 */
export function findEngine({ cacheFolder, name }) {
  const folder = folderOf(cacheFolder, name)
  if (!existsSync(folder)) return undefined
  const manifest = readManifest(cacheFolder, name)
  const problems = problemsOf(folder, manifest)
  const bytes = Object.values(manifest?.files ?? {}).reduce((sum, { size }) => sum + size, 0)
  return {
    name,
    folder,
    libraryFolder: join(folder, manifest?.libraryFolder ?? '.'),
    bytes,
    complete: problems.length === 0,
    problems,
    manifest,
  }
}

/** All engines in the cache folder. */
export function listEngines({ cacheFolder }) {
  const folder = enginesFolder(cacheFolder)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => validName.test(name))
    .sort()
    .map((name) => findEngine({ cacheFolder, name }))
}

/**
 * Reads every library and compares it with its hash.
 * @param {{ cacheFolder: string, name: string, signal?: AbortSignal }} options
 * @returns {Promise<string[]>} what is wrong; empty when nothing
 */
export async function verifyEngine({ cacheFolder, name, signal }) {
  const engine = findEngine({ cacheFolder, name })
  if (!engine) return [`${name} is not installed.`]
  if (!engine.complete) return engine.problems
  const problems = []
  for (const [file, { sha256 }] of Object.entries(engine.manifest.files)) {
    const found = await hashFile(join(engine.libraryFolder, file), { signal })
    if (found !== sha256) problems.push(`${file} is damaged: its SHA-256 is ${found} instead of ${sha256}.`)
  }
  return problems
}

/** Removes an engine. It loses its name first, so that nothing finds half of it. @returns {boolean} whether it was there */
export function removeEngine({ cacheFolder, name }) {
  const folder = folderOf(cacheFolder, name)
  if (!existsSync(folder)) return false
  const aside = `${folder}.removed-${process.pid}`
  renameSync(folder, aside)
  rmSync(aside, { recursive: true, force: true })
  return true
}
