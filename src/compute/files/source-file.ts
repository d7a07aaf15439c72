/** Files from outside, read piece by piece, so that a file is never in memory as a whole. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'

export interface SourceFile {
  /** As the user knows it, without a folder; appears in every message about it. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Where it lies, for libraries that open files themselves; absent for bytes in memory. */
  readonly path: string | undefined
  /**
   * A new array of exactly `length` bytes from `offset`.
   * @throws ConvScopeError 'damaged' that names the file and the place, where it ends before
   */
  read(offset: number, length: number): Uint8Array
  close(): void
}

/** @param name what messages call the file, where it is not called as on the disk (an artifact) */
export function openSourceFile(path: string, name: string = basename(path)): SourceFile {
  const descriptor = openSync(path, 'r')
  const { size } = fstatSync(descriptor)
  return {
    name,
    size,
    path,
    read: (offset, length) => {
      requireInside(name, size, offset, length)
      const bytes = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const count = readSync(descriptor, bytes, done, length - done, offset + done)
        if (count === 0) throw endsEarly(name, offset + done)
        done += count
      }
      return bytes
    },
    close: () => closeSync(descriptor),
  }
}

/** A file whose bytes are in memory already, such as an entry of an archive. */
export function sourceFileOf(name: string, bytes: Uint8Array): SourceFile {
  return {
    name,
    size: bytes.byteLength,
    path: undefined,
    read: (offset, length) => {
      requireInside(name, bytes.byteLength, offset, length)
      return bytes.slice(offset, offset + length)
    },
    close: () => undefined,
  }
}

function requireInside(name: string, size: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return
  throw endsEarly(name, size)
}

function endsEarly(name: string, place: number): ConvScopeError {
  return new ConvScopeError('damaged', `${name} ends early, at byte ${place}`, {
    remedy: 'Copy or download the file again.',
  })
}
