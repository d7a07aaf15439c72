/** Between Node's HTTP and the web's Request and Response. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Duplex } from 'node:stream'
import type { ContentHandler } from './content.ts'

/** Answers a request by the handler. A client that goes away ends the reading of what it asked for. */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  origin: string,
  handler: ContentHandler,
): Promise<void> {
  await writeResponse(response, await handler(toWebRequest(request, origin)))
  if (!request.complete) drain(request)
}

/** A client that is still sending what was refused reads the answer only if its connection stays for a while. */
function drain(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), 5000).unref()
  request.once('close', () => clearTimeout(timer))
  request.resume()
}

export async function writeResponse(response: ServerResponse, answered: Response): Promise<void> {
  response.writeHead(answered.status, Object.fromEntries(answered.headers))
  if (!answered.body) {
    response.end()
    return
  }
  try {
    await pipeline(Readable.fromWeb(answered.body), response)
  } catch {
    // The client is gone, or the artifact is damaged: a cut answer is the only way left to say so.
    response.destroy()
  }
}

/** Refuses an upgrade in the words of HTTP and closes the connection. */
export function refuseUpgrade(socket: Duplex, status: number, reason: string): void {
  const body = `${reason}\n`
  socket.on('error', () => undefined)
  socket.end(
    [
      `HTTP/1.1 ${status} ${status === 401 ? 'Unauthorized' : status === 404 ? 'Not Found' : 'Forbidden'}`,
      'Connection: close',
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}

/** Whether the target is a path; a proxy's absolute address or `*` is nothing for this server. */
export function hasPath(request: IncomingMessage): boolean {
  return request.url?.startsWith('/') === true && URL.canParse(`http://host${request.url}`)
}

function toWebRequest(request: IncomingMessage, origin: string): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string') headers.set(name, value)
  }
  const method = request.method ?? 'GET'
  const body = method === 'GET' || method === 'HEAD' ? undefined : bodyOf(request)
  return new Request(`${origin}${request.url}`, { method, headers, body, duplex: 'half' })
}

/** The body as it is asked for. Giving it up leaves the connection open, for the answer that says why. */
function bodyOf(request: IncomingMessage): ReadableStream<Uint8Array> {
  const pieces: AsyncIterator<Uint8Array> = request.iterator({ destroyOnReturn: false })
  return new ReadableStream(
    {
      async pull(controller) {
        const step = await pieces.next()
        if (step.done) controller.close()
        else controller.enqueue(step.value)
      },
      async cancel() {
        await pieces.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
