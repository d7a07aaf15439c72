import { isAbsolute } from 'node:path'
import { expect, it } from 'vitest'
import { cacheFolder, configFolder, dataFolder, defaultProjectFolder, type FolderSurroundings } from './folders.ts'

const on = (platform: NodeJS.Platform, environment: Record<string, string> = {}): FolderSurroundings => ({
  platform,
  home: '/home/ada',
  environment,
})
const all = (surroundings: FolderSurroundings) =>
  [cacheFolder, configFolder, dataFolder].map((folder) => folder(surroundings))

it('follows the habits of each system', () => {
  expect(all(on('linux'))).toEqual([
    '/home/ada/.cache/convscope',
    '/home/ada/.config/convscope',
    '/home/ada/.local/share/convscope',
  ])
  expect(all(on('linux', { XDG_CACHE_HOME: '/c', XDG_CONFIG_HOME: '/f', XDG_DATA_HOME: '/d' }))).toEqual([
    '/c/convscope',
    '/f/convscope',
    '/d/convscope',
  ])
  expect(all(on('darwin'))).toEqual([
    '/home/ada/Library/Caches/ConvScope',
    '/home/ada/Library/Preferences/ConvScope',
    '/home/ada/Library/Application Support/ConvScope',
  ])
  expect(all(on('win32', { LOCALAPPDATA: 'L', APPDATA: 'R' })).map((path) => path.replaceAll('\\', '/'))).toEqual([
    'L/ConvScope/cache',
    'R/ConvScope/config',
    'L/ConvScope/data',
  ])
})

it('is overridden by the environment, on every system', () => {
  const environment = { CONVSCOPE_CACHE: '/1', CONVSCOPE_CONFIG: '/2', CONVSCOPE_DATA: '/3', XDG_CACHE_HOME: '/no' }
  for (const platform of ['linux', 'darwin', 'win32'] as const)
    expect(all(on(platform, environment))).toEqual(['/1', '/2', '/3'])
  expect(defaultProjectFolder(on('linux', environment))).toBe('/3/projects/default')
  expect(isAbsolute(cacheFolder(on('linux', { CONVSCOPE_CACHE: 'relative' })))).toBe(true)
})
