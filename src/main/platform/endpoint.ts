/** Names of private local endpoints: a Unix socket in a folder of the user's own, or a named pipe. */
import { randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing zero. */
const LONGEST_SOCKET_PATH = 103

/**
 * A fresh endpoint name. On Unix its folder exists and only this user can enter it.
 * @throws ConvScopeError 'disk' where no folder is safe and short enough
 */
export function newEndpoint(platform: NodeJS.Platform = process.platform): string {
  const name = randomBytes(8).toString('hex')
  if (platform === 'win32') return `\\\\.\\pipe\\convscope-${name}`
  const user = userInfo().uid
  const bases = [process.env['XDG_RUNTIME_DIR'] || undefined, tmpdir(), '/tmp'].filter((base) => base !== undefined)
  for (const base of bases) {
    const folder = join(base, `convscope-${user}`)
    const endpoint = join(folder, `${name}.sock`)
    if (Buffer.byteLength(endpoint) <= LONGEST_SOCKET_PATH && makePrivate(folder, user)) return endpoint
  }
  throw new ConvScopeError(
    'disk',
    `No folder for a private socket: none of ${bases.join(', ')} is short and safe enough`,
    {
      remedy: 'Set XDG_RUNTIME_DIR to a folder that only you can write.',
    },
  )
}

/** Others may have made the folder first, or a link in its place: then it is not used. */
function makePrivate(folder: string, user: number): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    if (!found.isDirectory() || found.uid !== user) return false
    if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700)
    return true
  } catch {
    return false
  }
}

/** Removes the socket file that a process left; named pipes vanish by themselves. */
export function removeEndpoint(endpoint: string): void {
  if (!endpoint.startsWith('\\\\.\\pipe\\') && endpoint.endsWith('.sock')) rmSync(endpoint, { force: true })
}
