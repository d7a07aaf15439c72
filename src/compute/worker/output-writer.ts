/** Outputs of a run on their way to main: small ones in the frame, large ones as files that main verifies and takes over. */
import { createHash, randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OutputRecord } from '../../shared/runs.ts'
import type { OutputDelivery } from '../../shared/wire/protocol.ts'

/** An output up to this size may travel in a frame. */
export const INLINE_LIMIT_BYTES = 1024 * 1024
/** All outputs of one message that travel in its frame. */
const INLINE_TOTAL_BYTES = 16 * 1024 * 1024

export type OutputDescription = Omit<OutputRecord, 'sha256' | 'bytes'>

export class OutputWriter {
  readonly #scratchFolder: string
  readonly #deliveries = new Map<string, OutputDelivery>()

  constructor(scratchFolder: string) {
    this.#scratchFolder = scratchFolder
  }

  /** Keeps an output; one of the same name and kind takes the place of the earlier one. */
  async put(description: OutputDescription, bytes: Uint8Array): Promise<void> {
    const key = `${description.kind} ${description.name}`
    const earlier = this.#deliveries.get(key)
    this.#deliveries.delete(key)
    if (earlier) await discard(earlier)
    this.#deliveries.set(key, await this.deliver(description, bytes, this.#inlineBytes()))
  }

  /** Bytes ready for a message, without keeping them as an output of the run. */
  async deliver(description: OutputDescription, bytes: Uint8Array, inlineBytes = 0): Promise<OutputDelivery> {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const record = OutputRecord.parse({ ...description, sha256, bytes: bytes.length })
    if (bytes.length <= INLINE_LIMIT_BYTES && inlineBytes + bytes.length <= INLINE_TOTAL_BYTES) {
      // A copy of exactly these bytes: between threads a view would take its whole memory along.
      return { record, bytes: new Uint8Array(bytes) }
    }
    const file = join(this.#scratchFolder, `${randomUUID()}.part`)
    await writeFile(file, bytes, { flag: 'wx' })
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

  #inlineBytes(): number {
    return [...this.#deliveries.values()].reduce(
      (sum, delivery) => sum + ('bytes' in delivery ? delivery.bytes.length : 0),
      0,
    )
  }
}

async function discard(delivery: OutputDelivery): Promise<void> {
  if ('file' in delivery) await rm(delivery.file, { force: true })
}
