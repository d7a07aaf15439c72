/** The built page: nothing outside its folder is ever read. */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { pageMediaType } from './media-types.ts'

export interface StaticFile {
  handle: FileHandle
  bytes: number
  mediaType: string
  /** The name changes with the contents. */
  immutable: boolean
}

/**
 * The file of the page at a path of an address, as it was written (still encoded); the folder itself is `index.html`.
 * Undefined where there is none, and for every path that is not plainly inside `root`. Close the handle.
 */
export async function openStaticFile(root: string, pathname: string): Promise<StaticFile | undefined> {
  const path = relativePath(pathname)
  if (path === undefined) return undefined
  const folder = resolve(root)
  const file = resolve(folder, path)
  const mediaType = pageMediaType(file)
  if (!file.startsWith(folder + sep) || mediaType === undefined) return undefined
  const handle = await open(file, 'r').catch(() => undefined)
  if (!handle) return undefined
  const found = await handle.stat()
  if (!found.isFile()) {
    await handle.close()
    return undefined
  }
  return { handle, bytes: found.size, mediaType, immutable: path.startsWith('assets/') }
}

function relativePath(pathname: string): string | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(pathname)
  } catch {
    return undefined
  }
  if (!decoded.startsWith('/')) return undefined
  const path = decoded === '/' ? 'index.html' : decoded.slice(1)
  const parts = path.split('/')
  // `:` would name a drive or a stream on Windows, a backslash is a second separator there.
  const strange = /[\\:\0]/.test(path) || parts.some((part) => part === '' || part.startsWith('.'))
  return strange ? undefined : path
}
