/** Reading a content-addressed file as a stream. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'

const PIECE_BYTES = 1 << 18

/** The contents, failing at the end with `wrongHash()` where the hash differs; closes the file when it ends or is destroyed. */
export function checkedStream(handle: FileHandle, sha256: string, wrongHash: () => Error): Readable {
  const hash = createHash('sha256')
  const readPiece = async (): Promise<Buffer | null> => {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES)
    if (bytesRead > 0) {
      const piece = buffer.subarray(0, bytesRead)
      hash.update(piece)
      return piece
    }
    if (hash.digest('hex') !== sha256) throw wrongHash()
    return null
  }
  return new Readable({
    highWaterMark: PIECE_BYTES,
    read() {
      readPiece().then(
        (piece) => this.push(piece),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, callback) {
      handle.close().then(() => callback(error), callback)
    },
  })
}
