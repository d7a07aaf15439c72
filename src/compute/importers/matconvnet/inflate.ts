/** Compressed elements of MAT-files. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createInflate } from 'node:zlib'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { SourceFile } from '../../files/source-file.ts'

const CHUNK_BYTES = 2 ** 20

/**
 * The data of a compressed element: as many bytes as its first tag claims, never more.
 * @param room bytes that it may claim
 * @throws ConvScopeError 'too-large' or 'damaged' that names the file and the byte
 */
export async function inflated(
  file: SourceFile,
  { from, to }: { readonly from: number; readonly to: number },
  room: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  let target: Uint8Array | undefined
  let head: Uint8Array = new Uint8Array(0)
  let filled = 0
  const take = (part: Uint8Array): void => {
    let rest = part
    if (target === undefined) {
      head = Buffer.concat([head, part])
      if (head.byteLength < 8) return
      const size = new DataView(head.buffer, head.byteOffset).getUint32(4, true) + 8
      if (size > room) {
        throw new ConvScopeError(
          'too-large',
          `${file.name} claims to hold ${size} bytes in ${to - from} compressed ones.`,
          {
            remedy: 'Save it without compression (save -v6) if it is a network; otherwise it is made to do harm.',
          },
        )
      }
      target = new Uint8Array(size)
      rest = head
    }
    if (filled + rest.byteLength > target.byteLength) {
      throw damaged(
        file,
        `the data compressed at byte ${from} are longer than the ${target.byteLength} bytes that they claim`,
      )
    }
    target.set(rest, filled)
    filled += rest.byteLength
  }
  try {
    await pipeline(
      Readable.from(pieces(file, from, to)),
      createInflate({ chunkSize: CHUNK_BYTES }),
      async (parts: AsyncIterable<Buffer>) => {
        for await (const part of parts) take(part)
      },
      { signal },
    )
  } catch (error) {
    if (error instanceof ConvScopeError) throw error
    throw damaged(
      file,
      `the data compressed at byte ${from} cannot be inflated (${error instanceof Error ? error.message : String(error)})`,
    )
  }
  if (target === undefined || filled < target.byteLength) {
    throw damaged(file, `the data compressed at byte ${from} end after ${filled} bytes`)
  }
  return target
}

function* pieces(file: SourceFile, from: number, to: number): Generator<Uint8Array> {
  for (let place = from; place < to; place += CHUNK_BYTES) yield file.read(place, Math.min(CHUNK_BYTES, to - place))
}

/** How a MAT-file is broken. */
export function damaged(file: SourceFile, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${file.name} cannot be read: ${reason}.`, {
    remedy: 'Copy or download the file again.',
  })
}
