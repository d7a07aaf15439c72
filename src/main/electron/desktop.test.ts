import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { APP_ORIGIN, PORT_CHANNEL, PORT_REQUEST } from '../../shared/contract/hand-over.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { createContractClient } from '../../shared/rpc/client.ts'
import { PortTransport } from '../../shared/rpc/port-transport.ts'
import type { PlainPort } from '../../shared/rpc/port-transport.ts'
import { CONTENT_SECURITY_POLICY } from '../http/security-headers.ts'
import { servePage } from '../http/testing/fixture.ts'
import type { Served } from '../http/testing/fixture.ts'
import { configureLogging } from '../platform/logger.ts'
import { createRequestHandler } from '../rpc/handler.ts'
import { fromNodePort } from '../rpc/transports/port.ts'
import { stepEvent } from '../rpc/testing/fake-services.ts'
import { runDesktop } from './desktop.ts'
import type { DesktopParts } from './desktop.ts'
import { MessagePortMain } from './testing/message-port-main.ts'
import type { DomPort } from './testing/message-port-main.ts'
import * as standIn from './testing/electron-stand-in.ts'

vi.mock('electron', () => import('./testing/electron-stand-in.ts'))

const { electron } = standIn
/** Scripts of the page, which are typed for a browser. */
const pageScript = (path: string): string => new URL(`../../renderer/${path}`, import.meta.url).href
let served: Served
let parts: DesktopParts
let folder: string

beforeAll(() => configureLogging({ stderr: 'off' }))
beforeEach(async () => {
  standIn.resetElectron()
  served = await servePage()
  folder = await mkdtemp(join(tmpdir(), 'convscope-window-'))
  parts = {
    content: served.content,
    rpc: createRequestHandler(served.services, { error: (message) => void served.logged.push(message) }),
    close: vi.fn(async () => undefined),
  }
})
afterEach(async () => {
  vi.unstubAllGlobals()
  await served.close()
  await rm(folder, { recursive: true, force: true })
})

const start = (open: () => Promise<DesktopParts> = async () => parts) =>
  runDesktop({
    userDataFolder: join(folder, 'user-data'),
    logFolder: join(folder, 'logs'),
    preloadPath: join(folder, 'preload.cjs'),
    open,
  })
const theWindow = () => electron.state.windows[0]!
const fetchApp = (path: string, init?: RequestInit) =>
  electron.state.handlers.get('app')!(new Request(`${APP_ORIGIN}${path}`, init))

describe('the window', () => {
  it('is in a sandbox, isolated, without Node, and shown when it is ready', async () => {
    await start()
    expect(theWindow().options.webPreferences).toEqual({
      preload: join(folder, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    })
    expect(theWindow().options.show).toBe(false)
    expect(theWindow().isShown).toBe(true)
    expect(electron.log.of('window.loadURL')).toEqual([[`${APP_ORIGIN}/`]])
  })

  it('registers one scheme, once, without leave to pass the policy by', async () => {
    await start()
    expect(electron.state.schemes).toEqual([
      {
        scheme: 'app',
        privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true },
      },
    ])
  })

  it('sends no crash reports and keeps them, like everything of its own, in its folder', async () => {
    await start()
    expect(electron.log.of('crashReporter.start')).toEqual([[{ uploadToServer: false }]])
    expect(electron.log.of('app.setPath')).toEqual([
      ['userData', join(folder, 'user-data')],
      ['crashDumps', join(folder, 'user-data', 'crashes')],
    ])
  })

  it('opens the folders of logs and crash reports from its menu', async () => {
    await start()
    const [[menu]] = electron.log.of('Menu.setApplicationMenu') as [
      [{ role?: string; submenu?: { label: string; click(): void }[] }[]],
    ]
    for (const item of menu.find(({ role }) => role === 'help')?.submenu ?? []) item.click()
    expect(electron.log.of('shell.openPath')).toEqual([[join(folder, 'logs')], [join(folder, 'user-data', 'crashes')]])
  })

  it('leaves to the instance that is already there', async () => {
    electron.state.isFirstInstance = false
    const open = vi.fn(async () => parts)
    await start(open)
    expect(open).not.toHaveBeenCalled()
    expect(await electron.ended).toBe(0)
  })

  it('comes to the front when it is opened a second time', async () => {
    await start()
    theWindow().minimized = true
    standIn.app.emit('second-instance')
    expect(theWindow().minimized).toBe(false)
    expect(electron.log.of('window.focus')).toHaveLength(1)
  })

  it('loads the page again when its process is gone', async () => {
    await start()
    theWindow().webContents.emit('render-process-gone', new standIn.ElectronEvent(), { reason: 'crashed', exitCode: 5 })
    expect(electron.log.of('window.reload')).toHaveLength(1)
  })

  it('says why it cannot start, and ends', async () => {
    await start(async () => {
      throw new ConvScopeError('conflict', 'The project is open elsewhere', { remedy: 'Close it there.' })
    })
    expect(electron.log.of('dialog.showErrorBox')).toEqual([
      ['ConvScope cannot start', 'The project is open elsewhere\n\nClose it there.'],
    ])
    expect(await electron.ended).toBe(1)
    expect(electron.state.windows).toEqual([])
  })
})

describe('app://workstation', () => {
  it('gives page and artifacts with the same policy as the server', async () => {
    await start()
    const page = await fetchApp('/')
    expect(page.headers.get('content-security-policy')).toBe(CONTENT_SECURITY_POLICY)
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    const { sha256 } = await served.artifacts.put(Buffer.from('bytes'))
    const artifact = await fetchApp(`/artifact/${sha256}`)
    expect(await artifact.text()).toBe('bytes')
    expect(artifact.headers.get('cache-control')).toContain('immutable')
  })

  it('takes uploads', async () => {
    await start()
    const answer = await fetchApp('/upload', { method: 'PUT', body: Buffer.from('picture') })
    expect(await answer.json()).toEqual(await served.artifacts.put(Buffer.from('picture')))
  })

  it.each(['/..%2fsecret.html', '/%2e%2e/secret.html', '/notes.txt', '/%2fetc%2fpasswd'])(
    'has nothing at %s',
    async (path) => {
      await start()
      expect((await fetchApp(path)).status).toBe(404)
    },
  )

  it('is read only, and under no other name', async () => {
    await start()
    expect((await fetchApp('/', { method: 'POST', body: 'x' })).status).toBe(405)
    expect((await electron.state.handlers.get('app')!(new Request('app://elsewhere/'))).status).toBe(404)
  })
})

describe('what a page may not do', () => {
  it.each(['will-navigate', 'will-redirect', 'will-frame-navigate', 'will-attach-webview'])('%s', async (name) => {
    await start()
    const { webContents } = theWindow()
    for (const url of ['https://example.org/', `${APP_ORIGIN}/library`, 'app://elsewhere/']) {
      const event = Object.assign(new standIn.ElectronEvent(), { url })
      webContents.emit(name, event)
      expect(event.defaultPrevented).toBe(true)
    }
  })

  it('may load itself again, where it is', async () => {
    await start()
    const { webContents } = theWindow()
    webContents.url = `${APP_ORIGIN}/deconvnet/live?source=camera`
    for (const name of ['will-navigate', 'will-frame-navigate']) {
      const event = Object.assign(new standIn.ElectronEvent(), { url: webContents.url })
      webContents.emit(name, event)
      expect(event.defaultPrevented).toBe(false)
    }
    webContents.url = 'https://example.org/'
    const event = Object.assign(new standIn.ElectronEvent(), { url: webContents.url })
    webContents.emit('will-navigate', event)
    expect(event.defaultPrevented).toBe(true)
  })

  it('opens no window; only https goes to the browser of the user', async () => {
    await start()
    const open = theWindow().webContents.openHandler!
    const addresses = [
      'https://example.org/paper.pdf',
      'http://example.org/',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'smb://host/share',
      'https://user:word@example.org/',
      'not an address',
      `${APP_ORIGIN}/library`,
    ]
    expect(addresses.map((url) => open({ url }).action)).toEqual(addresses.map(() => 'deny'))
    expect(electron.log.of('shell.openExternal')).toEqual([['https://example.org/paper.pdf']])
  })

  it('has no permission but to write to the clipboard, and that only on our page', async () => {
    await start()
    const { permissionRequest, permissionCheck, devicePermission, displayMedia } = standIn.session.defaultSession
    const contents = theWindow().webContents
    const asked = (permission: string) => {
      const callback = vi.fn<(granted: boolean) => void>()
      permissionRequest!(contents, permission, callback, {})
      return callback.mock.calls
    }
    const denied = [
      'media',
      'geolocation',
      'notifications',
      'clipboard-read',
      'openExternal',
      'fileSystem',
      'hid',
      'usb',
      'unknown',
    ]
    for (const permission of denied) {
      expect(asked(permission)).toEqual([[false]])
      expect(permissionCheck!(contents, permission, APP_ORIGIN, {})).toBe(false)
    }
    expect(asked('clipboard-sanitized-write')).toEqual([[true]])
    expect(permissionCheck!(null, 'clipboard-sanitized-write', `${APP_ORIGIN}/`, {})).toBe(true)
    expect(permissionCheck!(null, 'clipboard-sanitized-write', 'https://example.org/', {})).toBe(false)
    contents.url = 'https://example.org/'
    expect(asked('clipboard-sanitized-write')).toEqual([[false]])
    expect(devicePermission!({})).toBe(false)
    const streams = vi.fn()
    displayMedia!({}, streams)
    expect(streams).toHaveBeenCalledWith(null)
    expect(electron.log.of('session.setSpellCheckerEnabled')).toEqual([[false]])
  })

  it.each([
    ['/deconvnet/live', ['video'], true],
    ['/deconvnet/live?source=camera', ['video'], true],
    ['/deconvnet/live', ['video', 'audio'], false],
    ['/deconvnet/live', ['audio'], false],
    ['/deconvnet/live', [], false],
    ['/deconvnet', ['video'], false],
    ['/library/deconvnet/live', ['video'], false],
  ])('at %s asking for %j gets a camera: %s', async (path, mediaTypes, granted) => {
    await start()
    const { permissionRequest, permissionCheck } = standIn.session.defaultSession
    const contents = theWindow().webContents
    const asked = (): unknown => {
      const callback = vi.fn<(granted: boolean) => void>()
      permissionRequest!(contents, 'media', callback, { mediaTypes })
      return callback.mock.calls
    }
    contents.url = `${APP_ORIGIN}${path}`
    expect(asked()).toEqual([[granted]])
    if (mediaTypes.length === 1) {
      const [mediaType] = mediaTypes
      expect(permissionCheck!(contents, 'media', APP_ORIGIN, { mediaType })).toBe(granted)
    }
    expect(permissionCheck!(null, 'media', APP_ORIGIN, { mediaType: 'video' })).toBe(false)
    contents.url = `https://example.org${path}`
    expect(asked()).toEqual([[false]])
  })

  it.each([
    ['app://workstation/assets/main.js', false],
    ['blob:app://workstation/1-2-3', false],
    ['data:image/png;base64,AA==', false],
    ['http://127.0.0.1:8080/', true],
    ['https://example.org/', true],
    ['ws://127.0.0.1/', true],
    ['file:///etc/passwd', true],
    ['ftp://example.org/', true],
    ['chrome://gpu/', true],
    ['nonsense', true],
  ])('a request to %s is cancelled: %s', async (url, cancel) => {
    await start()
    const callback = vi.fn()
    standIn.session.defaultSession.beforeRequest!({ url }, callback)
    expect(callback.mock.calls).toEqual([[{ cancel }]])
  })

  it.each([
    [`${APP_ORIGIN}/artifact/abc`, false],
    [`blob:${APP_ORIGIN}/1-2`, false],
    ['https://example.org/file', true],
    ['app://elsewhere/file', true],
    ['data:text/html,x', true],
  ])('a download of %s is refused: %s', async (url, refused) => {
    await start()
    const event = new standIn.ElectronEvent()
    standIn.session.defaultSession.emit('will-download', event, { getURL: () => url })
    expect(event.defaultPrevented).toBe(refused)
  })
})

describe('the port', () => {
  /** The page's window as its own scripts and the preload see it. */
  async function loadPreload(): Promise<{
    post(data: unknown, ports: readonly unknown[], from?: object): void
    handOver(): PlainPort
  }> {
    const listeners: ((event: object) => void)[] = []
    vi.stubGlobal('addEventListener', (_type: string, listener: (event: object) => void) => listeners.push(listener))
    vi.resetModules()
    await import('../../preload/index.ts')
    const post = (data: unknown, ports: readonly unknown[], from: object = {}): void => {
      for (const listener of listeners) listener({ source: globalThis, origin: APP_ORIGIN, data, ports, ...from })
    }
    const page = {
      location: { origin: APP_ORIGIN },
      postMessage: (data: unknown, _origin: string, ports: readonly unknown[]) => post(data, ports),
    }
    const script = (await import(pageScript('rpc/window-port.ts'))) as { handOverPort(window: object): PlainPort }
    return { post, handOver: () => script.handOverPort(page) }
  }

  it('goes from the page through the preload to main and carries the contract', async () => {
    await start()
    const { handOver } = await loadPreload()
    const transport = new PortTransport(handOver())
    const client = createContractClient(transport)
    await expect(client.system.about()).resolves.toMatchObject({ program: 'ConvScope test' })
    const page = await client.datasets.page({ name: 'mnist', split: 'test', offset: 0, count: 4 })
    expect(page.images.length).toBe(4 * 784)
    served.services.events.set('short', [stepEvent(1), { type: 'done', seq: 2, at: 1 }])
    const types: string[] = []
    for await (const event of await client.jobs.watch({ id: 'short' })) types.push(event.type)
    expect(types).toEqual(['step', 'done'])
    transport.close()
  })

  it.each([
    ['from another window', PORT_REQUEST, 1, { source: {} }],
    ['from another origin', PORT_REQUEST, 1, { origin: 'https://example.org' }],
    ['with other words', 'connect', 1, {}],
    ['without a port', PORT_REQUEST, 0, {}],
    ['with two ports', PORT_REQUEST, 2, {}],
  ])('is not passed on by the preload %s', async (_what, data, count, from) => {
    await start()
    const { post } = await loadPreload()
    const received = vi.fn()
    standIn.ipcMain.on(PORT_CHANNEL, received)
    const channels = Array.from({ length: count }, () => new MessageChannel())
    post(
      data,
      channels.map(({ port2 }) => port2),
      from,
    )
    expect(received).not.toHaveBeenCalled()
    for (const { port1 } of channels) port1.close()
  })

  it.each([
    ['a frame that is gone', null],
    ['a frame inside the page', { parent: {}, origin: APP_ORIGIN }],
    ['a foreign page', { parent: null, origin: 'https://example.org' }],
    ['another host of the scheme', { parent: null, origin: 'app://elsewhere' }],
    ['a page without an origin', { parent: null, origin: 'null' }],
  ])('is refused by main from %s', async (_what, frame) => {
    await start()
    const { port1, port2 } = new MessageChannel()
    const transport = new PortTransport(fromNodePort(port1))
    const closed = new Promise<string>((resolve) => {
      transport.onState(resolve)
    })
    standIn.sendToMain(PORT_CHANNEL, null, [port2 as unknown as DomPort], frame)
    expect(await closed).toBe('closed')
    expect(served.services.calls).toEqual([])
  })

  it('is replaced by that of a reloaded page, and closed with the window', async () => {
    await start()
    const { handOver } = await loadPreload()
    const connect = () => {
      const transport = new PortTransport(handOver())
      const closed = new Promise<string>((resolve) => {
        transport.onState(resolve)
      })
      return { client: createContractClient(transport), closed }
    }
    const first = connect()
    await first.client.system.about()
    const second = connect()
    expect(await first.closed).toBe('closed')
    await second.client.system.about()
    theWindow().close()
    expect(await second.closed).toBe('closed')
  })

  it('of main transfers nothing but ports', async () => {
    const { port1, port2 } = new MessageChannel()
    const port = new MessagePortMain(port2 as unknown as DomPort)
    const bytes = new Uint8Array(8)
    expect(() => port.postMessage(bytes, [bytes.buffer])).toThrow(TypeError)
    port1.close()
  })
})

describe('quitting', () => {
  it('waits until everything is closed, and stops accepting first', async () => {
    const closing = Promise.withResolvers<undefined>()
    parts.close = vi.fn(() => {
      expect(standIn.ipcMain.listenerCount(PORT_CHANNEL)).toBe(0)
      return closing.promise
    })
    await start()
    standIn.app.quit()
    standIn.app.quit()
    expect(theWindow().isShown).toBe(false)
    expect(parts.close).toHaveBeenCalledTimes(1)
    expect(electron.state.exitCode).toBeUndefined()
    closing.resolve(undefined)
    expect(await electron.ended).toBe(0)
  })

  it('ends even when closing fails', async () => {
    parts.close = () => Promise.reject(new Error('disk gone'))
    await start()
    standIn.app.quit()
    expect(await electron.ended).toBe(0)
  })

  it('follows the last window', async () => {
    await start()
    theWindow().close()
    expect(await electron.ended).toBe(0)
    expect(parts.close).toHaveBeenCalledTimes(1)
  })
})

describe('the stand-in', () => {
  it('refuses what Electron refuses', async () => {
    const { app, BrowserWindow, protocol, crashReporter } = standIn
    expect(() => new BrowserWindow({})).toThrow('before ready')
    expect(() => protocol.handle('app', served.content)).toThrow('before ready')
    expect(() => crashReporter.start({ uploadToServer: true })).toThrow('sent')
    protocol.registerSchemesAsPrivileged([])
    expect(() => protocol.registerSchemesAsPrivileged([])).toThrow('twice')
    await app.whenReady()
    expect(() => protocol.registerSchemesAsPrivileged([])).toThrow('after ready')
    expect(() => new BrowserWindow({ webPreferences: {} })).toThrow('enableSandbox')
    electron.state.isSandboxed = true
    expect(() => new BrowserWindow({ webPreferences: { contextIsolation: true } })).toThrow('sandbox')
    expect(
      () => new BrowserWindow({ webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: true } }),
    ).toThrow('nodeIntegration')
  })
})
