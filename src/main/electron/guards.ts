/** What no page may do, whatever it is: leave the program, ask for devices, open windows, reach the network. */
import type { MediaAccessPermissionRequest, Session, Shell, WebContents } from 'electron'
import { APP_ORIGIN } from '../../shared/contract/hand-over.ts'
import { CAMERA_PAGE } from '../../shared/page-areas.ts'

const OWN_SCHEMES = new Set(['app:', 'blob:', 'data:'])

/** To put text or a picture on the clipboard ("Copy details"). Reading it is denied like all else but the camera of Live. */
const CLIPBOARD = 'clipboard-sanitized-write'

export function guardSession(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, callback, details) => {
    const url = contents.getURL()
    if (permission === 'media') callback(isLivePage(url) && isVideoOnly(details))
    else callback(permission === CLIPBOARD && isOwnPage(url))
  })
  session.setPermissionCheckHandler((contents, permission, origin, details) => {
    if (permission === 'media') return details.mediaType === 'video' && isLivePage(contents?.getURL() ?? '')
    return permission === CLIPBOARD && isOwnPage(`${origin}/`)
  })
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
  // The page loads itself again where it has to take or give up the camera.
  const preventOthers = (event: { readonly url: string; preventDefault(): void }): void => {
    if (event.url !== contents.getURL() || !isOwnPage(event.url)) event.preventDefault()
  }
  contents.on('will-navigate', preventOthers)
  contents.on('will-redirect', (event) => event.preventDefault())
  contents.on('will-frame-navigate', preventOthers)
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

function isLivePage(url: string): boolean {
  return isOwnPage(url) && new URL(url).pathname === CAMERA_PAGE
}

/** A picture and no sound. */
function isVideoOnly(details: object): boolean {
  const { mediaTypes = [] } = details as MediaAccessPermissionRequest
  return mediaTypes.length > 0 && mediaTypes.every((type) => type === 'video')
}

function isOwnPage(url: string): boolean {
  return url === APP_ORIGIN || url.startsWith(`${APP_ORIGIN}/`)
}
