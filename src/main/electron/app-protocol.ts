/** `app://workstation`: the page, the artifacts and the uploads, answered by the same function as over HTTP. */
import type { Protocol } from 'electron'
import { APP_HOST, APP_SCHEME } from '../../shared/contract/hand-over.ts'

type ContentHandler = (request: Request) => Promise<Response>

/** Once, before the application is ready. Never `bypassCSP`. */
export function registerAppScheme(protocol: Protocol): void {
  protocol.registerSchemesAsPrivileged([
    {
      scheme: APP_SCHEME,
      privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true },
    },
  ])
}

export function serveAppProtocol(protocol: Protocol, content: ContentHandler): void {
  protocol.handle(APP_SCHEME, async (request) => {
    if (new URL(request.url).host !== APP_HOST) return new Response(null, { status: 404 })
    return content(request)
  })
}
