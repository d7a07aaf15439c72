import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../lib/failure.mjs'
import { run } from '../lib/run.mjs'

const noNetwork =
  /NewConnectionError|Temporary failure in name resolution|Name or service not known|nodename nor servname|Network is unreachable|Connection refused|No route to host|ConnectTimeout|Read timed out|ProxyError|Max retries exceeded|Connection(Reset|Aborted)?Error/

function sizeBelow(folder) {
  let bytes = 0
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
      if (entry.isFile()) bytes += statSync(join(entry.parentPath ?? entry.path, entry.name)).size
    }
  } catch (error) {
    // pip moves its files about while we look.
    if (error.code !== 'ENOENT') throw error
  }
  return bytes
}

/** The command that starts Python 3 with pip. @throws {Failure} python-missing, pip-missing */
async function findPython(environment, signal) {
  const candidates = environment.CONVSCOPE_PYTHON ? [environment.CONVSCOPE_PYTHON] : ['python3', 'python']
  let python
  for (const candidate of candidates) {
    const result = await run(candidate, ['-c', 'import sys; print(sys.version_info[0])'], { env: environment, signal })
    if (result.missing || result.code !== 0 || !result.output.trim().endsWith('3')) continue
    python ??= candidate
    const pip = await run(candidate, ['-m', 'pip', '--version'], { env: environment, signal })
    if (pip.code === 0) return candidate
  }
  if (!python) {
    const wanted = environment.CONVSCOPE_PYTHON ?? 'python3'
    throw new Failure(
      'python-missing',
      `The native engine is fetched with pip, and there is no ${wanted}.`,
      'Install Python 3 with pip (on Debian and Ubuntu: apt install python3-pip) and try again.',
    )
  }
  throw new Failure(
    'pip-missing',
    `The native engine is fetched with pip, and ${python} has none.`,
    'Install it (on Debian and Ubuntu: apt install python3-pip; elsewhere: python3 -m ensurepip) and try again.',
  )
}

function failureOf(result, requirement) {
  if (/No space left on device|Errno 28/.test(result.output)) {
    return new Failure(
      'disk-full',
      'The disk became full while the native engine was fetched.',
      'Make room, or set CONVSCOPE_CACHE to a folder on a larger disk.',
    )
  }
  // Without an index pip first says that it retries, then that no version was found: the first is the reason.
  if (noNetwork.test(result.output)) {
    return new Failure(
      'offline',
      'The package index cannot be reached, so the native engine cannot be fetched.',
      'Connect this machine to the network and try again; until then the program computes with WebAssembly.',
    )
  }
  if (/No matching distribution|from versions: none/.test(result.output)) {
    return new Failure(
      'not-found',
      `The package index has no ${requirement} for this system.`,
      result.output.trim().slice(-600),
    )
  }
  return new Failure(
    'pip-failed',
    `pip could not fetch ${requirement} (exit code ${result.code}).`,
    result.output.trim().slice(-1500),
  )
}

/**
 * Runs a pip command that downloads into `folder`; pip's own temporary files lie there too, which shows how far it is
 * with every version of pip, and keeps them off a small /tmp.
 * @param {{ command: string[], requirement: string, folder: string, totalBytes: number,
 *   onBytes: (bytes: number) => void, signal?: AbortSignal, environment?: NodeJS.ProcessEnv }} options
 * @throws {Failure} python-missing, pip-missing, offline, disk-full, not-found, pip-failed
 */
export async function runPip({ command, requirement, folder, onBytes, signal, environment = process.env }) {
  const python = await findPython(environment, signal)
  const temporary = join(folder, 'pip-temporary')
  mkdirSync(temporary, { recursive: true })
  const watcher = setInterval(() => onBytes(sizeBelow(folder)), 400)
  try {
    const general = [
      '--disable-pip-version-check',
      '--no-input',
      '--no-cache-dir',
      '--progress-bar',
      'off',
      '--retries',
      '3',
    ]
    const [verb, ...rest] = command
    const result = await run(python, ['-m', 'pip', verb, ...general, ...rest, requirement], {
      env: { ...environment, TMPDIR: temporary, TEMP: temporary, TMP: temporary, PIP_ROOT_USER_ACTION: 'ignore' },
      signal,
    })
    if (result.code !== 0) throw failureOf(result, requirement)
  } finally {
    clearInterval(watcher)
    rmSync(temporary, { recursive: true, force: true })
  }
}
