import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as electronModule from 'electron'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openWorkstation } from './assemble.ts'
import type { WorkstationOptions } from './assemble.ts'
import type * as StandIn from './electron/testing/electron-stand-in.ts'

vi.mock('electron', () => import('./electron/testing/electron-stand-in.ts'))
vi.mock('./assemble.ts', () => ({ openWorkstation: vi.fn() }))

// The instance that the entry sees, whenever it is loaded again.
const standIn = electronModule as unknown as typeof StandIn
let folder: string
const before = process.argv

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-index-'))
  standIn.resetElectron()
  vi.resetModules()
  vi.stubEnv('CONVSCOPE_DATA', folder)
  vi.stubEnv('DISPLAY', ':0')
  vi.mocked(openWorkstation).mockResolvedValue({
    rpc: async () => ({ status: 404, headers: {}, body: undefined }),
    content: async () => new Response('page'),
    announcePage: async () => undefined,
    close: async () => undefined,
  })
})
afterEach(async () => {
  process.argv = before
  vi.unstubAllEnvs()
  vi.mocked(openWorkstation).mockReset()
  await rm(folder, { recursive: true, force: true })
})

async function startWith(...args: string[]): Promise<WorkstationOptions | undefined> {
  process.argv = ['electron', '/program', ...args]
  await import('./index.ts')
  return vi.mocked(openWorkstation).mock.calls[0]?.[0]
}
const userData = (): unknown => standIn.electron.log.of('app.setPath').find(([name]) => name === 'userData')?.[1]

describe('the entry of the window', () => {
  it('opens the default project and shows the page', async () => {
    expect(await startWith()).toEqual({
      projectFolder: join(folder, 'projects', 'default'),
      shell: 'window',
      engine: undefined,
      threads: undefined,
    })
    expect(standIn.electron.log.of('window.loadURL')).toEqual([['app://workstation/']])
  })

  it.each([
    [
      ['--project', '/data/p', '--engine', 'wasm', '--threads', '3'],
      { projectFolder: '/data/p', engine: 'wasm', threads: 3 },
    ],
    [['/data/q', '--remote-debugging-port=0'], { projectFolder: '/data/q', engine: undefined, threads: undefined }],
    [['--engine', 'nonsense', '--threads', 'many'], { engine: undefined, threads: undefined }],
  ])('takes %j', async (args, expected) => {
    expect(await startWith(...args)).toMatchObject(expected)
  })

  it('keeps a folder of its own for each project, so that each has its single instance', async () => {
    await startWith('/data/p')
    const first = userData()
    standIn.resetElectron()
    vi.resetModules()
    await startWith('/data/q')
    expect(userData()).not.toBe(first)
    expect(String(first).startsWith(join(folder, 'window'))).toBe(true)
  })

  it.runIf(process.platform === 'linux')('says what to do where there is no display', async () => {
    vi.stubEnv('DISPLAY', '')
    vi.stubEnv('WAYLAND_DISPLAY', '')
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    expect(await startWith()).toBeUndefined()
    expect(write.mock.calls.join()).toContain('convscope serve')
    expect(await standIn.electron.ended).toBe(1)
    write.mockRestore()
  })
})
