/** A served page with a real artifact store in a temporary folder, for tests of what is answered and what is refused. */
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { ArtifactStore } from '../../project/artifact-store.ts'
import { createRequestHandler } from '../../rpc/handler.ts'
import { createFakeServices } from '../../rpc/testing/fake-services.ts'
import type { FakeServices } from '../../rpc/testing/fake-services.ts'
import { createContentHandler } from '../content.ts'
import type { ContentHandler } from '../content.ts'
import { startPageServer } from '../page-server.ts'
import type { PageServer } from '../page-server.ts'

export const TOKEN = 'a3f1'.repeat(16)
export const PAGE = '<!doctype html><title>ConvScope</title>'
export const MAX_UPLOAD_BYTES = 1_000_000

export interface Served {
  folder: string
  server: PageServer
  artifacts: ArtifactStore
  services: FakeServices
  content: ContentHandler
  logged: string[]
  cookie: string
  close(): Promise<void>
}

export async function servePage(): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'convscope-http-'))
  const pageFolder = join(folder, 'page')
  await mkdir(join(pageFolder, 'assets'), { recursive: true })
  await writeFile(join(pageFolder, 'index.html'), PAGE)
  await writeFile(join(pageFolder, 'assets', 'main-1a2b3c.js'), 'export {}')
  await writeFile(join(pageFolder, 'notes.txt'), 'not of the page')
  await writeFile(join(folder, 'secret.html'), 'outside of the page')
  const artifacts = new ArtifactStore(join(folder, 'project'))
  await mkdir(join(folder, 'project'))
  await artifacts.prepare()
  const services = createFakeServices()
  const logged: string[] = []
  const log = { error: (message: string) => void logged.push(message) }
  const content = createContentHandler({ pageFolder, artifacts, log, maxUploadBytes: MAX_UPLOAD_BYTES })
  const rpc = createRequestHandler(services, log)
  const server = await startPageServer({ host: '127.0.0.1', port: 0, token: TOKEN, content, rpc, log })
  return {
    folder,
    server,
    artifacts,
    services,
    content,
    logged,
    cookie: `convscope-${server.port}=${TOKEN}`,
    close: async () => {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
}

export interface Question {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: Uint8Array | Uint8Array[]
}

/** One request with exactly these headers besides a right Host. */
export async function ask(port: number, { method = 'GET', path = '/', headers = {}, body }: Question): Promise<Answer> {
  const asked = request({ host: '127.0.0.1', port, method, path, headers: { host: `127.0.0.1:${port}`, ...headers } })
  asked.on('error', () => undefined)
  for (const piece of Array.isArray(body) ? body : []) asked.write(piece)
  asked.end(body instanceof Uint8Array ? body : undefined)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) }
}

/** Sends bytes as they are and gives everything that comes back until the connection ends. */
export async function askRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(text)
  return (await buffer(socket)).toString('latin1')
}
