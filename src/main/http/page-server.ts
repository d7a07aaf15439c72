/** The page over HTTP: files, artifacts, uploads and the socket of the contract, all behind host, origin and token. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { ConvScopeError } from '../../shared/errors.ts'
import { errorCodeOf } from '../platform/disk-error.ts'
import type { Logger } from '../platform/logger.ts'
import { keepOutOfLog } from '../platform/logger.ts'
import type { RequestHandler } from '../rpc/handler.ts'
import { MAX_FRAME_BYTES, serveSocket } from '../rpc/transports/socket.ts'
import { Access, authority } from './access.ts'
import type { ContentHandler } from './content.ts'
import { refuse } from './content.ts'
import { answer, hasPath, refuseUpgrade, writeResponse } from './node-http.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

export interface PageServerOptions {
  host: string
  /** 0 takes a free one. */
  port: number
  /** 32 random bytes as text. */
  token: string
  content: ContentHandler
  rpc: RequestHandler
  log: Pick<Logger, 'error'>
}

export interface PageServer {
  readonly port: number
  /** E.g. `http://127.0.0.1:7878`. */
  readonly origin: string
  /** The address to open, with the token. */
  readonly address: string
  /** The same, with a token that admits only the first who uses it, within a minute. */
  singleUseAddress(): string
  /** Ends every connection. */
  close(): Promise<void>
}

/** @throws ConvScopeError 'conflict' where the port is taken, 'invalid-input' where it or the host cannot be had */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const { host, token, content, rpc, log } = options
  keepOutOfLog(token)
  const server = createServer({ maxHeaderSize: 16 * 1024 })
  // Large files take their time; headers do not.
  server.requestTimeout = 0
  server.headersTimeout = 10_000
  await listen(server, host, options.port)
  const { port } = server.address() as AddressInfo
  const shownHost = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  const origin = `http://${authority(shownHost, port)}`
  const access = new Access({ host, port, token })
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false })

  server.on('request', (request, response) => {
    respond(request, response, access, (admitted) => answer(admitted, response, origin, content)).catch(
      (error: unknown) => {
        log.error('a request failed by a defect', { error })
        response.destroy()
      },
    )
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!hasPath(request) || request.url !== '/rpc')
      return refuseUpgrade(socket, 404, 'There is no socket at this address')
    const admission = access.admitUpgrade(request)
    if (admission.kind === 'refused') return refuseUpgrade(socket, admission.status, admission.reason)
    sockets.handleUpgrade(request, socket, head, (upgraded) => serveSocket(upgraded, rpc))
  })

  return {
    port,
    origin,
    address: `${origin}/?token=${token}`,
    singleUseAddress: () => `${origin}/?token=${access.singleUseToken()}`,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  admit: (request: IncomingMessage) => Promise<void>,
): Promise<void> {
  if (!hasPath(request)) return writeResponse(response, refuse(400, 'This is not an address of this server'))
  const path = request.url?.split('?', 1)[0]
  if (path === '/health' && !access.isForeign(request)) {
    return writeResponse(response, Response.json({ program: 'ConvScope', ready: true }, { headers: SECURITY_HEADERS }))
  }
  const admission = access.admit(request)
  if (admission.kind === 'refused') return writeResponse(response, refuse(admission.status, admission.reason))
  if (admission.kind === 'new') return writeResponse(response, welcome(request, admission.cookie, admission.cleanPath))
  if (path === '/admitted') return writeResponse(response, refuse(200, 'admitted'))
  return admit(request)
}

/**
 * Gives the cookie and sends the browser to the address without the token. A browser that followed a link of another site
 * would not show a strict cookie after a redirect, so it gets a page of this site that goes on by itself.
 */
function welcome(request: IncomingMessage, cookie: string, cleanPath: string): Response {
  const headers = { ...SECURITY_HEADERS, 'set-cookie': cookie, 'cache-control': 'no-store' }
  if (request.headers['sec-fetch-site'] !== 'cross-site') {
    return new Response(null, { status: 303, headers: { ...headers, location: cleanPath } })
  }
  const target = cleanPath.replaceAll(/[^\w/?=.~%-]/g, (mark) => `&#${mark.charCodeAt(0)};`)
  return new Response(`<!doctype html><meta http-equiv="refresh" content="0;url=${target}"><title>ConvScope</title>`, {
    headers: { ...headers, 'content-type': 'text/html; charset=utf-8' },
  })
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const code = errorCodeOf(error)
    if (code === 'EADDRINUSE') {
      throw new ConvScopeError('conflict', `Port ${port} of ${host} is taken by another program`, {
        remedy: 'Choose another one with --port, or 0 for any free one.',
      })
    }
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConvScopeError('invalid-input', `The page cannot be served on ${authority(host, port)}: ${reason}`, {
      remedy: 'Choose another --host or --port.',
    })
  }
}
