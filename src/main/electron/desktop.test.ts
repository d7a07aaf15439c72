import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { APP_ORIGIN, PORT_CHANNEL } from '../../shared/contract/hand-over.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { CONTENT_SECURITY_POLICY } from '../http/security-headers.ts'
import { servePage, type Served } from '../http/testing/fixture.ts'
import { configureLogging } from '../platform/logger.ts'
import type { DesktopParts } from './desktop.ts'
import * as standIn from './testing/electron-stand-in.ts'
import { prepareWindow, type WindowFixture } from './testing/window-fixture.ts'

vi.mock('electron', () => import('./testing/electron-stand-in.ts'))

const { electron } = standIn
let fixture: WindowFixture<Served>

beforeAll(() => configureLogging({ stderr: 'off' }))
beforeEach(async () => {
  fixture = await prepareWindow(await servePage())
  fixture.parts.close = vi.fn(async () => undefined)
})
afterEach(() => fixture.remove())

const start = (open?: () => Promise<DesktopParts>) => fixture.start(open)
const theWindow = () => fixture.window()
const fetchApp = (path: string, init?: RequestInit) =>
  electron.state.handlers.get('app')!(new Request(`${APP_ORIGIN}${path}`, init))

describe('the window', () => {
  it('is in a sandbox, isolated, without Node, and shown when it is ready', async () => {
    await start()
    expect(theWindow().options.webPreferences).toEqual({
      preload: join(fixture.folder, 'preload.cjs'),
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
      ['userData', join(fixture.folder, 'user-data')],
      ['crashDumps', join(fixture.folder, 'user-data', 'crashes')],
    ])
  })

  it('opens the folders of logs and crash reports from its menu', async () => {
    await start()
    const [[menu]] = electron.log.of('Menu.setApplicationMenu') as [
      [{ role?: string; submenu?: { label: string; click(): void }[] }[]],
    ]
    for (const item of menu.find(({ role }) => role === 'help')?.submenu ?? []) item.click()
    expect(electron.log.of('shell.openPath')).toEqual([
      [join(fixture.folder, 'logs')],
      [join(fixture.folder, 'user-data', 'crashes')],
    ])
  })

  it('leaves to the instance that is already there', async () => {
    electron.state.isFirstInstance = false
    const open = vi.fn(async () => fixture.parts)
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
    const { sha256 } = await fixture.served.artifacts.put(Buffer.from('bytes'))
    const artifact = await fetchApp(`/artifact/${sha256}`)
    expect(await artifact.text()).toBe('bytes')
    expect(artifact.headers.get('cache-control')).toContain('immutable')
  })

  it('takes uploads', async () => {
    await start()
    const answer = await fetchApp('/upload', { method: 'PUT', body: Buffer.from('picture') })
    expect(await answer.json()).toEqual(await fixture.served.artifacts.put(Buffer.from('picture')))
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

describe('quitting', () => {
  it('waits until everything is closed, and stops accepting first', async () => {
    const closing = Promise.withResolvers<undefined>()
    fixture.parts.close = vi.fn(() => {
      expect(standIn.ipcMain.listenerCount(PORT_CHANNEL)).toBe(0)
      return closing.promise
    })
    await start()
    standIn.app.quit()
    standIn.app.quit()
    expect(theWindow().isShown).toBe(false)
    expect(fixture.parts.close).toHaveBeenCalledTimes(1)
    expect(electron.state.exitCode).toBeUndefined()
    closing.resolve(undefined)
    expect(await electron.ended).toBe(0)
  })

  it('ends even when closing fails', async () => {
    fixture.parts.close = () => Promise.reject(new Error('disk gone'))
    await start()
    standIn.app.quit()
    expect(await electron.ended).toBe(0)
  })

  it('follows the last window', async () => {
    await start()
    theWindow().close()
    expect(await electron.ended).toBe(0)
    expect(fixture.parts.close).toHaveBeenCalledTimes(1)
  })
})

describe('the stand-in', () => {
  it('refuses what Electron refuses', async () => {
    const { app, BrowserWindow, protocol, crashReporter } = standIn
    expect(() => new BrowserWindow({})).toThrow('before ready')
    expect(() => protocol.handle('app', fixture.served.content)).toThrow('before ready')
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
