/** Files that an import was given, as paths on this machine. */
import { readdir, stat } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import type { ImportFile } from '../../shared/contract/networks.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { errorCodeOf } from '../platform/disk-error.ts'
import type { ArtifactStore } from '../project/artifact-store.ts'

export interface SourcePath {
  /** As the user knows it. */
  readonly name: string
  readonly path: string
  readonly bytes: number
}

const MAX_FILES = 1000

/**
 * Uploads become the paths of their artifacts, a folder becomes the files in it. Only plain files are taken: a pipe would be waited
 * for without end.
 * @throws ConvScopeError 'not-found', 'invalid-input' or 'too-large' that names the file
 */
export async function sourcePaths(
  files: readonly ImportFile[],
  artifacts: Pick<ArtifactStore, 'path' | 'size'>,
): Promise<SourcePath[]> {
  const found = await Promise.all(
    files.map((file) => ('sha256' in file ? uploaded(file, artifacts) : inPlace(file.path))),
  )
  const all = found.flat()
  if (all.length === 0)
    throw new ConvScopeError('invalid-input', 'There is no file to read', { remedy: 'Choose the files of a network.' })
  if (all.length > MAX_FILES) {
    throw new ConvScopeError('too-large', `There are ${all.length} files to read; ${MAX_FILES} at most are taken`, {
      remedy: 'Choose only the files that belong to the network.',
    })
  }
  return all
}

async function uploaded(
  { name, sha256 }: { name: string; sha256: string },
  artifacts: Pick<ArtifactStore, 'path' | 'size'>,
): Promise<SourcePath[]> {
  const bytes = await artifacts.size(sha256)
  if (bytes !== undefined) return [{ name: basename(name), path: artifacts.path(sha256), bytes }]
  throw new ConvScopeError('not-found', `The upload of ${name} is no longer there`, {
    remedy: 'Choose the file again.',
  })
}

async function inPlace(path: string): Promise<SourcePath[]> {
  if (!isAbsolute(path)) throw new ConvScopeError('invalid-input', `"${path}" is not a whole path`)
  const entry = await stat(path).catch((error: unknown) => Promise.reject(unreadable(path, error)))
  if (entry.isFile()) return [{ name: basename(path), path, bytes: entry.size }]
  if (!entry.isDirectory()) {
    throw new ConvScopeError('invalid-input', `${basename(path)} is neither a file nor a folder`, {
      remedy: 'Choose plain files.',
    })
  }
  const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort()
  const entries = await Promise.all(
    names.map(async (name) => {
      const inside = join(path, name)
      return {
        name,
        path: inside,
        entry: await stat(inside).catch((error: unknown) => Promise.reject(unreadable(inside, error))),
      }
    }),
  )
  const plain = entries.filter(({ entry: inside }) => inside.isFile())
  if (plain.length === 0) {
    throw new ConvScopeError('invalid-input', `There are no files in the folder "${path}" itself`, {
      remedy: 'Choose the files of a network, or the folder that they are in.',
    })
  }
  return plain.map(({ name, path: file, entry: inside }) => ({ name, path: file, bytes: inside.size }))
}

function unreadable(path: string, error: unknown): ConvScopeError {
  if (errorCodeOf(error) === 'ENOENT')
    return new ConvScopeError('not-found', `There is no file "${path}"`, { remedy: 'Check its name and place.' })
  const reason = error instanceof Error ? error.message : String(error)
  return new ConvScopeError('disk', `${path} cannot be read: ${reason}`, { cause: error })
}
