import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { action } from '../../shared/actions.ts'
import { ConvScopeError } from '../../shared/errors.ts'

export interface ArtifactPlaces {
  /** Single files by hash, looked at first. */
  readonly artifactFiles: Readonly<Record<string, string>>
  /** Folders `<folder>/<ab>/<sha256>`, in the order they are looked at. */
  readonly artifactFolders: readonly string[]
}

/** Largest artifact that is read into memory at once. */
const LIMIT_BYTES = 2 ** 31 - 1

/**
 * A function that reads an artifact by its hash and checks the hash of what it reads.
 * It throws ConvScopeError 'not-found' where no place has it, 'damaged' where its bytes have another hash, 'too-large' from 2 GiB on.
 */
export function artifactReader(places: ArtifactPlaces): (sha256: string) => Promise<Uint8Array> {
  return async (sha256) => {
    const candidates = placesOf(sha256, places)
    for (const candidate of candidates) {
      const bytes = await readIfThere(candidate)
      if (!bytes) continue
      if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
        throw new ConvScopeError(
          'damaged',
          `The artifact ${sha256.slice(0, 12)}… has other contents than its name says`,
          {
            remedy: `${action('examine-project')} Import the file again.`,
            details: candidate,
          },
        )
      }
      return bytes
    }
    throw missing(sha256, candidates)
  }
}

/** A function that tells where an artifact lies, for what is read in pieces; it throws ConvScopeError 'not-found'. */
export function artifactFinder(places: ArtifactPlaces): (sha256: string) => Promise<string> {
  return async (sha256) => {
    const candidates = placesOf(sha256, places)
    for (const candidate of candidates) {
      const found = await stat(candidate).catch(() => undefined)
      if (found?.isFile()) return candidate
    }
    throw missing(sha256, candidates)
  }
}

function placesOf(sha256: string, { artifactFiles, artifactFolders }: ArtifactPlaces): string[] {
  const file = artifactFiles[sha256]
  return [
    ...(file === undefined ? [] : [file]),
    ...artifactFolders.map((folder) => join(folder, sha256.slice(0, 2), sha256)),
  ]
}

function missing(sha256: string, candidates: readonly string[]): ConvScopeError {
  return new ConvScopeError('not-found', `The artifact ${sha256.slice(0, 12)}… is not in the project`, {
    remedy: `${action('examine-project')} Import the file again.`,
    details: candidates.join('\n'),
  })
}

/** Undefined for what is no plain file: a project from outside may hold pipes, or links to devices that never end. */
async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw new ConvScopeError('disk', `${file} cannot be read: ${error.message}`, { cause: error })
    },
  )
  if (!handle) return undefined
  try {
    const found = await handle.stat()
    if (!found.isFile()) return undefined
    const { size } = found
    if (size > LIMIT_BYTES)
      throw new ConvScopeError('too-large', `${file} has ${size} bytes; ${LIMIT_BYTES} can be read`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}
