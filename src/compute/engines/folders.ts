/** Where the engines find their native parts. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import * as z from 'zod'

/** Version of TensorFlow that the product installs; part of the folder's name. */
export const TENSORFLOW_VERSION = '2.21.0'

/** The repository's or installation's root: the nearest folder upwards whose package.json is ConvScope's. */
export function installationFolder(): string | undefined {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file)) {
      const description: unknown = JSON.parse(readFileSync(file, 'utf8'))
      if (
        typeof description === 'object' &&
        description !== null &&
        'name' in description &&
        description.name === 'convscope'
      )
        return folder
    }
    if (dirname(folder) === folder) return undefined
  }
}

/** The user's cache folder; the same rule as in the rest of the program. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment['CONVSCOPE_CACHE']) return environment['CONVSCOPE_CACHE']
  if (process.platform === 'win32')
    return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'convscope', 'Cache')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'convscope')
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'convscope')
}

const InstalledManifest = z.object({ libraryFolder: z.string() })

/** Where the two libraries lie in a folder that `convscope engine install` has filled: its manifest says so. */
function libraryFolder(installed: string): string {
  try {
    const manifest = InstalledManifest.parse(JSON.parse(readFileSync(join(installed, 'manifest.json'), 'utf8')))
    return join(installed, manifest.libraryFolder)
  } catch {
    return installed
  }
}

/** Folder with libtensorflow for `kind`: given, from the environment, or the one that `convscope engine install` fills. */
export function tensorflowFolder(kind: 'cpu' | 'cuda', given: string | undefined, cacheFolder: string): string {
  if (given !== undefined) return given
  const fromEnvironment = process.env[kind === 'cpu' ? 'CONVSCOPE_TENSORFLOW_DIR' : 'CONVSCOPE_TENSORFLOW_CUDA_DIR']
  return fromEnvironment || libraryFolder(join(cacheFolder, 'engines', `tensorflow-${kind}-${TENSORFLOW_VERSION}`))
}

/** Whether a folder holds TensorFlow's two libraries. */
export function holdsTensorflow(folder: string): boolean {
  const names =
    process.platform === 'darwin'
      ? ['libtensorflow_framework.2.dylib', 'libtensorflow_cc.2.dylib']
      : ['libtensorflow_framework.so.2', 'libtensorflow_cc.so.2']
  return names.every((name) => existsSync(join(folder, name)))
}
