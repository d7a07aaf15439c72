/** The life of the window's process, from the scheme that must be registered first to the quit sequence. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { app, BrowserWindow, crashReporter, dialog, ipcMain, Menu, protocol, session, shell } from 'electron'
import { APP_ORIGIN } from '../../shared/contract/hand-over.ts'
import { toErrorReport } from '../../shared/errors.ts'
import { createLogger } from '../platform/logger.ts'
import type { RequestHandler } from '../rpc/handler.ts'
import { registerAppScheme, serveAppProtocol } from './app-protocol.ts'
import { guardContents, guardSession } from './guards.ts'
import { menuTemplate } from './menu.ts'
import { acceptPorts } from './port-host.ts'
import { mainWindowOptions } from './window-options.ts'

export interface DesktopParts {
  rpc: RequestHandler
  content: (request: Request) => Promise<Response>
  /** The end of the quit sequence: jobs, children with a deadline, database. */
  close(): Promise<void>
}

export interface DesktopOptions {
  /** Chromium's own files; one folder for each project, so that each has its single instance. */
  userDataFolder: string
  logFolder: string
  preloadPath: string
  /** Opens the project and what is on it. */
  open: () => Promise<DesktopParts>
}

const log = createLogger('window')

/** Shows the workstation; on return the window is there, or the process is ending. */
export async function runDesktop(options: DesktopOptions): Promise<void> {
  mkdirSync(options.userDataFolder, { recursive: true, mode: 0o700 })
  const crashFolder = join(options.userDataFolder, 'crashes')
  app.setPath('userData', options.userDataFolder)
  app.setPath('crashDumps', crashFolder)
  crashReporter.start({ uploadToServer: false })
  app.enableSandbox()
  registerAppScheme(protocol)
  if (!app.requestSingleInstanceLock()) {
    app.quit()
    return
  }
  app.on('web-contents-created', (_event, contents) => guardContents(contents, shell))
  await app.whenReady()
  const openFolder = (folder: string) => void shell.openPath(folder)
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(
      menuTemplate(process.platform, {
        logs: () => openFolder(options.logFolder),
        crashes: () => openFolder(crashFolder),
      }),
    ),
  )
  guardSession(session.defaultSession)

  let parts: DesktopParts
  try {
    parts = await options.open()
  } catch (thrown) {
    const { message, remedy } = toErrorReport(thrown)
    log.error('the project cannot be opened', { error: thrown })
    dialog.showErrorBox('ConvScope cannot start', [message, remedy].filter(Boolean).join('\n\n'))
    app.exit(1)
    return
  }
  serveAppProtocol(protocol, parts.content)
  const stopAccepting = acceptPorts(ipcMain, parts.rpc)
  closeBeforeQuit(async () => {
    stopAccepting()
    await parts.close()
  })
  await showWindow(options.preloadPath)
}

async function showWindow(preloadPath: string): Promise<void> {
  const window = new BrowserWindow(mainWindowOptions(preloadPath))
  window.once('ready-to-show', () => window.show())
  window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
    log.error('the page ended', { reason, exitCode })
    if (reason !== 'clean-exit' && !window.isDestroyed()) window.reload()
  })
  app.on('second-instance', () => {
    if (window.isDestroyed()) return
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  app.on('window-all-closed', () => app.quit())
  await window.loadURL(`${APP_ORIGIN}/`)
}

/** Electron waits for nothing by itself: quitting is put off once, until everything is closed. */
function closeBeforeQuit(close: () => Promise<void>): void {
  let state: 'running' | 'closing' | 'closed' = 'running'
  app.on('before-quit', (event) => {
    if (state === 'closed') return
    event.preventDefault()
    if (state === 'closing') return
    state = 'closing'
    for (const window of BrowserWindow.getAllWindows()) window.hide()
    close()
      .catch((error: unknown) => log.error('the program did not close well', { error }))
      .finally(() => {
        state = 'closed'
        app.quit()
      })
  })
}
