/** What no page may do, whatever it is: leave the program, ask for devices, open windows, reach the network. */
import type { Session, Shell, WebContents } from 'electron'
import { APP_ORIGIN } from '../../shared/contract/hand-over.ts'

const OWN_SCHEMES = new Set(['app:', 'blob:', 'data:'])

/** The only permission: to put text or a picture on the clipboard ("Copy details"). Reading it is denied like all else. */
const GRANTED = 'clipboard-sanitized-write'

export function guardSession(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, callback) => {
    callback(permission === GRANTED && isOwnPage(contents.getURL()))
  })
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === GRANTED && isOwnPage(`${origin}/`),
  )
  session.setDevicePermissionHandler(() => false)
  session.setDisplayMediaRequestHandler((_request, callback) => callback(null))
  session.setSpellCheckerEnabled(false)
  session.webRequest.onBeforeRequest((details, callback) => {
    callback({ cancel: !URL.canParse(details.url) || !OWN_SCHEMES.has(new URL(details.url).protocol) })
  })
  session.on('will-download', (event, item) => {
    const url = item.getURL()
    if (!isOwnPage(url) && !url.startsWith(`blob:${APP_ORIGIN}/`)) event.preventDefault()
  })
}

export function guardContents(contents: WebContents, shell: Shell): void {
  contents.on('will-navigate', (event) => event.preventDefault())
  contents.on('will-redirect', (event) => event.preventDefault())
  contents.on('will-frame-navigate', (event) => event.preventDefault())
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(({ url }) => {
    safeOpenExternal(shell, url)
    return { action: 'deny' }
  })
}

/** Gives an address to the user's browser: `https:` without credentials only. Returns whether it did. */
export function safeOpenExternal(shell: Shell, address: string): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return false
  void shell.openExternal(url.href).catch(() => undefined)
  return true
}

function isOwnPage(url: string): boolean {
  return url === APP_ORIGIN || url.startsWith(`${APP_ORIGIN}/`)
}
