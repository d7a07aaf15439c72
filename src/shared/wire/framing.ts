/**
 * Frames on a byte stream: magic number (4 bytes), length of the body (unsigned 32 bits, big-endian), body.
 * Whatever stands before the first frame is noise (a login banner, a library that prints) and is handed to the log.
 */
import { ConvScopeError } from '../errors.ts'

/** "\x93CVS": the first byte cannot begin a UTF-8 character, so that no text looks like a frame. */
export const FRAME_MAGIC = new Uint8Array([0x93, 0x43, 0x56, 0x53])
export const FRAME_HEADER_BYTES = 8
export const FRAME_LIMIT_BYTES = 64 * 1024 * 1024
/** Noise before the first frame that is still taken as a banner. */
export const NOISE_LIMIT_BYTES = 256 * 1024

/**
 * The header that goes before a body of so many bytes.
 * @throws ConvScopeError 'too-large' for a body above `limitBytes`
 */
export function frameHeader(bodyBytes: number, limitBytes = FRAME_LIMIT_BYTES): Uint8Array {
  if (bodyBytes > limitBytes) throw tooLarge(bodyBytes, limitBytes)
  const header = new Uint8Array(FRAME_HEADER_BYTES)
  header.set(FRAME_MAGIC)
  new DataView(header.buffer).setUint32(FRAME_MAGIC.length, bodyBytes)
  return header
}

export interface FrameReaderOptions {
  readonly limitBytes?: number
  readonly noiseLimitBytes?: number
  /** Gets the bytes before the first frame. */
  readonly onNoise?: (bytes: Uint8Array) => void
}

/** Cuts a byte stream into frames. After the first error it is of no more use: every further call throws that error. */
export class FrameReader {
  readonly #limitBytes: number
  readonly #noiseLimitBytes: number
  readonly #onNoise: (bytes: Uint8Array) => void
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #noiseBytes = 0
  #synchronised = false
  /** Length of the body that is being collected. */
  #bodyBytes: number | undefined
  #error: ConvScopeError | undefined

  constructor(options: FrameReaderOptions = {}) {
    this.#limitBytes = options.limitBytes ?? FRAME_LIMIT_BYTES
    this.#noiseLimitBytes = options.noiseLimitBytes ?? NOISE_LIMIT_BYTES
    this.#onNoise = options.onNoise ?? (() => undefined)
  }

  /**
   * Takes the next bytes of the stream and yields the bodies that are now complete, each in memory of its own or of its chunk.
   * Nothing is allocated for a body before its bytes are there.
   * @throws ConvScopeError 'damaged' where a frame should begin and does not, 'too-large' for a length above the limit
   */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, void> {
    if (this.#error) throw this.#error
    if (chunk.length === 0) return
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
    for (;;) {
      if (!this.#synchronised) this.#skipNoise()
      if (this.#bodyBytes === undefined) {
        if (!this.#synchronised || this.#pendingBytes < FRAME_HEADER_BYTES) {
          this.#checkStart()
          return
        }
        this.#bodyBytes = this.#readHeader()
      }
      if (this.#pendingBytes < this.#bodyBytes) return
      const body = this.#take(this.#bodyBytes)
      this.#bodyBytes = undefined
      yield body
    }
  }

  /**
   * To be called at the end of the stream.
   * @throws ConvScopeError 'damaged' where it ends inside a frame
   */
  end(): void {
    if (this.#error) throw this.#error
    if (this.#bodyBytes !== undefined) {
      throw this.#fail(
        new ConvScopeError(
          'damaged',
          `The stream ends inside a message: ${this.#pendingBytes} of ${this.#bodyBytes} bytes arrived`,
        ),
      )
    }
    if (this.#pendingBytes > 0) {
      if (this.#synchronised)
        throw this.#fail(new ConvScopeError('damaged', 'The stream ends inside the header of a message'))
      this.#onNoise(this.#take(this.#pendingBytes))
    }
  }

  /** Drops bytes up to the first magic number; keeps a beginning of one at the end of what is there. */
  #skipNoise(): void {
    const bytes = this.#take(this.#pendingBytes)
    let start = 0
    while (start < bytes.length && !matchesMagic(bytes, start)) start++
    if (start > 0) {
      this.#noiseBytes += start
      this.#onNoise(bytes.subarray(0, start))
      if (this.#noiseBytes > this.#noiseLimitBytes) {
        throw this.#fail(
          new ConvScopeError('damaged', `The first ${this.#noiseBytes} bytes of the stream hold no message`),
        )
      }
    }
    if (start < bytes.length) {
      this.#pending = [bytes.subarray(start)]
      this.#pendingBytes = bytes.length - start
      this.#synchronised = this.#pendingBytes >= FRAME_MAGIC.length
    }
  }

  /** Refuses a wrong beginning as soon as it is there, also where no full header follows. */
  #checkStart(): void {
    if (!this.#synchronised || this.#pendingBytes === 0) return
    const start = this.#take(this.#pendingBytes)
    if (!matchesMagic(start, 0)) throw this.#fail(wrongMagic(start))
    this.#pending = [start]
    this.#pendingBytes = start.length
  }

  #readHeader(): number {
    const header = this.#take(FRAME_HEADER_BYTES)
    if (!matchesMagic(header, 0)) throw this.#fail(wrongMagic(header))
    const length = new DataView(header.buffer, header.byteOffset, header.byteLength).getUint32(FRAME_MAGIC.length)
    if (length > this.#limitBytes) throw this.#fail(tooLarge(length, this.#limitBytes))
    return length
  }

  /** The next `count` bytes in one piece; they must be there. */
  #take(count: number): Uint8Array {
    this.#pendingBytes -= count
    const first = this.#pending[0]
    if (first && first.length >= count) {
      if (first.length === count) this.#pending.shift()
      else this.#pending[0] = first.subarray(count)
      return first.subarray(0, count)
    }
    const joined = new Uint8Array(count)
    let filled = 0
    while (filled < count) {
      const chunk = this.#pending.shift()
      if (!chunk) throw new RangeError('FrameReader was asked for bytes that are not there')
      const part = chunk.subarray(0, count - filled)
      joined.set(part, filled)
      filled += part.length
      if (part.length < chunk.length) this.#pending.unshift(chunk.subarray(part.length))
    }
    return joined
  }

  #fail(error: ConvScopeError): ConvScopeError {
    this.#error = error
    this.#pending = []
    this.#pendingBytes = 0
    return error
  }
}

/** Whether the magic number, or as much of it as fits before the end of the bytes, stands at `start`. */
function matchesMagic(bytes: Uint8Array, start: number): boolean {
  const length = Math.min(FRAME_MAGIC.length, bytes.length - start)
  for (let index = 0; index < length; index++) if (bytes[start + index] !== FRAME_MAGIC[index]) return false
  return true
}

function wrongMagic(found: Uint8Array): ConvScopeError {
  const shown = [...found.subarray(0, FRAME_MAGIC.length)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return new ConvScopeError('damaged', `Where a message should begin, the stream has the bytes ${shown}`)
}

function tooLarge(bytes: number, limitBytes: number): ConvScopeError {
  return new ConvScopeError('too-large', `A message of ${bytes} bytes is above the limit of ${limitBytes} bytes`)
}
