/** Files on their way to an import, one after the other. */
import { uploadFile, type Stored } from './files.ts'

/** How far the sending is. */
export interface Sending {
  readonly kind: 'sending'
  readonly file: string
  /** Of the files. */
  readonly index: number
  readonly count: number
  /** Of this file, 0 to 1. */
  readonly fraction: number
}

export interface SentFile {
  /** With the folders that it was chosen in. */
  readonly name: string
  readonly sha256: string
}

/** Name of a file with the folders that it was chosen or dropped in. */
export function pathOf(file: File): string {
  return file.webkitRelativePath || file.name
}

/** Sends files; what has been sent is not sent again after a failure. */
export class FileSender {
  #stored = new WeakMap<File, Stored>()

  /** @throws what `uploadFile` throws */
  async send(
    files: readonly File[],
    { signal, onProgress }: { signal: AbortSignal; onProgress: (sending: Sending) => void },
  ): Promise<SentFile[]> {
    const sent: SentFile[] = []
    for (const [index, file] of files.entries()) {
      const tell = (fraction: number): void =>
        onProgress({ kind: 'sending', file: file.name, index, count: files.length, fraction })
      tell(0)
      const stored = this.#stored.get(file) ?? (await uploadFile(file, { signal, onProgress: tell }))
      this.#stored.set(file, stored)
      sent.push({ name: pathOf(file), sha256: stored.sha256 })
    }
    return sent
  }

  forget(): void {
    this.#stored = new WeakMap()
  }
}

/** `Sending weights.bin (2 of 3) … 40 %`. */
export function sendingText({ file, index, count, fraction }: Sending): string {
  const of = count > 1 ? ` (${index + 1} of ${count})` : ''
  return `Sending ${file}${of} … ${Math.floor(100 * fraction)} %`
}
