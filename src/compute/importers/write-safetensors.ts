/** The weights of an imported network as a safetensors file, one tensor in memory at a time. */
import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { ConvScopeError } from '../../shared/errors.ts'
import { sizeOf } from '../../shared/size-of.ts'
import { encodeSafetensorsHeader } from '../files/safetensors-header.ts'
import type { ImportedNetwork } from './imported-network.ts'

export interface WrittenFile {
  /** Lower-case hexadecimal. */
  readonly sha256: string
  readonly bytes: number
}

export interface WriteOptions {
  /** Called after every tensor, from 0 to 1. */
  readonly onProgress?: (fraction: number) => void
  readonly signal?: AbortSignal
}

const FLOAT_BYTES = 4
const MEBIBYTE = 2 ** 20
/** Written at once. */
const CHUNK_BYTES = 16 * MEBIBYTE

/**
 * Writes a new file at `path`; nothing is left there after an error.
 * @throws ConvScopeError 'cancelled', 'disk', or what the tensors' values throw
 */
export async function writeSafetensors(
  { tensors }: Pick<ImportedNetwork, 'tensors'>,
  path: string,
  options: WriteOptions = {},
): Promise<WrittenFile> {
  const plans = [...tensors].map(([name, { shape }]) => ({
    name,
    dtype: 'F32',
    shape,
    byteLength: FLOAT_BYTES * sizeOf(shape),
  }))
  const header = encodeSafetensorsHeader(plans)
  const total = plans.reduce((sum, { byteLength }) => sum + byteLength, header.byteLength)
  const hash = createHash('sha256')
  const file = await open(path, 'wx').catch((error: unknown) => {
    throw diskError(path, error)
  })
  let done = 0
  const write = async (bytes: Uint8Array): Promise<void> => {
    for (let start = 0; start < bytes.byteLength; start += CHUNK_BYTES) {
      options.signal?.throwIfAborted()
      const chunk = bytes.subarray(start, start + CHUNK_BYTES)
      hash.update(chunk)
      await file.writeFile(chunk).catch((error: unknown) => {
        throw diskError(path, error)
      })
      done += chunk.byteLength
      options.onProgress?.(done / total)
    }
  }
  try {
    await write(header)
    for (const [name, { shape, values }] of tensors) {
      const data = values()
      const count = sizeOf(shape)
      if (data.length !== count) throw new RangeError(`${name} has ${data.length} values and not ${count}`)
      await write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
    await file.sync()
    await file.close()
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(path, { force: true })
    throw options.signal?.aborted === true
      ? new ConvScopeError('cancelled', 'The import was cancelled.', { cause: error })
      : error
  }
  return { sha256: hash.digest('hex'), bytes: done }
}

function diskError(path: string, error: unknown): ConvScopeError {
  const reason = error instanceof Error ? error.message : String(error)
  return new ConvScopeError('disk', `The weights cannot be written to ${path}: ${reason}.`, {
    remedy: 'Make room on the disk, or choose another folder.',
    cause: error,
  })
}
