/** What a file looks like by its first bytes, whatever it is called: for messages about files that no reader knows. */
import type { SourceFile } from './source-file.ts'

const HEAD_BYTES = 512

interface Kind {
  readonly title: string
  readonly matches: (head: Uint8Array, file: SourceFile) => boolean
}

const bytes = (...expected: readonly number[]) => startsWith(expected)
const text = (expected: string) => startsWith([...new TextEncoder().encode(expected)])

const kinds: readonly Kind[] = [
  { title: 'an empty file', matches: (_head, file) => file.size === 0 },
  { title: 'a PNG picture', matches: bytes(0x89, 0x50, 0x4e, 0x47) },
  { title: 'a JPEG picture', matches: bytes(0xff, 0xd8, 0xff) },
  { title: 'a GIF picture', matches: text('GIF8') },
  { title: 'a PDF document', matches: text('%PDF') },
  { title: 'an HTML page, perhaps an error page that was saved under this name', matches: isHtml },
  { title: 'a Git LFS pointer and not the file itself', matches: text('version https://git-lfs') },
  { title: 'an HDF5 file', matches: bytes(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a) },
  { title: 'a ZIP archive', matches: bytes(0x50, 0x4b, 0x03, 0x04) },
  { title: 'a gzip archive', matches: bytes(0x1f, 0x8b) },
  { title: 'an xz archive', matches: bytes(0xfd, 0x37, 0x7a, 0x58, 0x5a) },
  { title: 'a 7z archive', matches: bytes(0x37, 0x7a, 0xbc, 0xaf) },
  { title: 'a bzip2 archive', matches: text('BZh') },
  { title: 'a NumPy array', matches: bytes(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59) },
  { title: 'a MATLAB file', matches: text('MATLAB 5.0') },
  { title: 'a Python pickle', matches: (head) => head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5 },
  { title: 'a JSON document', matches: (head) => /^\s*[{[]\s*["{[\]}]/.test(decoded(head)) },
  { title: 'text', matches: isText },
]

/** A noun with its article, such as 'a PNG picture'; 'a file of an unknown kind' where nothing fits. */
export function describeContents(file: SourceFile): string {
  const head = file.read(0, Math.min(file.size, HEAD_BYTES))
  return kinds.find((kind) => kind.matches(head, file))?.title ?? 'a file of an unknown kind'
}

/** Whether the file begins with those bytes. */
export function beginsWith(file: SourceFile, expected: readonly number[], offset = 0): boolean {
  if (file.size < offset + expected.length) return false
  const head = file.read(offset, expected.length)
  return expected.every((byte, index) => head[index] === byte)
}

function startsWith(expected: readonly number[]): (head: Uint8Array) => boolean {
  return (head) => expected.every((byte, index) => head[index] === byte)
}

function isHtml(head: Uint8Array): boolean {
  return /^\s*(<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html)/i.test(decoded(head))
}

function isText(head: Uint8Array): boolean {
  return head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)
}

function decoded(head: Uint8Array): string {
  return new TextDecoder().decode(head)
}
