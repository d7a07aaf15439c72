/** Folders that a user names. */
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'
import { diskError, errorCodeOf } from './disk-error.ts'

/**
 * Makes the folder and those above it, one at a time. Node's own recursive `mkdir` never returns where a file system answers "no such
 * file" below a folder that is there (`/proc`, some automounts).
 * @throws ConvScopeError 'disk' that names the folder and the reason
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeEach(folder)
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw diskError(folder, 'write', error)
    throw new ConvScopeError(
      'disk',
      `The folder "${folder}" cannot be made: its file system takes no new folders there`,
      {
        remedy: 'Choose another folder.',
        cause: error,
      },
    )
  }
}

async function makeEach(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const code = errorCodeOf(error)
    if (code !== 'ENOENT' || dirname(folder) === folder) return acceptFolder(folder, error)
    await makeEach(dirname(folder))
    await mkdir(folder).catch((second: unknown) => acceptFolder(folder, second))
  }
}

/** What stands there already, also by somebody else's hand a moment ago, is well if it is a folder. */
async function acceptFolder(folder: string, error: unknown): Promise<void> {
  if (errorCodeOf(error) !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error
}
