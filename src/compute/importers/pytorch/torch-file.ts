/** What `torch.save` writes: a ZIP archive since version 1.6, before that pickles followed by the storages. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { ByteCursor } from '../../files/byte-cursor.ts'
import { BYTES_OF_TYPE } from '../../files/element-types.ts'
import { beginsWith, describeContents } from '../../files/file-kind.ts'
import { readPickle } from '../../files/pickle.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { isZip, openZip, rangeOf } from '../../files/zip-reader.ts'
import { EXPORT_ONNX, isType, torchGlobals } from './torch-globals.ts'
import { TorchStorage } from './torch-tensor.ts'

/** PROTO 2, LONG1 of ten bytes: the magic number of the old format. */
const LEGACY_START = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
const LEGACY_PROTOCOL = 1001
const EXTENSION = /\.(pth|pt|pkl|pickle|ckpt)$/i

/** By contents; by name only where the contents say nothing. */
export function isTorchFile(file: SourceFile): boolean {
  if (beginsWith(file, LEGACY_START)) return true
  if (isZip(file)) {
    const names = entryNames(file)
    return names === undefined ? EXTENSION.test(file.name) : names.some((name) => /(^|\/)data\.pkl$/.test(name))
  }
  if (!EXTENSION.test(file.name)) return false
  return ['a Python pickle', 'text', 'a file of an unknown kind'].includes(describeContents(file))
}

/**
 * The object in the file; its storages stay there.
 * @throws ConvScopeError 'damaged' or 'unsupported' that names the reason
 */
export function readTorchFile(file: SourceFile): unknown {
  if (isZip(file)) return readArchive(file)
  if (beginsWith(file, LEGACY_START)) return readLegacy(file)
  // A bare pickle is refused by the names in it, or for having no tensors.
  return readPickle(new ByteCursor(file), { source: file.name, global: torchGlobals(file.name) })
}

/** Names in the archive; undefined where it is broken. */
function entryNames(file: SourceFile): string[] | undefined {
  try {
    return [...openZip(file).entries.keys()]
  } catch (error) {
    if (error instanceof ConvScopeError) return undefined
    throw error
  }
}

function readArchive(file: SourceFile): unknown {
  const archive = openZip(file)
  const pickle = [...archive.entries.keys()].find((name) => /(^|\/)data\.pkl$/.test(name))
  if (pickle === undefined) throw damaged(file, 'it has no data.pkl')
  const folder = pickle.slice(0, -'data.pkl'.length)
  if (archive.entries.has(`${folder}constants.pkl`)) {
    throw new ConvScopeError('unsupported', `${file.name} is a TorchScript program, not weights.`, {
      remedy: `Save the weights alone, torch.save(model.state_dict(), "weights.pth"). ${EXPORT_ONNX}`,
    })
  }
  const order = `${folder}byteorder`
  if (archive.entries.has(order)) {
    const bytes = archive.open(order)
    if (bytes.size > 16 || new TextDecoder().decode(bytes.read(0, bytes.size)).trim() !== 'little') {
      throw new ConvScopeError('unsupported', `${file.name} was written on a big-endian machine.`, {
        remedy: 'Save it again on a machine of today.',
      })
    }
  }
  const persistent = storages(file, (key, count, width) => {
    const name = `${folder}data/${key}`
    const entry = archive.entries.get(name)
    if (entry === undefined) throw damaged(file, `the storage ${key} is missing`)
    if (entry.size < count * width)
      throw damaged(file, `the storage ${key} has ${entry.size} bytes and claims ${count * width}`)
    return () => archive.open(name)
  })
  return readPickle(new ByteCursor(archive.open(pickle)), {
    source: file.name,
    global: torchGlobals(file.name),
    persistent,
  })
}

/** Five pickles (magic number, protocol, system, object, keys of the storages), then each storage with its length before it. */
function readLegacy(file: SourceFile): unknown {
  const cursor = new ByteCursor(file)
  const global = torchGlobals(file.name)
  const next = () => readPickle(cursor, { source: file.name, global })
  next()
  if (next() !== LEGACY_PROTOCOL) throw damaged(file, 'its protocol is unknown')
  const system = next()
  if (system instanceof Map && system.get('little_endian') === false) {
    throw new ConvScopeError('unsupported', `${file.name} was written on a big-endian machine.`, {
      remedy: 'Save it again on a machine of today.',
    })
  }
  const places = new Map<string, { readonly start: number; readonly size: number }>()
  const widths = new Map<string, number>()
  const persistent = storages(file, (key, count, width) => {
    widths.set(key, width)
    return () => {
      const place = places.get(key)
      if (place === undefined) throw damaged(file, `the storage ${key} is missing`)
      if (place.size < count * width)
        throw damaged(file, `the storage ${key} has ${place.size} bytes and claims ${count * width}`)
      return rangeOf(file, `${file.name}: storage ${key}`, place.start, place.size)
    }
  })
  const object = readPickle(cursor, { source: file.name, global, persistent })
  const keys = next()
  if (!Array.isArray(keys)) throw damaged(file, 'the list of its storages is missing')
  let start = cursor.place
  for (const key of keys) {
    const count = lengthAt(file, start)
    const size = count * (widths.get(String(key)) ?? 1)
    places.set(String(key), { start: start + 8, size })
    start += 8 + size
    if (start > file.size) throw damaged(file, `it ends early: the storage ${String(key)} claims ${size} bytes`)
  }
  return object
}

function lengthAt(file: SourceFile, start: number): number {
  const bytes = file.read(start, 8)
  const count = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true)
  if (count < 0n || count > BigInt(file.size)) throw damaged(file, `a storage claims ${count} values`)
  return Number(count)
}

/** `('storage', type, key, location, count)`, once for each key. */
function storages(
  file: SourceFile,
  place: (key: string, count: number, width: number) => () => SourceFile,
): (id: unknown) => TorchStorage {
  const known = new Map<string, TorchStorage>()
  return (id) => {
    const [kind, type, key, , count] = Array.isArray(id) ? id : []
    if (kind !== 'storage' || !isType(type) || typeof key !== 'string' || !Number.isSafeInteger(count) || !(count >= 0))
      throw damaged(file, 'it refers to something other than a storage')
    if (type.element === undefined && type.untyped !== true)
      throw damaged(file, `a storage is of the type ${type.name}`)
    const found = known.get(key)
    if (found !== undefined) return found
    const storage = new TorchStorage(
      type.element,
      count,
      place(key, count, type.element ? BYTES_OF_TYPE[type.element] : 1),
    )
    known.set(key, storage)
    return storage
  }
}

function damaged(file: SourceFile, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${file.name} cannot be read: ${reason}.`, {
    remedy: 'Copy, download or save the file again.',
  })
}
