import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The folder through which one session hands over large outputs. It lives as long as something is taken from it. */
/** Folders of this process's sessions; one that has ended may still be read from. */
const live = new Set<string>()

export class ScratchFolder {
  readonly path: string
  readonly #uses = new Set<Promise<unknown>>()

  private constructor(path: string) {
    this.path = path
  }

  /** A new one under `parent`; what earlier processes left there under that name is removed. */
  static async create(parent: string, name: string): Promise<ScratchFolder> {
    await mkdir(parent, { recursive: true })
    const folders = (await readdir(parent)).filter((entry) => entry.startsWith(`${name}-`))
    const stale = folders.map((entry) => join(parent, entry)).filter((folder) => !live.has(folder))
    await Promise.all(stale.map((folder) => rm(folder, { recursive: true, force: true })))
    const path = join(parent, `${name}-${randomUUID()}`)
    live.add(path)
    await mkdir(path)
    return new ScratchFolder(path)
  }

  /** Keeps the folder until `act` is done. */
  async use<T>(act: (path: string) => Promise<T>): Promise<T> {
    const acting = act(this.path)
    this.#uses.add(acting)
    try {
      return await acting
    } finally {
      this.#uses.delete(acting)
    }
  }

  async remove(): Promise<void> {
    await Promise.allSettled(this.#uses)
    await rm(this.path, { recursive: true, force: true })
    live.delete(this.path)
  }
}
