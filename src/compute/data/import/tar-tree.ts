/**
 * Tar archives, also gzipped. They can only be read from the beginning: the contents of their files are put one after the other
 * into one temporary file, where each can be read then.
 */
import { createReadStream } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { ConvScopeError } from '../../../shared/errors.ts'
import { openSourceFile, type SourceFile } from '../../files/source-file.ts'
import { rangeOf } from '../../files/zip-reader.ts'
import type { TreeFile } from './dataset-source.ts'
import { isWanted, type ImportSource, type OpenTree, type TreeOptions } from './file-tree.ts'

const BLOCK_BYTES = 512
const MAGIC_PLACE = 257
const MAXIMUM_ENTRIES = 1_000_000
/** How many times its size an archive may grow to: pictures hardly shrink. */
const MAXIMUM_GROWTH = 200
const BASE_LIMIT_BYTES = 64 * 2 ** 20

/** Whether a file is a tar archive, or one that was gzipped, by its contents. */
export function isTar(file: SourceFile): boolean {
  const head = file.read(0, Math.min(file.size, 4 * BLOCK_BYTES))
  const block = isGzip(head) ? startOfGzip(head) : head
  const magic = String.fromCharCode(...block.subarray(MAGIC_PLACE, MAGIC_PLACE + 5))
  return block.length >= BLOCK_BYTES && (magic === 'ustar' || hasChecksum(block))
}

/** @throws ConvScopeError 'damaged' or 'too-large' that names the archive */
export async function openTar(file: SourceFile, source: ImportSource, options: TreeOptions): Promise<OpenTree> {
  const place = join(options.scratchFolder, `${randomUUID()}.unpacked`)
  const spool = await open(place, 'wx')
  try {
    const entries = await unpack(file, source, spool, options).finally(() => spool.close())
    const unpacked = openSourceFile(place, source.name)
    return {
      title: source.name,
      folder: undefined,
      files: entries.map(({ path, offset, size }) => ({
        path,
        size,
        open: () => rangeOf(unpacked, `${source.name}: ${path}`, offset, size),
      })),
      close: async () => {
        unpacked.close()
        await rm(place, { force: true })
      },
    }
  } catch (error) {
    await rm(place, { force: true })
    throw error
  }
}

type Entry = Pick<TreeFile, 'path' | 'size'> & { readonly offset: number }

async function unpack(
  file: SourceFile,
  { name, path }: ImportSource,
  spool: FileHandle,
  { progress }: TreeOptions,
): Promise<Entry[]> {
  const entries: Entry[] = []
  let end = 0
  let packed = 0
  const isZipped = isGzip(file.read(0, 2))
  const limit = isZipped ? BASE_LIMIT_BYTES + MAXIMUM_GROWTH * file.size : file.size
  const keep = async (entry: AsyncIterable<unknown>, entryPath: string): Promise<void> => {
    const offset = end
    for await (const chunk of entry) {
      if (!(chunk instanceof Uint8Array)) continue
      if (end + chunk.length > limit) throw grows(name, file.size, limit)
      await spool.write(chunk, 0, chunk.length, end)
      end += chunk.length
      progress(packed, Math.max(1, file.size), 'bytes')
    }
    if (entries.length >= MAXIMUM_ENTRIES) throw grows(name, file.size, limit)
    entries.push({ path: entryPath, offset, size: end - offset })
  }
  const archive = extract()
  archive.on('entry', (header, entry, next) => {
    const entryPath = header.name.replace(/^(\.\/)+/, '')
    if (header.type === 'file' && isWanted(entryPath)) keep(entry, entryPath).then(() => next(), next)
    else {
      entry.on('end', () => next())
      entry.resume()
    }
  })
  const counted = new Transform({
    transform: (chunk: Buffer, _, done) => {
      packed += chunk.length
      done(null, chunk)
    },
  })
  try {
    const input = createReadStream(path, { highWaterMark: 1 << 20 })
    await (isZipped ? pipeline(input, counted, createGunzip(), archive) : pipeline(input, counted, archive))
  } catch (error) {
    if (error instanceof ConvScopeError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    const after = entries.at(-1)
    throw new ConvScopeError(
      'damaged',
      `${name} cannot be unpacked: ${reason}, ${after ? `after its file ${after.path}` : 'at its first file'}`,
      { remedy: 'Copy or download the archive again.', cause: error },
    )
  }
  return entries
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}

function startOfGzip(head: Uint8Array): Uint8Array {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 4 * 2 ** 20 })
  } catch {
    return new Uint8Array()
  }
}

/** Archives of before 1988 have no magic word; the sum of the first block's bytes stands in it. */
function hasChecksum(block: Uint8Array): boolean {
  const stated = parseInt(String.fromCharCode(...block.subarray(148, 156)).replace(/[^0-7].*$/s, ''), 8)
  let sum = 8 * 0x20
  for (let place = 0; place < BLOCK_BYTES; place++) if (place < 148 || place >= 156) sum += block[place] ?? 0
  return stated === sum && (block[0] ?? 0) !== 0
}

function grows(name: string, size: number, limit: number): ConvScopeError {
  return new ConvScopeError('too-large', `${name} unpacks from ${size} to more than ${limit} bytes`, {
    remedy: 'Unpack it yourself, look whether it is what it should be, and choose the folder.',
  })
}
