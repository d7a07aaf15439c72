import { readFile, stat } from 'node:fs/promises'
import { basename, isAbsolute } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'
import { diskError, errorCodeOf } from '../platform/disk-error.ts'
import type { Project } from '../project/project.ts'

/** Larger than any picture or file of activations that is looked at. */
const LIMIT_BYTES = 2 ** 30

/**
 * Makes a file of this machine an artifact for as long as `use` takes.
 * @throws ConvScopeError 'not-found', 'invalid-input', 'too-large' or 'disk' that names the file; what `use` throws
 */
export async function withBorrowedFile<T>(
  path: string,
  project: Pick<Project, 'artifacts' | 'discard'>,
  use: (sha256: string) => Promise<T>,
): Promise<T> {
  const { sha256 } = await project.artifacts.put(await readWhole(path))
  try {
    return await use(sha256)
  } finally {
    project.artifacts.settle([sha256])
    await project.discard([sha256])
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  if (!isAbsolute(path)) throw new ConvScopeError('invalid-input', `"${path}" is not a whole path`)
  try {
    const found = await stat(path)
    if (!found.isFile()) throw new ConvScopeError('invalid-input', `${basename(path)} is not a plain file`)
    if (found.size > LIMIT_BYTES) {
      throw new ConvScopeError('too-large', `${basename(path)} has ${found.size} bytes; ${LIMIT_BYTES} can be read`)
    }
    return await readFile(path)
  } catch (error) {
    if (error instanceof ConvScopeError) throw error
    if (errorCodeOf(error) === 'ENOENT')
      throw new ConvScopeError('not-found', `There is no file "${path}"`, { remedy: 'Check its name and place.' })
    throw diskError(path, 'read', error)
  }
}
