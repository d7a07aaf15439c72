import { StringDecoder } from 'node:string_decoder'

const MAX_LINE_LENGTH = 4000

/** Bytes of a log stream as lines; keeps the last ones for error messages. */
export class LineLog {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: (line: string) => void
  readonly #keep: number
  #rest = ''
  readonly #last: string[] = []

  constructor(onLine: (line: string) => void, keep = 40) {
    this.#onLine = onLine
    this.#keep = keep
  }

  push(bytes: Uint8Array): void {
    this.#split(this.#rest + this.#decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
  }

  end(): void {
    this.#split(`${this.#rest}${this.#decoder.end()}\n`)
  }

  /** The last lines, oldest first. */
  get tail(): string {
    return this.#last.join('\n')
  }

  #split(text: string): void {
    const lines = text.split(/\r?\n/)
    this.#rest = lines.pop() ?? ''
    // A line without end must not fill the memory.
    if (this.#rest.length > MAX_LINE_LENGTH) {
      lines.push(this.#rest)
      this.#rest = ''
    }
    for (const line of lines) if (line.trim() !== '') this.#emit(line.slice(0, MAX_LINE_LENGTH))
  }

  #emit(line: string): void {
    this.#last.push(line)
    if (this.#last.length > this.#keep) this.#last.shift()
    this.#onLine(line)
  }
}
