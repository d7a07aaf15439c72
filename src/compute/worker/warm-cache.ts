/** Values that are dear to load and kept for the next time: networks and data sets of a session. */

export interface Loaded<V> {
  readonly value: V
  readonly bytes: number
  /** Frees what garbage collection does not. */
  readonly dispose?: () => void
}

export interface Lease<V> {
  readonly value: V
  release(): void
}

interface Entry<V> {
  readonly loading: Promise<Loaded<V>>
  bytes: number
  users: number
}

/** Holds what is in use, and of the rest the latest used within a number of bytes and entries. */
export class WarmCache<V> {
  readonly #maxBytes: number
  readonly #maxEntries: number
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry<V>>()

  constructor(bounds: { maxBytes: number; maxEntries: number }) {
    this.#maxBytes = bounds.maxBytes
    this.#maxEntries = bounds.maxEntries
  }

  /** The value under `key`, loaded once however many ask; it is not disposed before every lease is released. */
  async acquire(key: string, load: () => Promise<Loaded<V>>): Promise<Lease<V>> {
    let entry = this.#entries.get(key)
    if (entry) this.#entries.delete(key)
    else entry = { loading: load(), bytes: 0, users: 0 }
    this.#entries.set(key, entry)
    const used = entry
    used.users++
    try {
      const loaded = await used.loading
      used.bytes = loaded.bytes
      this.#evict()
      let released = false
      const release = (): void => {
        if (released) return
        released = true
        used.users--
        this.#evict()
      }
      return { value: loaded.value, release }
    } catch (error) {
      used.users--
      if (this.#entries.get(key) === used) this.#entries.delete(key)
      throw error
    }
  }

  get bytes(): number {
    return [...this.#entries.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  #evict(): void {
    for (const [key, entry] of this.#entries) {
      if (this.bytes <= this.#maxBytes && this.#entries.size <= this.#maxEntries) return
      if (entry.users > 0) continue
      this.#entries.delete(key)
      void entry.loading.then(({ dispose }) => dispose?.())
    }
  }
}
