/** The desktop program on the stand-in for Electron, with a served page. The test replaces the module `electron` by the stand-in. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRequestHandler } from '../../rpc/handler.ts'
import type { Services } from '../../services/services.ts'
import { runDesktop, type DesktopParts } from '../desktop.ts'
import { electron, resetElectron, type BrowserWindow } from './electron-stand-in.ts'

/** What the window shows: a page, artifacts and services. */
export interface ServedPage {
  readonly content: DesktopParts['content']
  readonly services: Services
  readonly logged: string[]
  close(): Promise<void>
}

export interface WindowFixture<S extends ServedPage> {
  readonly served: S
  readonly folder: string
  /** What `start` opens by default. */
  readonly parts: DesktopParts
  start(open?: () => Promise<DesktopParts>): ReturnType<typeof runDesktop>
  /** The first window. @throws Error where there is none */
  window(): BrowserWindow
  remove(): Promise<void>
}

export async function prepareWindow<S extends ServedPage>(served: S): Promise<WindowFixture<S>> {
  resetElectron()
  const folder = await mkdtemp(join(tmpdir(), 'convscope-window-'))
  const parts: DesktopParts = {
    content: served.content,
    rpc: createRequestHandler(served.services, { error: (message) => void served.logged.push(message) }),
    close: () => Promise.resolve(),
  }
  return {
    served,
    folder,
    parts,
    start: (open = () => Promise.resolve(parts)) =>
      runDesktop({
        userDataFolder: join(folder, 'user-data'),
        logFolder: join(folder, 'logs'),
        preloadPath: join(folder, 'preload.cjs'),
        open,
      }),
    window: () => {
      const [first] = electron.state.windows
      if (!first) throw new Error('no window is open')
      return first
    },
    remove: async () => {
      await served.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
