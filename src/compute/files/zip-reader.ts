/**
 * ZIP archives (PKWARE's APPNOTE 6.3.10) read by their central directory: stored entries by range, deflated ones with a limit that the
 * directory's own sizes set. Every size is checked before anything is allocated.
 */
import { crc32, inflateRawSync } from 'node:zlib'
import { ConvScopeError } from '../../shared/errors.ts'
import { beginsWith } from './file-kind.ts'
import { sourceFileOf, type SourceFile } from './source-file.ts'

const LOCAL_HEADER = 0x04034b50
const CENTRAL_HEADER = 0x02014b50
const END = 0x06054b50
const END_64 = 0x06064b50
const END_64_LOCATOR = 0x07064b50
const END_BYTES = 22
const MAX_COMMENT_BYTES = 0xffff
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20
const MAX_ENTRIES = 100_000
/** In memory at once. */
const MAX_INFLATED_BYTES = 2 ** 31
const MAX_DEFLATION = 1032
const CHUNK_BYTES = 2 ** 22
const METHOD = { stored: 0, deflated: 8 } as const

export interface ZipEntry {
  /** As in the archive, with '/' between folders. */
  readonly name: string
  /** Bytes when unpacked. */
  readonly size: number
  readonly packedSize: number
  readonly method: number
  readonly crc: number
  /** Of its local header. */
  readonly offset: number
}

export interface ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>
  /**
   * The entry's contents, checked against its checksum. A stored entry is read from the archive piece by piece.
   * @throws ConvScopeError 'not-found', 'damaged', 'too-large' or 'unsupported'
   */
  open(name: string): SourceFile
}

/** Whether it begins like a ZIP archive. */
export function isZip(file: SourceFile): boolean {
  return beginsWith(file, [0x50, 0x4b, 0x03, 0x04])
}

/** @throws ConvScopeError 'damaged', 'too-large' or 'unsupported' that names the archive and the reason */
export function openZip(file: SourceFile): ZipArchive {
  const entries = new Map<string, ZipEntry>()
  const { count, offset, size } = findDirectory(file)
  const directory = file.read(offset, size)
  let place = 0
  for (let index = 0; index < count; index++) {
    const { entry, bytes } = readEntry(file, directory, place, offset)
    if (entries.has(entry.name)) throw damaged(file, `it has two entries of the name ${entry.name}`)
    entries.set(entry.name, entry)
    place += bytes
  }
  requireApart(file, [...entries.values()], offset)
  return {
    entries,
    open: (name) => {
      const entry = entries.get(name)
      if (entry === undefined) {
        throw new ConvScopeError('not-found', `${file.name} has no entry ${name}.`, {
          remedy: 'Copy or download the file again.',
        })
      }
      return openEntry(file, entry)
    },
  }
}

interface Directory {
  readonly count: number
  readonly offset: number
  readonly size: number
}

function findDirectory(file: SourceFile): Directory {
  const tailBytes = Math.min(file.size, END_BYTES + MAX_COMMENT_BYTES)
  const tailStart = file.size - tailBytes
  const tail = viewOf(file.read(tailStart, tailBytes))
  for (let place = tailBytes - END_BYTES; place >= 0; place--) {
    if (tail.getUint32(place, true) !== END || place + END_BYTES + tail.getUint16(place + 20, true) !== tailBytes)
      continue
    const short = {
      count: tail.getUint16(place + 10, true),
      size: tail.getUint32(place + 12, true),
      offset: tail.getUint32(place + 16, true),
    }
    const isLong = short.count === 0xffff || short.size === 0xffff_ffff || short.offset === 0xffff_ffff
    const directory = isLong ? directory64(file, tailStart + place) : short
    if (directory.count > MAX_ENTRIES || directory.size > MAX_DIRECTORY_BYTES) {
      throw new ConvScopeError(
        'too-large',
        `${file.name} claims ${directory.count} entries; ${MAX_ENTRIES} are read at most.`,
        {
          remedy: 'Choose the file of a network.',
        },
      )
    }
    if (directory.offset + directory.size > tailStart + place)
      throw damaged(file, `its directory of ${directory.size} bytes at byte ${directory.offset} reaches past its end`)
    return directory
  }
  throw damaged(file, 'its directory is missing: it ends early')
}

function directory64(file: SourceFile, end: number): Directory {
  const locator = end >= 20 ? viewOf(file.read(end - 20, 20)) : undefined
  if (locator?.getUint32(0, true) !== END_64_LOCATOR) throw damaged(file, 'its 64-bit directory is missing')
  const record = viewOf(file.read(safe(file, locator.getBigUint64(8, true)), 56))
  if (record.getUint32(0, true) !== END_64) throw damaged(file, 'its 64-bit directory is missing')
  return {
    count: safe(file, record.getBigUint64(32, true)),
    size: safe(file, record.getBigUint64(40, true)),
    offset: safe(file, record.getBigUint64(48, true)),
  }
}

function readEntry(
  file: SourceFile,
  directory: Uint8Array,
  place: number,
  directoryOffset: number,
): { entry: ZipEntry; bytes: number } {
  const view = viewOf(directory)
  if (place + 46 > directory.length || view.getUint32(place, true) !== CENTRAL_HEADER)
    throw damaged(file, `its directory is broken at byte ${directoryOffset + place}`)
  const nameBytes = view.getUint16(place + 28, true)
  const extraBytes = view.getUint16(place + 30, true)
  const bytes = 46 + nameBytes + extraBytes + view.getUint16(place + 32, true)
  if (place + bytes > directory.length)
    throw damaged(file, `its directory is broken at byte ${directoryOffset + place}`)
  const name = new TextDecoder().decode(directory.subarray(place + 46, place + 46 + nameBytes))
  if (view.getUint16(place + 8, true) & 1) {
    throw new ConvScopeError('unsupported', `${file.name} is encrypted (${name}).`, {
      remedy: 'Save it without a password.',
    })
  }
  const sizes = [view.getUint32(place + 24, true), view.getUint32(place + 20, true), view.getUint32(place + 42, true)]
  const extraStart = place + 46 + nameBytes
  const [size = 0, packedSize = 0, offset = 0] = extended(file, sizes, viewOf(directory, extraStart, extraBytes))
  const method = view.getUint16(place + 10, true)
  const entry = { name, size, packedSize, method, crc: view.getUint32(place + 16, true), offset }
  if (offset + packedSize > file.size) throw damaged(file, `${name} reaches past its end`)
  if (method === METHOD.stored && size !== packedSize)
    throw damaged(file, `${name} is stored, but claims ${size} bytes in ${packedSize}`)
  if (size > packedSize * MAX_DEFLATION + MAX_DEFLATION)
    throw damaged(file, `${name} claims ${size} bytes in ${packedSize}, more than can be packed`)
  return { entry, bytes }
}

/** Sizes of 0xffffffff stand in the 64-bit extra field, in the order of `sizes`. */
function extended(file: SourceFile, sizes: readonly number[], extra: DataView): number[] {
  if (!sizes.includes(0xffff_ffff)) return [...sizes]
  for (let place = 0; place + 4 <= extra.byteLength; place += 4 + extra.getUint16(place + 2, true)) {
    if (extra.getUint16(place, true) !== 1) continue
    let next = place + 4
    return sizes.map((size) => {
      if (size !== 0xffff_ffff) return size
      if (next + 8 > extra.byteLength) throw damaged(file, 'the 64-bit sizes of an entry are missing')
      const long = safe(file, extra.getBigUint64(next, true))
      next += 8
      return long
    })
  }
  throw damaged(file, 'the 64-bit sizes of an entry are missing')
}

/** Entries that share bytes are how small archives grow without bound. */
function requireApart(file: SourceFile, entries: readonly ZipEntry[], directoryOffset: number): void {
  const ordered = entries.toSorted((a, b) => a.offset - b.offset)
  for (const [index, entry] of ordered.entries()) {
    const end = ordered[index + 1]?.offset ?? directoryOffset
    if (entry.offset + 30 + entry.packedSize > end) throw damaged(file, `${entry.name} overlaps what follows it`)
  }
}

function openEntry(file: SourceFile, entry: ZipEntry): SourceFile {
  const local = viewOf(file.read(entry.offset, 30))
  if (local.getUint32(0, true) !== LOCAL_HEADER) throw damaged(file, `${entry.name} is not where its directory says`)
  const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true)
  const name = `${file.name}: ${entry.name}`
  if (entry.method === METHOD.stored) {
    const part = rangeOf(file, name, start, entry.size)
    let crc = 0
    for (let place = 0; place < entry.size; place += CHUNK_BYTES)
      crc = crc32(part.read(place, Math.min(CHUNK_BYTES, entry.size - place)), crc)
    requireSum(file, entry, crc)
    return part
  }
  if (entry.method !== METHOD.deflated) {
    throw new ConvScopeError(
      'unsupported',
      `${name} is packed by method ${entry.method}; stored and deflated ones are read.`,
      {
        remedy: 'Pack the file again.',
      },
    )
  }
  if (entry.size > MAX_INFLATED_BYTES) {
    throw new ConvScopeError(
      'too-large',
      `${name} has ${entry.size} bytes; ${MAX_INFLATED_BYTES} are unpacked at most.`,
      {
        remedy: 'Store it in the archive without compression.',
      },
    )
  }
  return sourceFileOf(name, inflated(file, entry, file.read(start, entry.packedSize)))
}

function inflated(file: SourceFile, entry: ZipEntry, packed: Uint8Array): Uint8Array {
  let bytes: Uint8Array
  try {
    // One more than announced, so that more than that is an error and not cut off.
    bytes = inflateRawSync(packed, { maxOutputLength: entry.size + 1 })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw damaged(file, `${entry.name} cannot be unpacked (${reason})`)
  }
  if (bytes.byteLength !== entry.size)
    throw damaged(file, `${entry.name} claims ${entry.size} bytes and unpacks to ${bytes.byteLength}`)
  requireSum(file, entry, crc32(bytes))
  return bytes
}

function requireSum(file: SourceFile, entry: ZipEntry, crc: number): void {
  if (crc !== entry.crc) throw damaged(file, `the checksum of ${entry.name} is wrong`)
}

/** A part of a file as a file of its own. Closing it leaves the file open. */
export function rangeOf(file: SourceFile, name: string, start: number, size: number): SourceFile {
  return {
    name,
    size,
    path: undefined,
    read: (offset, length) => {
      if (offset < 0 || length < 0 || offset + length > size)
        throw new ConvScopeError('damaged', `${name} ends early, at byte ${size}`, {
          remedy: 'Copy or download the file again.',
        })
      return file.read(start + offset, length)
    },
    close: () => undefined,
  }
}

function safe(file: SourceFile, value: bigint): number {
  if (value > BigInt(file.size) * BigInt(MAX_DEFLATION + 1)) throw damaged(file, `it claims a size of ${value} bytes`)
  return Number(value)
}

function viewOf(bytes: Uint8Array, offset = 0, length = bytes.byteLength - offset): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + offset, length)
}

function damaged(file: SourceFile, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${file.name} cannot be read as an archive: ${reason}.`, {
    remedy: 'Copy or download the file again.',
  })
}
