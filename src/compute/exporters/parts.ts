/** Files written from parts, of which only one is in memory at a time. */
import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { ConvScopeError } from '../../shared/errors.ts'
import type { WrittenFile } from '../importers/write-safetensors.ts'

/** Bytes, or how many they will be and how they are made. */
export type Part = Uint8Array | { readonly byteLength: number; readonly make: () => Uint8Array }

export function bytesOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0)
}

/**
 * Writes a new file; nothing is left there after an error.
 * @throws ConvScopeError 'disk', also where there is a file of that name already
 */
export async function writeParts(
  parts: readonly Part[],
  path: string,
  onProgress?: (fraction: number) => void,
): Promise<WrittenFile> {
  const total = bytesOf(parts)
  const hash = createHash('sha256')
  const file = await open(path, 'wx').catch((error: unknown) => {
    throw diskError(path, error)
  })
  let done = 0
  try {
    for (const part of parts) {
      const bytes = part instanceof Uint8Array ? part : part.make()
      if (bytes.byteLength !== part.byteLength)
        throw new RangeError(`a part has ${bytes.byteLength} bytes, not ${part.byteLength}`)
      hash.update(bytes)
      await file.writeFile(bytes).catch((error: unknown) => {
        throw diskError(path, error)
      })
      done += bytes.byteLength
      onProgress?.(done / total)
    }
    await file.sync()
    await file.close()
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(path, { force: true })
    throw error
  }
  return { sha256: hash.digest('hex'), bytes: done }
}

function diskError(path: string, error: unknown): ConvScopeError {
  const reason = error instanceof Error ? error.message : String(error)
  return new ConvScopeError('disk', `${path} cannot be written: ${reason}.`, {
    remedy: 'Choose another name or folder, or make room on the disk.',
    cause: error,
  })
}
