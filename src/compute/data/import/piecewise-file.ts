/** A new file that is written from front to back, with a beginning that is filled in at last. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { ConvScopeError } from '../../../shared/errors.ts'

export interface WrittenFile {
  /** Lower-case hexadecimal. */
  readonly sha256: string
  readonly bytes: number
}

/** Collected before they are written. */
const BUFFER_BYTES = 4 * 2 ** 20

export class PiecewiseFile {
  readonly #path: string
  readonly #handle: FileHandle
  readonly #start: number
  #end: number
  #waiting: Uint8Array[] = []
  #waitingBytes = 0

  private constructor(path: string, handle: FileHandle, start: number) {
    this.#path = path
    this.#handle = handle
    this.#start = start
    this.#end = start
  }

  /** @param start bytes that are left free for the beginning */
  static async create(path: string, start = 0): Promise<PiecewiseFile> {
    return new PiecewiseFile(path, await open(path, 'wx').catch((error: unknown) => Promise.reject(full(error))), start)
  }

  /** Bytes from `start` to the end. */
  get length(): number {
    return this.#end + this.#waitingBytes - this.#start
  }

  /** The bytes must not change afterwards. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes >= BUFFER_BYTES) await this.#flush()
  }

  /** Writes the beginning, exactly as long as was left free for it, and closes. */
  async finish(beginning: Uint8Array = new Uint8Array()): Promise<WrittenFile> {
    if (beginning.length !== this.#start)
      throw new RangeError(`${this.#start} bytes were left free, not ${beginning.length}`)
    await this.#flush()
    await this.#write(beginning, 0)
    await this.#handle.close()
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(this.#path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
    return { sha256: hash.digest('hex'), bytes: this.#end }
  }

  /** Leaves nothing behind; nothing happens after `finish`. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined)
    await rm(this.#path, { force: true })
  }

  async #flush(): Promise<void> {
    const bytes = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#waitingBytes = 0
    if (!bytes) return
    await this.#write(bytes, this.#end)
    this.#end += bytes.length
  }

  async #write(bytes: Uint8Array, place: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#handle
        .write(bytes, done, bytes.length - done, place + done)
        .catch((error: unknown) => Promise.reject(full(error)))
      done += bytesWritten
    }
  }
}

function full(cause: unknown): ConvScopeError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ConvScopeError('disk', `The data set cannot be written: ${reason}`, {
    remedy: 'Make room on the disk.',
    cause,
  })
}
