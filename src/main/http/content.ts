/** Page, artifacts and uploads as one function from request to answer: the HTTP server and `app://` serve the same. */
import { Readable } from 'node:stream'
import type { ErrorCode } from '../../shared/errors.ts'
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import { isPageAddress } from '../../shared/page-areas.ts'
import { Sha256 } from '../../shared/values.ts'
import type { Logger } from '../platform/logger.ts'
import type { ArtifactStore } from '../project/artifact-store.ts'
import { artifactMediaType, contentDisposition } from './media-types.ts'
import { pageHeaders, SECURITY_HEADERS } from './security-headers.ts'
import { openStaticFile } from './static-files.ts'
import { MAX_UPLOAD_BYTES, storeUpload, tooLarge } from './upload.ts'

export type ArtifactFiles = Pick<ArtifactStore, 'open' | 'size' | 'scratchFile' | 'adopt'>

export interface ContentOptions {
  /** Folder of the built page; left out where there is no page to serve. */
  pageFolder?: string
  artifacts: ArtifactFiles
  log: Pick<Logger, 'error'>
  maxUploadBytes?: number
}

export type ContentHandler = (request: Request) => Promise<Response>

const IMMUTABLE = 'private, max-age=31536000, immutable'

/**
 * Answers `GET /…` with the page, `GET /artifact/<sha256>[?name=…]` with an artifact (to be saved under the name), and
 * `PUT /upload` with hash and size of what was stored. Who may ask is checked before.
 */
export function createContentHandler(options: ContentOptions): ContentHandler {
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url)
    try {
      if (pathname === '/upload') return await takeUpload(request, options)
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return refuse(405, 'Only reading', { allow: 'GET, HEAD' })
      if (pathname.startsWith('/artifact/')) {
        return await giveArtifact(request, pathname.slice('/artifact/'.length), searchParams.get('name'), options)
      }
      return await givePage(request, pathname, options)
    } catch (thrown) {
      if (!(thrown instanceof ConvScopeError)) options.log.error('an answer failed by a defect', { error: thrown })
      const report = toErrorReport(thrown)
      return Response.json(report, {
        status: statusOf(report.code),
        headers: { ...SECURITY_HEADERS, 'cache-control': 'no-store' },
      })
    }
  }
}

/** A refusal in plain text, for people who open the address by hand. */
export function refuse(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: {
      ...SECURITY_HEADERS,
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    },
  })
}

async function givePage(request: Request, pathname: string, { pageFolder }: ContentOptions): Promise<Response> {
  const fileAt = (path: string) => (pageFolder === undefined ? undefined : openStaticFile(pageFolder, path))
  const found = await fileAt(isPageAddress(pathname) ? '/' : pathname)
  // Who mistyped an address sees the page, which says so and leads on.
  const file = found ?? (isNavigation(request) ? await fileAt('/') : undefined)
  if (!file) return refuse(404, 'There is nothing at this address')
  const status = found ? 200 : 404
  const headers = {
    ...pageHeaders(pathname),
    'content-type': file.mediaType,
    'content-length': String(file.bytes),
    'cache-control': file.immutable ? IMMUTABLE : 'no-cache',
  }
  if (request.method === 'HEAD' || file.bytes === 0) {
    await file.handle.close()
    return new Response(null, { status, headers })
  }
  return new Response(Readable.toWeb(file.handle.createReadStream()), { status, headers })
}

/** Whether a browser asks for something to show in a window of its own. */
function isNavigation({ headers }: Request): boolean {
  return headers.get('accept')?.includes('text/html') === true
}

async function giveArtifact(
  request: Request,
  name: string,
  downloadName: string | null,
  { artifacts }: ContentOptions,
): Promise<Response> {
  const sha256 = Sha256.safeParse(name).data
  if (sha256 === undefined) return refuse(404, 'This is not the hash of an artifact')
  const headers: Record<string, string> = { ...SECURITY_HEADERS, 'cache-control': IMMUTABLE, etag: `"${sha256}"` }
  if (downloadName !== null) headers['content-disposition'] = contentDisposition(downloadName)
  if (request.headers.get('if-none-match') === headers['etag'] && (await artifacts.size(sha256)) !== undefined) {
    return new Response(null, { status: 304, headers })
  }
  const { bytes, stream } = await artifacts.open(sha256)
  headers['content-length'] = String(bytes)
  const pieces: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]()
  const first = await pieces.next()
  headers['content-type'] = artifactMediaType(first.done ? new Uint8Array() : first.value)
  if (request.method === 'HEAD' || first.done) {
    stream.destroy()
    return new Response(null, { headers })
  }
  // Small artifacts have been checked when the answer begins; a large one that is damaged is cut before its end.
  const body = Readable.from(oneLate(first.value, await pieces.next(), pieces))
  // Also when nobody began to read it: then the generator has no end at which it could close the file.
  body.once('close', () => stream.destroy())
  return new Response(Readable.toWeb(body), { headers })
}

/** Every piece one step late: the last one goes out only when the source has ended well, its hash checked. */
async function* oneLate(
  first: Uint8Array,
  second: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let held = first
  for (let step = second; !step.done; step = await rest.next()) {
    yield held
    held = step.value
  }
  yield held
}

async function takeUpload(request: Request, options: ContentOptions): Promise<Response> {
  if (request.method !== 'PUT') return refuse(405, 'Only PUT', { allow: 'PUT' })
  const maxBytes = options.maxUploadBytes ?? MAX_UPLOAD_BYTES
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const body: AsyncIterable<Uint8Array> = request.body ?? new Blob([]).stream()
  const stored = await storeUpload(body, options.artifacts, maxBytes)
  return Response.json(
    { sha256: stored.sha256, bytes: stored.bytes },
    { headers: { ...SECURITY_HEADERS, 'cache-control': 'no-store' } },
  )
}

function statusOf(code: ErrorCode): number {
  if (code === 'not-found') return 404
  if (code === 'too-large') return 413
  if (code === 'invalid-input') return 400
  if (code === 'disk') return 507
  return 500
}
