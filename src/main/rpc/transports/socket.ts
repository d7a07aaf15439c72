/** The contract over a WebSocket: MessagePack frames; an answer counts as sent when the socket has taken it. */
import type { RawData, WebSocket } from 'ws'
import { packFrame, unpackFrame } from '../../../shared/rpc/frames.ts'
import { packResponse, ServerPeer, unpackRequest } from '../../../shared/rpc/wire.ts'
import type { RequestHandler } from '../handler.ts'

export { MAX_FRAME_BYTES } from '../../../shared/rpc/frames.ts'

const CLOSE_MALFORMED = 1007

/** A silent connection is asked for a sign of life, and ended when none came until the next time. */
const HEARTBEAT_MS = 30_000

/** Answers the requests that come through a socket until it closes. A malformed frame closes it. */
export function serveSocket(socket: WebSocket, handle: RequestHandler): void {
  // The callback comes when the frame has left the process: a generator is pulled only as fast as the socket drains.
  const peer = new ServerPeer((message) => send(socket, packFrame(packResponse(message))))
  let alive = true
  const heartbeat = setInterval(() => {
    if (!alive) return socket.terminate()
    alive = false
    socket.ping()
  }, HEARTBEAT_MS).unref()
  socket.on('pong', () => {
    alive = true
  })
  socket.on('message', (data) => {
    alive = true
    try {
      // A failed answer ends its own request inside the peer; there is nobody left to tell.
      peer.message(unpackRequest(unpackFrame(bytesOf(data))), handle).catch(() => undefined)
    } catch {
      socket.close(CLOSE_MALFORMED, 'malformed message')
    }
  })
  // `ws` closes after an error, a frame that is too large included.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    clearInterval(heartbeat)
    peer.close()
  })
}

function send(socket: WebSocket, frame: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(frame, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
