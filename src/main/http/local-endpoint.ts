/** The contract for commands of the same user on the same machine: a Unix socket or named pipe beside the project's lock. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Logger } from '../platform/logger.ts'
import type { RequestHandler } from '../rpc/handler.ts'
import { LOCAL_ORIGIN } from '../rpc/client.ts'
import { MAX_FRAME_BYTES, serveSocket } from '../rpc/transports/socket.ts'
import { sameSecret } from './access.ts'
import type { ContentHandler } from './content.ts'
import { refuse } from './content.ts'
import { answer, hasPath, refuseUpgrade, writeResponse } from './node-http.ts'

export interface LocalEndpointOptions {
  /** Path of the socket, in a folder that only this user can enter, or name of the pipe. */
  endpoint: string
  /** From the lock file, which only this user can read. */
  token: string
  content: ContentHandler
  rpc: RequestHandler
  log: Pick<Logger, 'error'>
}

export interface LocalEndpoint {
  /** Whether a command is connected. */
  readonly isUsed: boolean
  /** Lets nobody in any more once the last command has gone, and resolves then. */
  unused(): Promise<void>
  /** Cuts off who is connected. */
  close(): Promise<void>
}

/** Serves `/rpc`, `/artifact/…` and `/upload` to whoever shows the token. @throws ConvScopeError 'disk' */
export async function startLocalEndpoint(options: LocalEndpointOptions): Promise<LocalEndpoint> {
  const { endpoint, content, rpc, log } = options
  const knows = ({ headers }: IncomingMessage): boolean =>
    sameSecret(headers.authorization ?? '', `Bearer ${options.token}`)
  const server = createServer()
  server.requestTimeout = 0
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false })
  server.on('request', (request, response) => {
    const refused = !hasPath(request) || !knows(request)
    const done = refused
      ? writeResponse(response, refuse(401, 'The token of the lock file is needed'))
      : answer(request, response, LOCAL_ORIGIN, content)
    done.catch((error: unknown) => {
      log.error('a request at the local endpoint failed by a defect', { error })
      response.destroy()
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url !== '/rpc') return refuseUpgrade(socket, 404, 'There is no socket at this address')
    if (!knows(request)) return refuseUpgrade(socket, 401, 'The token of the lock file is needed')
    sockets.handleUpgrade(request, socket, head, (upgraded) => serveSocket(upgraded, rpc))
  })
  server.listen(endpoint)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConvScopeError('disk', `Commands beside this program cannot reach it: ${reason}`, {
      remedy: 'Check the folder for temporary files.',
      cause,
    })
  }
  let closed: Promise<unknown> | undefined
  const stopListening = (): Promise<unknown> => {
    closed ??= once(server, 'close')
    if (server.listening) server.close()
    return closed
  }
  const left = async (): Promise<void> => {
    for (const socket of sockets.clients) await new Promise((resolve) => socket.once('close', resolve))
  }
  return {
    get isUsed() {
      return sockets.clients.size > 0
    },
    unused: async () => {
      await left()
      void stopListening()
      // Who came in this very moment has been let in.
      await left()
    },
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      const ended = stopListening()
      server.closeAllConnections()
      await ended
    },
  }
}
