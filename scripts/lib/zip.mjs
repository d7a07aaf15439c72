import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'

/**
 * A reader for zip files (a wheel is one): stored and deflated entries, zip64, no encryption.
 * Format: PKWARE APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14–16 (its end).
 */

/** @typedef {{ name: string, method: number, compressedSize: number, size: number, offset: number }} ZipEntry */

const endSignature = 0x06054b50
const end64Signature = 0x06064b50
const locator64Signature = 0x07064b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50

async function readAt(file, position, length) {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  if (bytesRead !== length) throw new Error('The zip file is cut short.')
  return buffer
}

async function findDirectory(file) {
  const { size } = await file.stat()
  const tailLength = Math.min(size, 65_557)
  const tail = await readAt(file, size - tailLength, tailLength)
  let at = tail.length - 22
  while (at >= 0 && tail.readUInt32LE(at) !== endSignature) at -= 1
  if (at < 0) throw new Error('This is not a zip file, or it is cut short.')
  const found = {
    count: tail.readUInt16LE(at + 10),
    length: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  }
  const locatorAt = at - 20
  if (locatorAt >= 0 && tail.readUInt32LE(locatorAt) === locator64Signature) {
    const end = await readAt(file, Number(tail.readBigUInt64LE(locatorAt + 8)), 56)
    if (end.readUInt32LE(0) !== end64Signature) throw new Error('The zip file is damaged.')
    return {
      count: Number(end.readBigUInt64LE(32)),
      length: Number(end.readBigUInt64LE(40)),
      offset: Number(end.readBigUInt64LE(48)),
    }
  }
  return found
}

/** Sizes and offset that do not fit 32 bits stand in an extra field, in this order, only those that overflow. */
function widen(entry, extra) {
  let at = 0
  while (at + 4 <= extra.length) {
    const id = extra.readUInt16LE(at)
    const length = extra.readUInt16LE(at + 2)
    if (id === 1) {
      let field = at + 4
      for (const key of ['size', 'compressedSize', 'offset']) {
        if (entry[key] !== 0xffffffff) continue
        entry[key] = Number(extra.readBigUInt64LE(field))
        field += 8
      }
    }
    at += 4 + length
  }
  return entry
}

/** @param {string} path @returns {Promise<ZipEntry[]>} */
export async function listZip(path) {
  const file = await open(path)
  try {
    const directory = await findDirectory(file)
    const bytes = await readAt(file, directory.offset, directory.length)
    const entries = []
    let at = 0
    for (let index = 0; index < directory.count; index += 1) {
      if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== entrySignature)
        throw new Error('The zip file is damaged.')
      const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field))
      const nameEnd = at + 46 + nameLength
      const entry = {
        name: bytes.toString('utf8', at + 46, nameEnd),
        method: bytes.readUInt16LE(at + 10),
        compressedSize: bytes.readUInt32LE(at + 20),
        size: bytes.readUInt32LE(at + 24),
        offset: bytes.readUInt32LE(at + 42),
      }
      entries.push(widen(entry, bytes.subarray(nameEnd, nameEnd + extraLength)))
      at = nameEnd + extraLength + commentLength
    }
    return entries
  } finally {
    await file.close()
  }
}

/**
 * Writes one entry to a file.
 * @param {string} path the zip file
 * @param {ZipEntry} entry
 * @param {string} target
 * @param {{ onBytes?: (written: number) => void, signal?: AbortSignal }} [options]
 * @returns {Promise<{ size: number, sha256: string }>} of what was written
 */
export async function extractEntry(path, entry, target, { onBytes, signal } = {}) {
  const file = await open(path)
  try {
    const header = await readAt(file, entry.offset, 30)
    if (header.readUInt32LE(0) !== localSignature) throw new Error(`The zip file is damaged at ${entry.name}.`)
    const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
    const hash = createHash('sha256')
    let size = 0
    const count = new Transform({
      transform(chunk, _encoding, done) {
        hash.update(chunk)
        size += chunk.length
        onBytes?.(size)
        done(null, chunk)
      },
    })
    if (entry.method !== 0 && entry.method !== 8)
      throw new Error(`${entry.name} is packed in an unknown way (${entry.method}).`)
    const source = file.createReadStream({
      start,
      end: start + entry.compressedSize - 1,
      highWaterMark: 1 << 20,
      autoClose: false,
    })
    const unpack = entry.method === 8 ? [createInflateRaw({ chunkSize: 1 << 20 })] : []
    await pipeline([source, ...unpack, count, createWriteStream(target)], { signal })
    if (size !== entry.size) throw new Error(`${entry.name} has ${size} bytes where ${entry.size} were declared.`)
    return { size, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}
