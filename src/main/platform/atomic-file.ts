/** Files that are there whole or not at all, whatever happens in between. */
import { randomBytes } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { diskError, errorCodeOf } from './disk-error.ts'

/** How bytes reach an open file; replaced in tests by one whose disk is full. */
export type WriteBytes = (handle: FileHandle, bytes: Uint8Array, file: string) => Promise<void>

export const writeBytes: WriteBytes = async (handle, bytes) => {
  let written = 0
  while (written < bytes.byteLength) {
    written += (await handle.write(bytes, written, bytes.byteLength - written)).bytesWritten
  }
}

/**
 * Makes the names in a folder durable. Windows has no such call; its renames are journalled.
 * @throws ConvScopeError 'disk'
 */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    // Some network file systems cannot sync a folder; there is nothing more that could be done.
    if (errorCodeOf(error) !== 'EINVAL') throw diskError(folder, 'write', error)
  }
}

/** Makes the contents of a file durable that somebody else wrote. @throws ConvScopeError 'disk' or 'not-found' */
export async function syncFile(file: string): Promise<void> {
  try {
    const handle = await open(file, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw diskError(file, 'write', error)
  }
}

/**
 * Writes a new file and makes its contents durable (its name is not yet: sync the folder). Nothing is left after a failure.
 * @param shownAs what messages call the file
 * @throws ConvScopeError 'disk'
 */
export async function writeDurably(
  file: string,
  bytes: Uint8Array,
  write: WriteBytes = writeBytes,
  shownAs = file,
): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o644)
    try {
      await write(handle, bytes, file)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') await rm(file, { force: true })
    throw diskError(shownAs, 'write', error)
  }
}

/** Renames and makes the new name durable. Both names are on one file system. @throws ConvScopeError 'disk' or 'not-found' */
export async function renameDurably(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    throw diskError(to, 'write', error)
  }
  await syncFolder(dirname(to))
}

/**
 * Replaces a file by new contents: after a crash at any moment it has the old contents or the new ones.
 * @throws ConvScopeError 'disk' naming the file, the reason and what to do
 */
export async function writeFileAtomically(
  file: string,
  contents: Uint8Array | string,
  options: { write?: WriteBytes } = {},
): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.new`)
  const bytes = typeof contents === 'string' ? Buffer.from(contents) : contents
  try {
    await writeDurably(temporary, bytes, options.write, file)
    await renameDurably(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
