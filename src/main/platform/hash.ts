/** SHA-256 in lower-case hexadecimal. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { canonicalJson } from '../../shared/canonical-json.ts'
import { diskError } from './disk-error.ts'

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Hash of a JSON value's canonical text: the address of a document. */
export function hashJson(value: unknown): string {
  return sha256(canonicalJson(value))
}

/** Hash and size of a file, read in pieces. @throws ConvScopeError 'disk' or 'not-found' */
export async function hashFile(file: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) {
      const buffer: Buffer = piece
      hash.update(buffer)
      bytes += buffer.length
    }
  } catch (error) {
    throw diskError(file, 'read', error)
  }
  return { sha256: hash.digest('hex'), bytes }
}
