/** Outputs of a run on their way to main: small ones in the frame, large ones as files that main verifies and takes over. */
import { createHash, randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'
import { OutputRecord } from '../../shared/runs.ts'
import type { OutputDelivery } from '../../shared/wire/protocol.ts'

/** An output up to this size may travel in a frame. */
export const INLINE_LIMIT_BYTES = 1024 * 1024
/** All outputs of one message that travel in its frame. */
const INLINE_TOTAL_BYTES = 16 * 1024 * 1024

export type OutputDescription = Omit<OutputRecord, 'sha256' | 'bytes'>

/** Writes a new file at the path and says what is in it. */
export type WriteFile = (path: string) => Promise<{ readonly sha256: string; readonly bytes: number }>

export class OutputWriter {
  readonly #scratchFolder: string
  readonly #deliveries = new Map<string, OutputDelivery>()

  constructor(scratchFolder: string) {
    this.#scratchFolder = scratchFolder
  }

  /** Keeps an output; one of the same name and kind takes the place of the earlier one. */
  async put(description: OutputDescription, bytes: Uint8Array): Promise<void> {
    const key = await this.#makeRoom(description)
    this.#deliveries.set(key, await this.deliver(description, bytes, this.#inlineBytes()))
  }

  /** Like `put`, for what is too large to be in memory as a whole. Nothing is left of a file whose writing fails. */
  async putFile(description: OutputDescription, write: WriteFile): Promise<void> {
    const key = await this.#makeRoom(description)
    const file = this.#newFile()
    try {
      this.#deliveries.set(key, { record: OutputRecord.parse({ ...description, ...(await write(file)) }), file })
    } catch (error) {
      await rm(file, { force: true })
      throw error
    }
  }

  /**
   * Bytes ready for a message, without keeping them as an output of the run.
   * @throws ConvScopeError 'disk' where a file cannot be written; nothing of it is left
   */
  async deliver(description: OutputDescription, bytes: Uint8Array, inlineBytes = 0): Promise<OutputDelivery> {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const record = OutputRecord.parse({ ...description, sha256, bytes: bytes.length })
    if (bytes.length <= INLINE_LIMIT_BYTES && inlineBytes + bytes.length <= INLINE_TOTAL_BYTES) {
      // A copy of exactly these bytes: between threads a view would take its whole memory along.
      return { record, bytes: new Uint8Array(bytes) }
    }
    const file = this.#newFile()
    try {
      await writeFile(file, bytes, { flag: 'wx' })
    } catch (error) {
      await rm(file, { force: true })
      throw unwritten(description.name, error)
    }
    return { record, file }
  }

  /** Everything put so far; the files are the receiver's from now on. */
  take(): OutputDelivery[] {
    const deliveries = [...this.#deliveries.values()]
    this.#deliveries.clear()
    return deliveries
  }

  /** Removes the files of what was not taken. */
  async discardAll(): Promise<void> {
    await Promise.all(this.take().map(discard))
  }

  /** Drops an earlier output of the same name and kind; returns the key of both. */
  async #makeRoom({ kind, name }: OutputDescription): Promise<string> {
    const key = `${kind} ${name}`
    const earlier = this.#deliveries.get(key)
    this.#deliveries.delete(key)
    if (earlier) await discard(earlier)
    return key
  }

  #newFile(): string {
    return join(this.#scratchFolder, `${randomUUID()}.part`)
  }

  #inlineBytes(): number {
    return [...this.#deliveries.values()].reduce(
      (sum, delivery) => sum + ('bytes' in delivery ? delivery.bytes.length : 0),
      0,
    )
  }
}

function unwritten(name: string, cause: unknown): ConvScopeError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ConvScopeError('disk', `The output "${name}" cannot be written: ${reason}`, {
    remedy: "Make room on the project's disk and run it again.",
    cause,
  })
}

async function discard(delivery: OutputDelivery): Promise<void> {
  if ('file' in delivery) await rm(delivery.file, { force: true })
}
