/** The contract over a message port: structured clone, and never a transfer list, because Electron's ports lose it. */
import type { PlainPort } from '../../../shared/rpc/port-transport.ts'
import { packResponse, ServerPeer, unpackRequest } from '../../../shared/rpc/wire.ts'
import type { RequestHandler } from '../handler.ts'

export type { PlainPort }

/** What Electron's `MessagePortMain` and Node's `MessagePort` share; they differ in what `message` brings. */
interface EmitterPort<M> {
  on(event: 'message', listener: (message: M) => void): unknown
  on(event: 'close', listener: () => void): unknown
  postMessage(message: unknown): void
  start(): void
  close(): void
}

export type ElectronPort = EmitterPort<{ data: unknown }>
export type NodePort = EmitterPort<unknown>

export const fromElectronPort = (port: ElectronPort): PlainPort => adapt(port, (event: { data: unknown }) => event.data)

export const fromNodePort = (port: NodePort): PlainPort => adapt(port, (message: unknown) => message)

function adapt<M>(port: EmitterPort<M>, dataOf: (message: M) => unknown): PlainPort {
  return {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => port.on('message', (message) => listener(dataOf(message))),
    onClose: (listener) => port.on('close', listener),
    start: () => port.start(),
    close: () => port.close(),
  }
}

/** Answers the requests that come through a port until it closes. A malformed message closes it. Returns how to stop. */
export function servePort(port: PlainPort, handle: RequestHandler): () => void {
  let open = true
  const peer = new ServerPeer((message) => {
    if (open) port.post(packResponse(message))
  })
  const stop = (): void => {
    if (!open) return
    open = false
    peer.close()
    port.close()
  }
  port.onMessage((message) => {
    try {
      // A failed answer ends its own request inside the peer; there is nobody left to tell.
      peer.message(unpackRequest(message), handle).catch(() => undefined)
    } catch {
      stop()
    }
  })
  port.onClose(stop)
  port.start()
  return stop
}
