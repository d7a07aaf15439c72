/** Reading a file from front to back in small steps, with few reads of the disk. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { SourceFile } from './source-file.ts'

const WINDOW_BYTES = 64 * 1024
const LINE_FEED = 0x0a
const MAX_LINE_BYTES = 64 * 1024

export class ByteCursor {
  readonly #file: SourceFile
  #window = new Uint8Array(0)
  #windowStart = 0
  #place: number

  constructor(file: SourceFile, start = 0) {
    this.#file = file
    this.#place = start
  }

  /** Of the next byte, from the file's beginning. */
  get place(): number {
    return this.#place
  }

  get remaining(): number {
    return this.#file.size - this.#place
  }

  byte(): number {
    return this.take(1)[0] ?? 0
  }

  /**
   * The next bytes; may share memory with earlier ones.
   * @throws ConvScopeError 'damaged' where the file ends before
   */
  take(length: number): Uint8Array {
    if (length > this.remaining) {
      throw new ConvScopeError(
        'damaged',
        `${this.#file.name} ends early: ${length} bytes should follow byte ${this.#place}.`,
        {
          remedy: 'Copy or download the file again.',
        },
      )
    }
    const start = this.#place - this.#windowStart
    this.#place += length
    if (start + length <= this.#window.length) return this.#window.subarray(start, start + length)
    const begin = this.#place - length
    if (length > WINDOW_BYTES) return this.#file.read(begin, length)
    this.#window = new Uint8Array(this.#file.read(begin, Math.min(WINDOW_BYTES, this.#file.size - begin)))
    this.#windowStart = begin
    return this.#window.subarray(0, length)
  }

  /** A view of the next bytes. */
  view(length: number): DataView {
    const bytes = this.take(length)
    return new DataView(bytes.buffer, bytes.byteOffset, length)
  }

  /** Latin text up to a line feed, without it. */
  line(): string {
    let text = ''
    for (let byte = this.byte(); byte !== LINE_FEED; byte = this.byte()) {
      text += String.fromCharCode(byte)
      if (text.length > MAX_LINE_BYTES) {
        throw new ConvScopeError('damaged', `${this.#file.name} has an endless line at byte ${this.#place}.`, {
          remedy: 'Copy or download the file again.',
        })
      }
    }
    return text
  }
}
