/** Who may ask: exact Host and Origin, and the token, from the printed address once and from a cookie afterwards. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { hostname, networkInterfaces } from 'node:os'
import { isIP } from 'node:net'

export interface AccessOptions {
  /** What the server listens on, e.g. `127.0.0.1` or `0.0.0.0`. */
  host: string
  port: number
  token: string
}

export type Admission =
  | { kind: 'admitted' }
  /** The address carried the right token: give the cookie, and send the browser to `cleanPath`. */
  | { kind: 'new'; cookie: string; cleanPath: string }
  | { kind: 'refused'; status: 401 | 403; reason: string }

const SINGLE_USE_MS = 60_000
const ANY_ADDRESS = new Set(['0.0.0.0', '::'])

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Host and port as they stand in an address. */
export function authority(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

export class Access {
  readonly #authorities: ReadonlySet<string>
  readonly #token: string
  readonly #cookieName: string
  readonly #singleUse = new Map<string, number>()

  constructor({ host, port, token }: AccessOptions) {
    this.#authorities = new Set(hostNames(host).map((name) => authority(name, port)))
    this.#token = token
    // Cookies do not tell ports apart, so the name does.
    this.#cookieName = `convscope-${port}`
  }

  /**
   * A token that admits once, within a minute. For addresses that go over a command line, where other users of the machine
   * can read them.
   */
  singleUseToken(): string {
    const token = randomBytes(32).toString('hex')
    this.#singleUse.set(token, Date.now() + SINGLE_USE_MS)
    return token
  }

  /** Admission to files; `method` other than GET and HEAD needs an Origin as well. */
  admit(request: IncomingMessage): Admission {
    const foreign = this.#foreign(request, request.method !== 'GET' && request.method !== 'HEAD')
    if (foreign) return foreign
    // Joined, not resolved: a path that begins with two slashes would otherwise name another host.
    const url = new URL(`http://host${request.url ?? '/'}`)
    const given = url.searchParams.get('token')
    if (given !== null) return this.#admitByAddress(given, url)
    return this.#hasCookie(request) ? { kind: 'admitted' } : refusedToken()
  }

  /** Admission to the socket: browsers always name the page that opens one. */
  admitUpgrade(request: IncomingMessage): Admission {
    const foreign = this.#foreign(request, true)
    if (foreign) return foreign
    return this.#hasCookie(request) ? { kind: 'admitted' } : refusedToken()
  }

  /** Host and Origin only, for what is no secret. */
  isForeign(request: IncomingMessage): boolean {
    return this.#foreign(request, false) !== undefined
  }

  #foreign({ headers }: IncomingMessage, needsOrigin: boolean): Admission | undefined {
    if (headers.host === undefined || !this.#authorities.has(headers.host)) {
      return { kind: 'refused', status: 403, reason: 'This server does not answer to that name' }
    }
    if (headers.origin === undefined && !needsOrigin) return undefined
    // The page must be of this very server: not of another of its names.
    if (headers.origin === `http://${headers.host}`) return undefined
    return { kind: 'refused', status: 403, reason: 'Only the page of this server may ask' }
  }

  #admitByAddress(given: string, url: URL): Admission {
    if (!sameSecret(given, this.#token) && !this.#useUp(given)) return refusedToken()
    url.searchParams.delete('token')
    const cookie = `${this.#cookieName}=${this.#token}; Path=/; HttpOnly; SameSite=Strict`
    return { kind: 'new', cookie, cleanPath: `${url.pathname.replace(/^\/+/, '/')}${url.search}` }
  }

  #useUp(given: string): boolean {
    const token = [...this.#singleUse.keys()].find((candidate) => sameSecret(given, candidate))
    if (token === undefined) return false
    const expiresAt = this.#singleUse.get(token) ?? 0
    this.#singleUse.delete(token)
    return Date.now() < expiresAt
  }

  #hasCookie({ headers }: IncomingMessage): boolean {
    const cookies = (headers.cookie ?? '').split(';').map((pair) => pair.trim())
    const own = cookies.filter((pair) => pair.startsWith(`${this.#cookieName}=`))
    return own.some((pair) => sameSecret(pair.slice(this.#cookieName.length + 1), this.#token))
  }
}

/** Compares in a time that tells nothing, whatever the lengths. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

function refusedToken(): Admission {
  return { kind: 'refused', status: 401, reason: 'Open the address that ConvScope printed when it started' }
}

/** Names under which a server that listens on `host` may be addressed. */
function hostNames(host: string): string[] {
  if (!ANY_ADDRESS.has(host)) return [host]
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address))
  return [...new Set([...addresses, 'localhost', hostname()])]
}
