import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json. */
export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * The user's cache folder for ConvScope: native engines and what was remembered about them. The same rule as
 * src/main/platform/folders.ts, kept here a second time because this code runs before anything is installed.
 */
export function cacheFolder(environment = process.env, platform = process.platform) {
  if (environment.CONVSCOPE_CACHE) return resolve(environment.CONVSCOPE_CACHE)
  const home = homedir()
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'ConvScope')
  if (platform === 'win32')
    return join(environment.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'ConvScope', 'cache')
  return join(environment.XDG_CACHE_HOME || join(home, '.cache'), 'convscope')
}
