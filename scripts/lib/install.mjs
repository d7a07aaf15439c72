import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './failure.mjs'
import { repository } from './folders.mjs'
import { hashTree } from './hash.mjs'
import { withLock } from './lock.mjs'
import { findNode24 } from './node24.mjs'
import { npmCleanInstall } from './npm.mjs'
import { createProgress } from './progress.mjs'

const stampName = '.convscope-install.json'

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** What an installation depends on: the lockfile and the system its binaries are for. */
function wanted(root) {
  return { lock: hashTree(root, ['package-lock.json', '.npmrc']), platform: `${process.platform}-${process.arch}` }
}

/** Some packages exist once for glibc and once for musl. */
const libc = process.platform === 'linux' && !existsSync('/etc/alpine-release') ? 'glibc' : 'musl'

/** Whether one of the lockfile's fields os, cpu and libc (names, or names with ! for what is excluded) allows a name. */
function allows(field, name) {
  const names = field === undefined ? [] : [field].flat()
  const included = names.filter((item) => !item.startsWith('!'))
  return !names.includes(`!${name}`) && (included.length === 0 || included.includes(name))
}

/** Whether npm installs an entry of the lockfile here. An optional one that is for no system in particular may be left out. */
function isWanted([path, { os, cpu, libc: library, optional, link }]) {
  if (!path || link || (optional && !os && !cpu)) return false
  const fitsLibrary = process.platform !== 'linux' || allows(library, libc)
  return allows(os, process.platform) && allows(cpu, process.arch) && fitsLibrary
}

/**
 * The packages of the lockfile that are not installed in the wanted version, as `name@version`.
 * npm writes its own list last, so a half-finished installation counts as none.
 */
export function missingPackages(root) {
  const locked = readJson(join(root, 'package-lock.json'))?.packages ?? {}
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages ?? {}
  return Object.entries(locked)
    .filter(isWanted)
    .filter(([path, entry]) => installed[path]?.version !== entry.version || !existsSync(join(root, path)))
    .map(([path, entry]) => `${path.split('node_modules/').at(-1)}@${entry.version}`)
}

function isCurrent(root) {
  const stamp = readJson(join(root, 'node_modules', stampName))
  const now = wanted(root)
  return stamp?.lock === now.lock && stamp?.platform === now.platform
}

/**
 * Installs into a folder beside node_modules and swaps them at the end: until then an earlier installation stays
 * usable, whatever happens.
 */
async function installAside(root, progress, npm) {
  const staging = join(root, '.convscope-staging')
  const old = join(root, '.convscope-old-modules')
  rmSync(staging, { recursive: true, force: true })
  rmSync(old, { recursive: true, force: true })
  mkdirSync(staging)
  try {
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
      if (existsSync(join(root, name))) copyFileSync(join(root, name), join(staging, name))
    }
    const total = Object.entries(readJson(join(staging, 'package-lock.json')).packages).filter(isWanted).length
    progress.update('Installing packages', 0, total)
    await npmCleanInstall(staging, { npm, onPackage: (count) => progress.update('Installing packages', count, total) })
    const modules = join(root, 'node_modules')
    if (existsSync(modules)) renameSync(modules, old)
    renameSync(join(staging, 'node_modules'), modules)
    writeFileSync(join(modules, stampName), JSON.stringify(wanted(root)))
  } finally {
    progress.clear()
    rmSync(staging, { recursive: true, force: true })
    rmSync(old, { recursive: true, force: true })
  }
}

function offlineFailure(missing) {
  const named = missing.slice(0, 8).join(', ')
  const more = missing.length > 8 ? ` and ${missing.length - 8} more` : ''
  return new Failure(
    'offline',
    `There is no connection to the package registry, and ${missing.length} packages are missing: ${named}${more}.`,
    'Connect this machine to the network and run the same command again; it is needed once.\n' +
      'A machine that stays offline can be given the folder node_modules of another one with the same system,\n' +
      'made there by `npm ci --ignore-scripts`.',
  )
}

/**
 * Makes node_modules what package-lock.json says, and does nothing when it is so already.
 * @param {{ root?: string, progress?: ReturnType<typeof createProgress>, npm?: object }} [options]
 * @returns {Promise<'unchanged' | 'installed' | 'kept'>} `kept`: there was no network, and the earlier installation stays
 * @throws {Failure}
 */
export async function ensureInstalled({ root = repository, progress = createProgress(), npm } = {}) {
  if (isCurrent(root)) return 'unchanged'
  const onWait = (pid) => progress.say(`Another process (${pid}) is installing the packages; waiting for it.`)
  return withLock(join(root, '.convscope-install.lock'), { onWait }, async () => {
    if (isCurrent(root)) return 'unchanged'
    const modules = join(root, 'node_modules')
    const missing = missingPackages(root)
    if (missing.length === 0) {
      // Installed by hand with npm.
      writeFileSync(join(modules, stampName), JSON.stringify(wanted(root)))
      return 'unchanged'
    }
    const usable = findNode24({ root }) !== undefined
    progress.say(`Installing ${missing.length} npm packages (about a minute) …`)
    try {
      await installAside(root, progress, npm)
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'offline') throw error
      const failure = offlineFailure(missing)
      if (!usable) throw failure
      progress.say(`${failure.message}\nGoing on with the packages installed earlier.`)
      return 'kept'
    }
    return 'installed'
  })
}
