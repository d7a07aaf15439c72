/** ZIP archives of stored entries (PKWARE's APPNOTE 6.3.10), up to 4 GiB. */
import { crc32 } from 'node:zlib'
import { ConvScopeError } from '../../shared/errors.ts'
import { bytesOf, type Part } from './parts.ts'

const MAX_BYTES = 2 ** 32 - 1
/** 1 January 1980, so that the same network gives the same bytes. */
const DATE = 0x21
const VERSION = 20
const UTF8 = 0x800

/** The archive's parts; each entry's parts are made twice, for the checksum stands before them. */
export function zipParts(entries: readonly { readonly name: string; readonly parts: readonly Part[] }[]): Part[] {
  const written: Part[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const { name, parts } of entries) {
    const size = bytesOf(parts)
    if (offset + size > MAX_BYTES) {
      throw new ConvScopeError('too-large', `The archive would have more than ${MAX_BYTES} bytes.`, {
        remedy: 'Export into a folder instead.',
      })
    }
    const crc = parts.reduce((sum, part) => crc32(part instanceof Uint8Array ? part : part.make(), sum), 0)
    const title = new TextEncoder().encode(name)
    const local = header(0x04034b50, 30, [
      [4, VERSION, 2],
      [6, UTF8, 2],
      [12, DATE, 2],
      [14, crc, 4],
      [18, size, 4],
      [22, size, 4],
      [26, title.length, 2],
    ])
    const central = header(0x02014b50, 46, [
      [4, VERSION, 2],
      [6, VERSION, 2],
      [8, UTF8, 2],
      [14, DATE, 2],
      [16, crc, 4],
      [20, size, 4],
      [24, size, 4],
      [28, title.length, 2],
      [42, offset, 4],
    ])
    directory.push(central, title)
    written.push(local, title, ...parts)
    offset += local.length + title.length + size
  }
  const end = header(0x06054b50, 22, [
    [8, entries.length, 2],
    [10, entries.length, 2],
    [12, bytesOf(directory), 4],
    [16, offset, 4],
  ])
  return [...written, ...directory, end]
}

function header(signature: number, length: number, fields: readonly (readonly [number, number, 2 | 4])[]): Uint8Array {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, signature, true)
  for (const [place, value, width] of fields) {
    if (width === 2) view.setUint16(place, value, true)
    else view.setUint32(place, value, true)
  }
  return bytes
}
