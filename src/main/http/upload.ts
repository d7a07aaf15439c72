/** The one way for files into the program: streamed to the artifact store in pieces, with a limit. */
import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { ConvScopeError } from '../../shared/errors.ts'
import { diskError } from '../platform/disk-error.ts'
import type { ArtifactStore, StoredArtifact } from '../project/artifact-store.ts'

/** Larger than any weights file or picture archive that is imported. */
export const MAX_UPLOAD_BYTES = 16 * 1024 ** 3

/**
 * Stores the pieces as one artifact. Nothing is left of an upload that fails or is broken off.
 * @throws ConvScopeError 'too-large' or 'disk'
 */
export async function storeUpload(
  pieces: AsyncIterable<Uint8Array>,
  artifacts: Pick<ArtifactStore, 'scratchFile' | 'adopt'>,
  maxBytes: number = MAX_UPLOAD_BYTES,
): Promise<StoredArtifact> {
  const file = artifacts.scratchFile()
  try {
    return await artifacts.adopt(file, await writePieces(file, pieces, maxBytes))
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
}

async function writePieces(file: string, pieces: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const hash = createHash('sha256')
  let bytes = 0
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    throw diskError(file, 'write', error)
  })
  try {
    for await (const piece of pieces) {
      bytes += piece.byteLength
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      hash.update(piece)
      await handle.writeFile(piece).catch((error: unknown) => {
        throw diskError(file, 'write', error)
      })
    }
  } finally {
    await handle.close()
  }
  return hash.digest('hex')
}

export function tooLarge(maxBytes: number): ConvScopeError {
  return new ConvScopeError('too-large', `The file is larger than ${Math.floor(maxBytes / 2 ** 20)} MiB`, {
    remedy: 'Refer to it in place instead of uploading it.',
  })
}
