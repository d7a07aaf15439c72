import { LruCache } from './lru-cache.ts'
import { pictureOf } from './paint.ts'
import { drawTile, makeSheet, type Sheet } from './picture-canvas.ts'

/** Pictures of a split as `datasets.page` answers: bytes `[count, height, width, channels]`. */
export interface ThumbnailPage {
  readonly total: number
  readonly indices: readonly number[]
  readonly labels: readonly number[]
  readonly shape: readonly [height: number, width: number, channels: number]
  readonly images: Uint8Array
}

export interface Thumbnail {
  /** In the split. */
  readonly index: number
  readonly label: number
}

export type FetchPage = (offset: number, count: number, signal: AbortSignal) => Promise<ThumbnailPage>
export type MakeSheet = (page: ThumbnailPage) => Sheet | undefined

interface Chunk {
  readonly page: ThumbnailPage
  readonly sheet: Sheet | undefined
}

const CHUNK = 240
/** Fetched at the same time. The program answers in order: more would keep the latest waiting. */
const AT_ONCE = 2
const LEVELS = { low: 0, high: 255 }

const paintSheet: MakeSheet = ({ images, indices, shape }) =>
  makeSheet(
    indices.length,
    (i) => pictureOf(images, [indices.length, ...shape], i),
    () => LEVELS,
    'grey',
  )

/** The pictures of a split or class, fetched in chunks as they come into view. Places count within the split or class. */
export class Thumbnails {
  readonly #fetch: FetchPage
  readonly #changed: () => void
  readonly #failed: (error: unknown) => void
  readonly #make: MakeSheet
  readonly #chunks = new LruCache<Chunk>(80)
  readonly #pending = new Map<number, AbortController>()
  /** Chunks in view. */
  #wanted: number[] = []
  total: number

  constructor(
    total: number,
    fetch: FetchPage,
    on: { changed: () => void; failed: (error: unknown) => void },
    make: MakeSheet = paintSheet,
  ) {
    this.total = total
    this.#fetch = fetch
    this.#changed = on.changed
    this.#failed = on.failed
    this.#make = make
  }

  /**
   * Fetches what is missing for places `first` … `end - 1`, a few chunks at a time: whoever scrolls past thousands of pictures does
   * not ask for them, and what was asked for last comes soon.
   */
  want(first: number, end: number): void {
    this.#wanted = []
    for (let chunk = Math.floor(first / CHUNK); chunk * CHUNK < Math.min(end, this.total); chunk++) {
      this.#wanted.push(chunk)
    }
    this.#fetchWanted()
  }

  #fetchWanted(): void {
    for (const chunk of this.#wanted) {
      if (this.#pending.size >= AT_ONCE) return
      if (!this.#pending.has(chunk) && !this.#chunks.get(String(chunk))) void this.#load(chunk)
    }
  }

  at(place: number): Thumbnail | undefined {
    const page = this.#chunks.get(String(Math.floor(place / CHUNK)))?.page
    const [index, label] = [page?.indices[place % CHUNK], page?.labels[place % CHUNK]]
    return index === undefined || label === undefined ? undefined : { index, label }
  }

  /** Draws a picture; false while it is not there yet. */
  draw(
    context: CanvasRenderingContext2D,
    place: number,
    left: number,
    top: number,
    width: number,
    height: number,
  ): boolean {
    const sheet = this.#chunks.get(String(Math.floor(place / CHUNK)))?.sheet
    if (!sheet || place % CHUNK >= sheet.count) return false
    drawTile(context, sheet, place % CHUNK, left, top, width, height)
    return true
  }

  dispose(): void {
    this.#wanted = []
    for (const controller of this.#pending.values()) controller.abort()
    this.#pending.clear()
  }

  async #load(chunk: number): Promise<void> {
    const controller = new AbortController()
    this.#pending.set(chunk, controller)
    try {
      const page = await this.#fetch(chunk * CHUNK, Math.min(CHUNK, this.total - chunk * CHUNK), controller.signal)
      if (controller.signal.aborted) return
      this.total = page.total
      this.#chunks.set(String(chunk), { page, sheet: this.#make(page) })
      this.#changed()
    } catch (error) {
      if (controller.signal.aborted) return
      // Not at once again: it would most likely fail again.
      this.#wanted = this.#wanted.filter((other) => other !== chunk)
      this.#failed(error)
    } finally {
      if (this.#pending.get(chunk) === controller) this.#pending.delete(chunk)
      this.#fetchWanted()
    }
  }
}
