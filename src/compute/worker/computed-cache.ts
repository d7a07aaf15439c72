/** What was computed once and may be asked for again, in files of the user's cache folder; it can be thrown away at any time. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ResultCache } from '../experiments/experiment.ts'

const HASH_BYTES = 32

/** Shared by all sessions of the user: files are whole or not there. The least recently used go first. */
export class ComputedCache implements ResultCache {
  readonly #folder: string
  readonly #maxBytes: number

  constructor(folder: string, maxBytes = 256 * 2 ** 20) {
    this.#folder = folder
    this.#maxBytes = maxBytes
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const file = this.#fileOf(key)
    const bytes = await readFile(file).catch(() => undefined)
    if (bytes === undefined) return undefined
    const value = bytes.subarray(HASH_BYTES)
    if (!hashOf(value).equals(bytes.subarray(0, HASH_BYTES))) {
      await this.remove(key)
      return undefined
    }
    const now = new Date()
    // Another session may have removed it meanwhile.
    await utimes(file, now, now).catch(() => undefined)
    return new Uint8Array(value)
  }

  async put(key: string, value: Uint8Array): Promise<void> {
    if (value.length > this.#maxBytes) return
    await mkdir(this.#folder, { recursive: true })
    const part = join(this.#folder, `${randomUUID()}.part`)
    try {
      await writeFile(part, Buffer.concat([hashOf(value), value]))
      await rename(part, this.#fileOf(key))
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
    await this.#prune()
  }

  async remove(key: string): Promise<void> {
    await rm(this.#fileOf(key), { force: true })
  }

  #fileOf(key: string): string {
    return join(this.#folder, createHash('sha256').update(key).digest('hex'))
  }

  async #prune(): Promise<void> {
    const files = await Promise.all(
      (await readdir(this.#folder)).map(async (name) => {
        const path = join(this.#folder, name)
        const entry = await stat(path).catch(() => undefined)
        return { path, bytes: entry?.size ?? 0, usedAt: entry?.mtimeMs ?? 0 }
      }),
    )
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    for (const file of files.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= this.#maxBytes) return
      await rm(file.path, { force: true })
      bytes -= file.bytes
    }
  }
}

function hashOf(value: Uint8Array): Buffer {
  return createHash('sha256').update(value).digest()
}
