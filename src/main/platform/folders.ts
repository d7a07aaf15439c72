/** Where the program keeps things on this machine. Environment variables come first, then the system's habit. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export interface FolderSurroundings {
  readonly platform: NodeJS.Platform
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

function here(): FolderSurroundings {
  return { platform: process.platform, home: homedir(), environment: process.env }
}

type Purpose = 'cache' | 'config' | 'data'

const OVERRIDES = { cache: 'CONVSCOPE_CACHE', config: 'CONVSCOPE_CONFIG', data: 'CONVSCOPE_DATA' } as const
const XDG = {
  cache: ['XDG_CACHE_HOME', '.cache'],
  config: ['XDG_CONFIG_HOME', '.config'],
  data: ['XDG_DATA_HOME', '.local/share'],
} as const
const MAC = { cache: 'Library/Caches', config: 'Library/Preferences', data: 'Library/Application Support' } as const
const WINDOWS = {
  cache: ['LOCALAPPDATA', 'Local'],
  config: ['APPDATA', 'Roaming'],
  data: ['LOCALAPPDATA', 'Local'],
} as const

function folder(purpose: Purpose, { platform, home, environment }: FolderSurroundings): string {
  const override = environment[OVERRIDES[purpose]]
  if (override) return resolve(override)
  if (platform === 'darwin') return join(home, MAC[purpose], 'ConvScope')
  if (platform === 'win32') {
    const [variable, fallback] = WINDOWS[purpose]
    return join(environment[variable] ?? join(home, 'AppData', fallback), 'ConvScope', purpose)
  }
  const [variable, fallback] = XDG[purpose]
  return join(environment[variable] || join(home, fallback), 'convscope')
}

/** What can be fetched or computed again: native engines (`engines/`), downloads. */
export function cacheFolder(surroundings: FolderSurroundings = here()): string {
  return folder('cache', surroundings)
}

/** The user's choices that hold for every project. */
export function configFolder(surroundings: FolderSurroundings = here()): string {
  return folder('config', surroundings)
}

/** Projects (`projects/`) and log files (`logs/`). */
export function dataFolder(surroundings: FolderSurroundings = here()): string {
  return folder('data', surroundings)
}

/** The project that is opened when none is named. */
export function defaultProjectFolder(surroundings: FolderSurroundings = here()): string {
  return join(dataFolder(surroundings), 'projects', 'default')
}
