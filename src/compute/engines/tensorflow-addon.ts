/** Finds the addon that joins tfjs-node's kernels to TensorFlow's library, building it where no prebuilt one fits. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ConvScopeError } from '../../shared/errors.ts'
import { installationFolder } from './folders.ts'
import type { NodeBinding } from './tensorflow-kernels.ts'
import { requireModule } from './tfjs.ts'

export interface TensorflowAddon {
  /**
   * Opens TensorFlow's library in `folder` and makes the context of the calling thread. `config` is a serialised ConfigProto;
   * `environment` is put into the real environment of the process (what is set there already stays). Blocks for about a second.
   */
  load(folder: string, config: Uint8Array, environment: Readonly<Record<string, string>>, verbose: boolean): NodeBinding
}

const ADDON_NAME = 'tensorflow-binding.node'
/** Counted up with every change of what JavaScript sees, so that no older addon is taken from the cache. */
const INTERFACE = 3

function isAddon(value: unknown): value is TensorflowAddon {
  return typeof value === 'object' && value !== null && 'load' in value && typeof value.load === 'function'
}

function requireAddon(path: string): TensorflowAddon {
  const addon: unknown = requireModule(path)
  if (!isAddon(addon)) throw new Error(`${path} is not ConvScope's TensorFlow addon`)
  return addon
}

/**
 * Loads the addon from `addonPath` if given; else the prebuilt one of this system; else one that was or is now compiled into
 * `cacheFolder`/native (about 10 seconds, needs a C++ compiler). Throws 'unsupported' with the reasons when none of them works.
 */
export async function loadAddon(cacheFolder: string, addonPath?: string): Promise<TensorflowAddon> {
  if (addonPath !== undefined) return requireAddon(addonPath)
  const platform = `${process.platform}-${process.arch}`
  const root = installationFolder()
  const reasons: string[] = []
  const cached = join(cacheFolder, 'native', `${platform}-${INTERFACE}`, ADDON_NAME)
  for (const path of [
    ...(root === undefined ? [] : [join(root, 'resources', 'native', platform, ADDON_NAME)]),
    cached,
  ]) {
    if (!existsSync(path)) continue
    try {
      return requireAddon(path)
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error))
    }
  }
  const builder = root === undefined ? undefined : join(root, 'native', 'build.mjs')
  if (builder !== undefined && existsSync(builder)) {
    try {
      await promisify(execFile)(process.execPath, [builder, '--out', cached])
      return requireAddon(cached)
    } catch (error) {
      const output: unknown =
        typeof error === 'object' && error !== null && 'stderr' in error ? error.stderr : undefined
      reasons.push(String(output || error).trim())
    }
  }
  throw new ConvScopeError(
    'unsupported',
    `There is no TensorFlow addon for ${platform}${reasons.length > 0 ? `: ${reasons.join('; ')}` : ''}`,
    {
      remedy: 'Install a C++ compiler (g++ or clang++) and start again; ConvScope then builds the addon itself.',
    },
  )
}
