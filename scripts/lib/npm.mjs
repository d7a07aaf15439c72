import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from './failure.mjs'
import { run } from './run.mjs'

/** How npm can be started: the npm that started us, the one beside this Node, or the one on PATH. */
export function findNpm(environment = process.env) {
  const beside = dirname(process.execPath)
  const scripts = [
    environment.npm_execpath,
    join(beside, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(beside, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]
  const script = scripts.find((path) => path && /npm-cli\.c?js$/.test(path) && existsSync(path))
  if (script) return { command: process.execPath, argumentList: [script], shell: false }
  return process.platform === 'win32'
    ? { command: 'npm.cmd', argumentList: [], shell: true }
    : { command: 'npm', argumentList: [], shell: false }
}

/** What an outer npm tells its scripts about itself would point the inner npm at the wrong folder. */
function innerEnvironment(environment) {
  const outer = /^(npm_package_|npm_lifecycle_|npm_config_(local_prefix|prefix|dry_run|json)$|INIT_CWD$|NODE_ENV$)/i
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !outer.test(name)))
}

const offline =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|network (timeout|connectivity)/i

/**
 * Runs `npm ci --ignore-scripts` in a folder that holds package.json and package-lock.json.
 * @param {string} folder
 * @param {{ onPackage?: (count: number) => void, npm?: { command: string, argumentList: string[], shell?: boolean } }} options
 * @throws {Failure} npm-missing, offline, disk-full, npm-failed
 */
export async function npmCleanInstall(folder, { onPackage, npm = findNpm() } = {}) {
  let fetched = 0
  const flags = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
  ]
  const network = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']
  const result = await run(
    npm.command,
    [...npm.argumentList, ...flags, ...network, '--loglevel=http', '--prefix', folder],
    {
      cwd: folder,
      env: innerEnvironment(process.env),
      shell: npm.shell,
      onLine: (line) => {
        if (/http (fetch|cache) .*\.tgz/.test(line)) onPackage?.((fetched += 1))
      },
    },
  )
  if (result.missing) {
    throw new Failure(
      'npm-missing',
      'npm was not found.',
      'Install Node.js 20 or newer with npm, or run `npm start` instead.',
    )
  }
  if (result.code === 0) return
  if (/ENOSPC/.test(result.output)) {
    throw new Failure('disk-full', 'The disk is full.', 'Make about 1.5 GB of room and run the same command again.')
  }
  if (offline.test(result.output)) throw new Failure('offline', 'The package registry cannot be reached.')
  const reason = result.output
    .split('\n')
    .filter((line) => /^npm (error|ERR!)/.test(line))
    .slice(0, 12)
    .join('\n')
  throw new Failure(
    'npm-failed',
    `npm could not install the packages (exit code ${result.code}).`,
    reason || result.output.slice(-2000),
  )
}
