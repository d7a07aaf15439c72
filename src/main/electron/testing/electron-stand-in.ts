/**
 * Stands in for the module `electron` in tests: records what is called and refuses what Electron refuses, or what would make
 * the window unsafe. One state for each test: `resetElectron()`.
 */
import { EventEmitter } from 'node:events'
import { isAbsolute } from 'node:path'
import { MessagePortMain } from './message-port-main.ts'
import type { DomPort } from './message-port-main.ts'

type Handler = (request: Request) => Promise<Response>
interface Scheme {
  scheme: string
  privileges: Record<string, boolean>
}
export interface WindowOptions {
  show?: boolean
  webPreferences?: Record<string, unknown>
}

class Log {
  readonly calls: { name: string; args: unknown[] }[] = []
  note(name: string, ...args: unknown[]): void {
    this.calls.push({ name, args })
  }
  of(name: string): unknown[][] {
    return this.calls.filter((call) => call.name === name).map((call) => call.args)
  }
}

class State {
  readonly log = new Log()
  isReady = false
  exitCode: number | undefined
  schemes: Scheme[] | undefined
  readonly handlers = new Map<string, Handler>()
  readonly windows: BrowserWindow[] = []
  isFirstInstance = true
  isSandboxed = false
  ended = Promise.withResolvers<number>()
}
let state = new State()

/** Electron cancels by `preventDefault` on an event object that comes first. */
export class ElectronEvent {
  defaultPrevented = false
  preventDefault(): void {
    this.defaultPrevented = true
  }
}

function must(condition: boolean, message: string): void {
  if (!condition) throw new Error(`electron stand-in: ${message}`)
}

class App extends EventEmitter {
  isPackaged = false
  setPath(name: string, path: string): void {
    must(!state.isReady, `setPath("${name}") after ready`)
    must(isAbsolute(path), `setPath("${name}") needs an absolute path`)
    state.log.note('app.setPath', name, path)
  }
  enableSandbox(): void {
    must(!state.isReady, 'enableSandbox after ready')
    state.isSandboxed = true
  }
  requestSingleInstanceLock(): boolean {
    must(
      state.log.of('app.setPath').some(([name]) => name === 'userData'),
      'the lock lies in userData: set it first',
    )
    return state.isFirstInstance
  }
  async whenReady(): Promise<void> {
    await Promise.resolve()
    if (state.isReady) return
    state.isReady = true
    this.emit('ready', new ElectronEvent())
  }
  quit(): void {
    state.log.note('app.quit')
    const event = new ElectronEvent()
    this.emit('before-quit', event)
    if (event.defaultPrevented) return
    this.emit('will-quit', new ElectronEvent())
    this.#end(0)
  }
  exit(code = 0): void {
    state.log.note('app.exit', code)
    this.#end(code)
  }
  #end(code: number): void {
    state.exitCode ??= code
    state.ended.resolve(code)
  }
}

class Protocol {
  registerSchemesAsPrivileged(schemes: Scheme[]): void {
    must(!state.isReady, 'registerSchemesAsPrivileged after ready')
    must(state.schemes === undefined, 'registerSchemesAsPrivileged twice: the second call would replace the first')
    for (const { privileges } of schemes) must(privileges['bypassCSP'] !== true, 'bypassCSP')
    state.schemes = schemes
  }
  handle(scheme: string, handler: Handler): void {
    must(state.isReady, 'protocol.handle before ready')
    must(state.schemes?.some((known) => known.scheme === scheme) === true, `the scheme "${scheme}" is not registered`)
    must(!state.handlers.has(scheme), `protocol.handle("${scheme}") twice`)
    state.handlers.set(scheme, handler)
  }
}

type PermissionRequest = (
  contents: WebContents,
  permission: string,
  callback: (granted: boolean) => void,
  details: object,
) => void
type PermissionCheck = (contents: WebContents | null, permission: string, origin: string, details: object) => boolean
type BeforeRequest = (details: { url: string }, callback: (answer: { cancel?: boolean }) => void) => void

class Session extends EventEmitter {
  permissionRequest: PermissionRequest | undefined
  permissionCheck: PermissionCheck | undefined
  devicePermission: ((details: object) => boolean) | undefined
  displayMedia: ((request: object, callback: (streams: object | null) => void) => void) | undefined
  beforeRequest: BeforeRequest | undefined
  readonly webRequest = {
    onBeforeRequest: (listener: BeforeRequest): void => {
      must(this.beforeRequest === undefined, 'onBeforeRequest twice: the second listener would replace the first')
      this.beforeRequest = listener
    },
  }
  setPermissionRequestHandler(handler: PermissionRequest): void {
    this.permissionRequest = handler
  }
  setPermissionCheckHandler(handler: PermissionCheck): void {
    this.permissionCheck = handler
  }
  setDevicePermissionHandler(handler: (details: object) => boolean): void {
    this.devicePermission = handler
  }
  setDisplayMediaRequestHandler(handler: (request: object, callback: (streams: object | null) => void) => void): void {
    this.displayMedia = handler
  }
  setSpellCheckerEnabled(enabled: boolean): void {
    state.log.note('session.setSpellCheckerEnabled', enabled)
  }
}

export class WebContents extends EventEmitter {
  url = ''
  openHandler: ((details: { url: string }) => { action: string }) | undefined
  readonly mainFrame: { parent: null; origin: string } = { parent: null, origin: 'null' }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler
  }
  getURL(): string {
    return this.url
  }
}

export class BrowserWindow extends EventEmitter {
  static getAllWindows(): BrowserWindow[] {
    return state.windows.filter((window) => !window.destroyed)
  }
  readonly webContents = new WebContents()
  readonly options: WindowOptions
  isShown: boolean
  minimized = false
  destroyed = false

  constructor(options: WindowOptions) {
    super()
    must(state.isReady, 'a window before ready')
    must(state.isSandboxed, 'a window without app.enableSandbox')
    const safe = options.webPreferences ?? {}
    must(safe['sandbox'] === true && safe['contextIsolation'] === true, 'a window without sandbox and isolation')
    for (const name of ['nodeIntegration', 'nodeIntegrationInWorker', 'nodeIntegrationInSubFrames', 'webviewTag']) {
      must(safe[name] === false, `a window with ${name}`)
    }
    must(safe['webSecurity'] !== false && safe['allowRunningInsecureContent'] !== true, 'a window without web security')
    must(typeof safe['preload'] === 'string' && isAbsolute(safe['preload']), 'a preload without an absolute path')
    this.options = options
    this.isShown = options.show !== false
    state.windows.push(this)
    app.emit('web-contents-created', new ElectronEvent(), this.webContents)
  }
  async loadURL(url: string): Promise<void> {
    const { protocol: scheme, host } = new URL(url)
    const handler = state.handlers.get(scheme.slice(0, -1))
    if (!handler) throw new Error(`electron stand-in: nothing answers ${url}`)
    must(session.defaultSession.permissionRequest !== undefined, 'a page before permissions are denied')
    must(session.defaultSession.beforeRequest !== undefined, 'a page before the network is closed')
    must(this.webContents.openHandler !== undefined, 'a page before windows are denied')
    const response = await handler(new Request(url))
    must(response.status === 200, `${url} answered ${response.status}`)
    await response.body?.cancel()
    this.webContents.url = url
    this.webContents.mainFrame.origin = `${scheme}//${host}`
    state.log.note('window.loadURL', url)
    this.emit('ready-to-show')
  }
  show(): void {
    this.isShown = true
  }
  hide(): void {
    this.isShown = false
  }
  reload(): void {
    state.log.note('window.reload')
  }
  restore(): void {
    this.minimized = false
  }
  focus(): void {
    state.log.note('window.focus')
  }
  isMinimized(): boolean {
    return this.minimized
  }
  isDestroyed(): boolean {
    return this.destroyed
  }
  close(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.webContents.emit('destroyed')
    this.emit('closed')
    if (BrowserWindow.getAllWindows().length === 0) app.emit('window-all-closed')
  }
}

export let app = new App()
export let session = { defaultSession: new Session() }
export let ipcMain = new EventEmitter()
export const protocol = new Protocol()
export const Menu = {
  buildFromTemplate: (template: object[]): object[] => template,
  setApplicationMenu: (menu: object[]): void => state.log.note('Menu.setApplicationMenu', menu),
}
export const shell = {
  openExternal: async (url: string): Promise<void> => state.log.note('shell.openExternal', url),
  openPath: async (path: string): Promise<string> => {
    state.log.note('shell.openPath', path)
    return ''
  },
}
export const dialog = {
  showErrorBox: (title: string, content: string): void => state.log.note('dialog.showErrorBox', title, content),
}
export const crashReporter = {
  start: (options: { uploadToServer?: boolean }): void => {
    must(!state.isReady, 'crashReporter.start after ready')
    must(options.uploadToServer === false, 'crash reports would be sent')
    state.log.note('crashReporter.start', options)
  },
}
/** What the preload of the newest window sees. */
export const ipcRenderer = {
  postMessage: (channel: string, message: unknown, ports: DomPort[] = []): void => {
    const sender = state.windows.at(-1)?.webContents
    must(sender !== undefined, 'a message without a window')
    sendToMain(channel, message, ports, sender?.mainFrame ?? null)
  },
}

/** A message to main as if from that frame. */
export function sendToMain(
  channel: string,
  message: unknown,
  ports: DomPort[],
  senderFrame: { parent: unknown; origin: string } | null,
): MessagePortMain[] {
  const received = ports.map((port) => new MessagePortMain(port))
  const sender = state.windows.at(-1)?.webContents
  ipcMain.emit(channel, { sender, senderFrame, ports: received }, structuredClone(message))
  return received
}

/** What was recorded, and what a test decides. */
export const electron = {
  get log(): Log {
    return state.log
  },
  get state(): State {
    return state
  },
  /** Resolves with the exit code when the process would have ended. */
  get ended(): Promise<number> {
    return state.ended.promise
  },
}

/** A new process: nothing has been called yet. */
export function resetElectron(): void {
  state = new State()
  app = new App()
  session = { defaultSession: new Session() }
  ipcMain = new EventEmitter()
}
