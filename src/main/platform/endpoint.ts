/** Names of private local endpoints: a Unix socket in a folder of the user's own, or a named pipe. */
import { randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
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
    if (isOpenToOthers(found.mode)) chmodSync(folder, 0o700)
    return true
  } catch {
    return false
  }
}

/**
 * Whether a name is one that this user's processes give: only such a one is connected to or removed. A project from somewhere
 * else may name any socket, pipe or file in its lock.
 */
export function isOwnEndpoint(endpoint: string, platform: NodeJS.Platform = process.platform): boolean {
  if (platform === 'win32') return /^\\\\\.\\pipe\\convscope-[0-9a-f]{16}$/.test(endpoint)
  const folder = dirname(endpoint)
  const user = userInfo().uid
  if (resolve(endpoint) !== endpoint || !/^[0-9a-f]{16}\.sock$/.test(basename(endpoint))) return false
  if (basename(folder) !== `convscope-${user}`) return false
  const found = lstatSync(folder, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === user && !isOpenToOthers(found.mode)
}

/** Removes the socket file that a process left; named pipes vanish by themselves, and what is no endpoint stays. */
export function removeEndpoint(endpoint: string): void {
  if (process.platform !== 'win32' && isOwnEndpoint(endpoint)) rmSync(endpoint, { force: true })
}

function isOpenToOthers(mode: number): boolean {
  return (mode & 0o077) !== 0
}
