/** A `.zip` archive without compression: what goes in is compressed already or floats. Written piece by piece. */
import { crc32 } from 'node:zlib'
import { ConvScopeError } from '../../shared/errors.ts'

export interface ZipEntry {
  /** Path inside the archive, with slashes. */
  readonly name: string
  /** Called when its turn has come; undefined leaves it out. */
  read(): Promise<Uint8Array | undefined>
}

const LIMIT = 0xffffffff
const VERSION = 20
/** Bit 11: names are UTF-8. */
const FLAGS = 0x0800
/** 1980-01-01, the format's first day: an archive's bytes depend on nothing but its contents. */
const DATE = 0x0021

/**
 * The archive's bytes in pieces (PKWARE APPNOTE 4.3: local headers and data, central directory, its end).
 * @throws ConvScopeError 'too-large' from 4 GiB on, or with more than 65,535 entries
 */
export async function* zipArchive(entries: readonly ZipEntry[]): AsyncGenerator<Uint8Array, void, void> {
  if (entries.length > 0xffff) throw tooLarge()
  const directory: Uint8Array[] = []
  let offset = 0
  let count = 0
  for (const { name, read } of entries) {
    const bytes = await read()
    if (bytes === undefined) continue
    count++
    const title = new TextEncoder().encode(name)
    const common = commonFields(crc32(bytes), bytes.length, title.length)
    const local = record(0x04034b50, 30, (view) => view.set(common, 4))
    const central = record(0x02014b50, 46, (view, fields) => {
      fields.setUint16(4, VERSION, true)
      view.set(common, 6)
      fields.setUint32(42, offset, true)
    })
    directory.push(central, title)
    offset += local.length + title.length + bytes.length
    if (offset > LIMIT) throw tooLarge()
    yield local
    yield title
    yield bytes
  }
  const directoryBytes = directory.reduce((sum, { length }) => sum + length, 0)
  if (offset + directoryBytes > LIMIT) throw tooLarge()
  yield* directory
  yield record(0x06054b50, 22, (_, fields) => {
    fields.setUint16(8, count, true)
    fields.setUint16(10, count, true)
    fields.setUint32(12, directoryBytes, true)
    fields.setUint32(16, offset, true)
  })
}

/** Version needed … extra length: the 26 bytes that both headers of an entry share. */
function commonFields(checksum: number, size: number, nameLength: number): Uint8Array {
  const bytes = new Uint8Array(26)
  const fields = new DataView(bytes.buffer)
  fields.setUint16(0, VERSION, true)
  fields.setUint16(2, FLAGS, true)
  fields.setUint16(8, DATE, true)
  fields.setUint32(10, checksum, true)
  fields.setUint32(14, size, true)
  fields.setUint32(18, size, true)
  fields.setUint16(22, nameLength, true)
  return bytes
}

function record(signature: number, length: number, fill: (bytes: Uint8Array, fields: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length)
  const fields = new DataView(bytes.buffer)
  fields.setUint32(0, signature, true)
  fill(bytes, fields)
  return bytes
}

function tooLarge(): ConvScopeError {
  return new ConvScopeError('too-large', 'The run is too large for one .zip file of 4 GiB', {
    remedy: 'Export it with `convscope runs show ID --out FOLDER`.',
  })
}
