/** Pictures of a source in batches, in order, the next batch read ahead into the other of two buffers. */
import type { PictureSource } from './picture-source.ts'

export class BatchAhead {
  readonly #source: PictureSource
  readonly #batchSize: number
  readonly #buffers: Float32Array[]
  #start: number
  #turn = 0
  #reading: Promise<Float32Array>

  constructor(source: PictureSource, batchSize: number, start: number) {
    this.#source = source
    this.#batchSize = batchSize
    this.#start = start
    this.#buffers = [0, 1].map(() => new Float32Array(batchSize * source.size))
    this.#reading = this.#read()
  }

  /** `[batchSize, height, width, channels]`, zeros behind the last picture; good until `prepare` has been called twice. */
  take(): Promise<Float32Array> {
    return this.#reading
  }

  /** Begins to read the next batch. */
  prepare(): void {
    this.#start += this.#batchSize
    this.#turn = 1 - this.#turn
    this.#reading = this.#read()
    // Whoever takes it gets the error; until then it is nobody's.
    this.#reading.catch(() => undefined)
  }

  /** Resolves when nothing is being read any more. */
  async settle(): Promise<void> {
    await this.#reading.catch(() => undefined)
  }

  async #read(): Promise<Float32Array> {
    const buffer = this.#buffers[this.#turn] ?? new Float32Array(0)
    const count = Math.max(0, Math.min(this.#batchSize, this.#source.count - this.#start))
    await this.#source.read(
      Array.from({ length: count }, (_, index) => this.#start + index),
      buffer,
    )
    return buffer
  }
}
