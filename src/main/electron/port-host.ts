/** Main's end of the window's port. */
import type { IpcMain, IpcMainEvent, WebContents } from 'electron'
import { APP_ORIGIN, PORT_CHANNEL } from '../../shared/contract/hand-over.ts'
import type { RequestHandler } from '../rpc/handler.ts'
import { fromElectronPort, servePort } from '../rpc/transports/port.ts'

/**
 * Serves the contract on every port that the main frame of our own page hands over: one a window, the newest, until the
 * window reloads or closes. Whatever else arrives is closed unheard. Returns how to stop accepting.
 */
export function acceptPorts(ipcMain: IpcMain, handle: RequestHandler): () => void {
  const open = new Map<WebContents, () => void>()
  const onConnect = (event: IpcMainEvent): void => {
    const [port] = event.ports
    if (!port || event.ports.length !== 1 || !isOurPage(event)) {
      for (const refused of event.ports) refused.close()
      return
    }
    const contents = event.sender
    if (!open.has(contents)) contents.once('destroyed', () => end(contents))
    open.get(contents)?.()
    open.set(contents, servePort(fromElectronPort(port), handle))
  }
  const end = (contents: WebContents): void => {
    open.get(contents)?.()
    open.delete(contents)
  }
  ipcMain.on(PORT_CHANNEL, onConnect)
  return () => {
    ipcMain.off(PORT_CHANNEL, onConnect)
    for (const contents of [...open.keys()]) end(contents)
  }
}

/** `senderFrame` is null when the frame has navigated or is gone: then nobody knows who asked. */
function isOurPage({ senderFrame }: IpcMainEvent): boolean {
  return senderFrame !== null && senderFrame.parent === null && senderFrame.origin === APP_ORIGIN
}
