import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder as defaultCacheFolder, repository } from './folders.mjs'
import { createProgress } from './progress.mjs'
import { run } from './run.mjs'

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The Electron program that is installed, or undefined. The `electron` package is asked nothing: it would download. */
export function findElectron({ root = repository, environment = process.env } = {}) {
  const packageFolder = join(root, 'node_modules', 'electron')
  const name = read(join(packageFolder, 'path.txt'))
  const folder = environment.ELECTRON_OVERRIDE_DIST_PATH || join(packageFolder, 'dist')
  const path = join(folder, name ?? (process.platform === 'win32' ? 'electron.exe' : 'electron'))
  return existsSync(path) && (name || environment.ELECTRON_OVERRIDE_DIST_PATH) ? path : undefined
}

/** Whether a window could be shown at all. */
export function hasDisplay(environment = process.env, platform = process.platform) {
  if (platform === 'win32' || platform === 'darwin') return !environment.SSH_CONNECTION
  return Boolean(environment.DISPLAY || environment.WAYLAND_DISPLAY)
}

function electronVersion(root) {
  const description = read(join(root, 'node_modules', 'electron', 'package.json'))
  return description && JSON.parse(description).version
}

/**
 * Finds the Electron runtime, or gets it by Electron's own installer. That is tried once for each version: a failure is
 * remembered in the cache folder, and later starts do not wait for it again.
 * @returns {Promise<{ executable: string } | { reason: string }>} `reason`: why there is no window
 */
export async function obtainElectron({
  root = repository,
  cacheFolder = defaultCacheFolder(),
  environment = process.env,
  progress = createProgress(),
} = {}) {
  if (environment.CONVSCOPE_NO_WINDOW) return { reason: 'CONVSCOPE_NO_WINDOW is set' }
  if (!hasDisplay(environment)) return { reason: 'there is no display' }
  const found = findElectron({ root, environment })
  if (found) return { executable: found }
  const version = electronVersion(root)
  if (!version) return { reason: 'the electron package is not installed' }

  const memory = join(cacheFolder, `electron-${version}-failed.txt`)
  const again = `to try again, delete ${memory}`
  const earlier = read(memory)
  if (earlier !== undefined)
    return { reason: `Electron's runtime could not be fetched earlier (${earlier.trim()}); ${again}` }

  progress.update(`Fetching Electron ${version} (about 120 MB, once) …`)
  const installer = join(root, 'node_modules', 'electron', 'install.js')
  const result = await run(process.execPath, [installer], { cwd: root, env: environment })
  progress.clear()
  const executable = findElectron({ root, environment })
  if (result.code === 0 && executable) {
    rmSync(memory, { force: true })
    return { executable }
  }
  const lines = result.output.split('\n').map((line) => line.trim())
  const cause = lines.find((line) => /error/i.test(line)) ?? lines.find(Boolean) ?? `exit code ${result.code}`
  mkdirSync(cacheFolder, { recursive: true })
  writeFileSync(memory, `${cause}\n`)
  return { reason: `Electron's runtime could not be fetched (${cause}); ${again}` }
}
