/** The HDF Group's library, with a file system of its own in which only the files stand that are shown to it. */
import { ready } from 'h5wasm'
import { ConvScopeError } from '../../shared/errors.ts'
import { sizeOf } from '../../shared/size-of.ts'
import { Hdf5Memory } from './hdf5-memory.ts'
import type { SourceFile } from './source-file.ts'

export type Hdf5Library = Awaited<typeof ready>
type FileSystem = Hdf5Library['FS']

const MAX_ATTRIBUTE_BYTES = 64 * 2 ** 20
/** The class of texts among the types of the format (H5T_class_t), and their coding (H5T_cset_t). */
const TEXT = 3
const UTF_8 = 1

interface Loaded {
  readonly library: Hdf5Library
  readonly memory: Hdf5Memory
}

let loading: Promise<Loaded> | undefined
let loaded: Loaded | undefined

/** Makes the library ready, once a process. */
export async function loadHdf5(): Promise<void> {
  loading ??= ready.then((library) => {
    silence(library.FS)
    return { library, memory: new Hdf5Memory(library) }
  })
  loaded = await loading
}

/** @throws RangeError before `loadHdf5` */
function hdf5(): Loaded {
  if (loaded === undefined) throw new RangeError('the HDF5 library is not loaded')
  return loaded
}

/** The library writes a trace of every error to its standard error; the errors that are thrown say enough. */
function silence(fileSystem: FileSystem): void {
  const streams: unknown = Reflect.get(fileSystem, 'streams')
  const standardError: unknown = Array.isArray(streams) ? streams[2] : undefined
  if (typeof standardError !== 'object' || standardError === null) return
  const own: unknown = Reflect.get(standardError, 'stream_ops')
  const write = (_stream: unknown, _buffer: unknown, _offset: number, length: number): number => length
  Object.assign(standardError, { stream_ops: { ...(typeof own === 'object' ? own : {}), write } })
}

/** How a global heap collection begins: its signature, and its version. */
const HEAP_START = new TextEncoder().encode('GCOL\u0001')
const HEAP_HEADER_BYTES = 16
const MIN_HEAP_BYTES = 4096

/**
 * Whether the global heap collection at a place of a file is one that the library can walk through, or refuses by itself: free space of size 0,
 * or a size that wraps around in 32 bits, would keep it in one place for ever (HDF5 file format specification, section III.E).
 */
function isSoundHeap(source: SourceFile, start: number): boolean {
  if (source.size - start < MIN_HEAP_BYTES) return true
  const header = source.read(start, HEAP_HEADER_BYTES)
  const size = new DataView(header.buffer, header.byteOffset).getBigUint64(8, true)
  if (size < MIN_HEAP_BYTES || size > source.size - start) return true
  const bytes = source.read(start, Number(size))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let place = HEAP_HEADER_BYTES
  while (place + HEAP_HEADER_BYTES <= bytes.byteLength) {
    const index = view.getUint16(place, true)
    const claimed = view.getBigUint64(place + 8, true)
    if (claimed > size || (index === 0 && claimed < BigInt(HEAP_HEADER_BYTES))) return false
    const padded = Math.ceil(Number(claimed) / 8) * 8
    place += index === 0 ? Number(claimed) : HEAP_HEADER_BYTES + padded
  }
  return true
}

/**
 * Bytes of a file; undefined where a heap collection that begins in them, or just before them, is not sound. The library reads in pieces as they
 * suit it: the rest of a collection is not always read together with its beginning.
 */
function soundBytes(source: SourceFile, position: number, count: number): Uint8Array | undefined {
  const first = Math.max(position - HEAP_START.length + 1, 0)
  const last = Math.min(position + count + HEAP_START.length - 1, source.size)
  const { buffer, byteOffset, byteLength } = source.read(first, last - first)
  const around = Buffer.from(buffer, byteOffset, byteLength)
  for (let place = around.indexOf(HEAP_START); place >= 0; place = around.indexOf(HEAP_START, place + 1))
    if (!isSoundHeap(source, first + place)) return undefined
  return around.subarray(position - first, position - first + count)
}

/** What the library's file system throws for a place that cannot be read (EIO). */
function ioError(fileSystem: FileSystem): Error {
  const Kind: unknown = Reflect.get(fileSystem, 'ErrnoError')
  return typeof Kind === 'function' ? (Reflect.construct(Kind, [29]) as Error) : new Error('input/output error')
}

/**
 * Makes `path` of the library's own file system read from the source; nothing is copied.
 * @returns what takes the file away again
 */
export function showFile(path: string, source: SourceFile): () => void {
  const { FS: fileSystem } = hdf5().library
  fileSystem.writeFile(path, new Uint8Array(0))
  const { node } = fileSystem.lookupPath(path, {})
  const own: unknown = Reflect.get(node, 'stream_ops')
  const read = (_stream: unknown, buffer: Uint8Array, offset: number, length: number, position: number): number => {
    const count = Math.max(Math.min(length, source.size - position), 0)
    if (count === 0) return 0
    const bytes = soundBytes(source, position, count)
    if (bytes === undefined) throw ioError(fileSystem)
    buffer.set(bytes, offset)
    return count
  }
  Object.defineProperty(node, 'usedBytes', { get: () => source.size })
  Object.assign(node, { stream_ops: { ...(typeof own === 'object' ? own : {}), read } })
  return () => fileSystem.unlink(path)
}

/** A block of a dataset: along every axis, `count` elements from `start`; no axes for a single value. */
export interface Block {
  readonly start: readonly number[]
  readonly count: readonly number[]
}

/**
 * The bytes of a block. Asked of the library itself: its own classes give whatever was in memory where a read fails.
 * @throws ConvScopeError 'damaged' where the block cannot be read, as where it lies in another file
 */
export function readBlock(
  source: SourceFile,
  dataset: { readonly file_id: bigint; readonly path: string },
  { start, count }: Block,
  elementBytes: number,
): Uint8Array {
  const { library } = hdf5()
  const bytes = elementBytes * sizeOf(count)
  if (bytes === 0) return new Uint8Array(0)
  const place = library._malloc(bytes)
  if (place === 0) throw damaged(source, `there is no memory for the ${bytes} bytes of ${dataset.path}`)
  try {
    const axes = (values: readonly number[]): bigint[] | null => (count.length === 0 ? null : values.map(BigInt))
    const strides = axes(count.map(() => 1))
    const { file_id, path } = dataset
    const status = library.get_dataset_data(file_id, path, axes(count), axes(start), strides, BigInt(place))
    if (status < 0) throw damaged(source, `the values of ${path} cannot be read, or lie in another file`)
    return library.HEAPU8.slice(place, place + bytes)
  } finally {
    library._free(place)
  }
}

/** A text, texts, or bytes. */
export type AttributeValue = string | readonly string[] | Uint8Array

/**
 * What is in an attribute; undefined where there is none of that name.
 * Asked of the library itself: its own classes take whatever was in memory for addresses of texts where a read fails.
 * @throws ConvScopeError 'damaged' where it is no text or cannot be read
 */
export function readAttribute(
  source: SourceFile,
  owner: { readonly file_id: bigint; readonly path: string },
  name: string,
): AttributeValue | undefined {
  const { library } = hdf5()
  const { file_id, path } = owner
  if (!library.get_attribute_names(file_id, path).includes(name)) return undefined
  const { type, vlen, size, total_size, shape, cset } = library.get_attribute_metadata(file_id, path, name)
  const bytes = shape === null ? 0 : size * total_size
  if (bytes > Math.min(MAX_ATTRIBUTE_BYTES, source.size))
    throw damaged(source, `the attribute ${name} of ${path} claims ${bytes} bytes`)
  if (bytes === 0) return new Uint8Array(0)
  const place = library._malloc(bytes)
  if (place === 0) throw damaged(source, `there is no memory for the attribute ${name} of ${path}`)
  try {
    library.HEAPU8.fill(0, place, place + bytes)
    const status = library.get_attribute_data(file_id, path, name, BigInt(place))
    if (status < 0) throw damaged(source, `the attribute ${name} of ${path} cannot be read`)
    const value = library.HEAPU8.slice(place, place + bytes)
    if (type !== TEXT && size > 1) throw damaged(source, `the attribute ${name} of ${path} is not text`)
    if (type !== TEXT) return value
    const decoder = new TextDecoder(cset === UTF_8 ? 'utf-8' : 'latin1')
    const texts = Array.from({ length: total_size }, (_, index) => {
      const own = vlen
        ? textAt(library, new Uint32Array(value.buffer)[index] ?? 0)
        : value.subarray(index * size, (index + 1) * size)
      const end = own.indexOf(0)
      return decoder.decode(end < 0 ? own : own.subarray(0, end))
    })
    return shape?.length === 0 ? (texts[0] ?? '') : texts
  } finally {
    if (vlen) library.reclaim_vlen_memory(file_id, path, name, BigInt(place))
    library._free(place)
  }
}

/** The bytes of the library's memory up to the 0 at the end of a text; none for the address 0. */
function textAt({ HEAPU8 }: Hdf5Library, address: number): Uint8Array {
  return address === 0 ? new Uint8Array(0) : HEAPU8.subarray(address, HEAPU8.indexOf(0, address))
}

/**
 * The library throws errors of many kinds; each says that the file is not as it should be.
 * @param extraBytes memory that the work needs besides what is usual
 * @throws ConvScopeError 'damaged', or 'too-large' where the work wants more memory than is given
 */
export function quietly<T>(source: SourceFile, work: () => T, extraBytes = 0): T {
  const { memory } = hdf5()
  try {
    return memory.hold(extraBytes, work, (bytes) => {
      const message = `${source.name} cannot be read: that would take the HDF5 library more than ${bytes} bytes of memory.`
      return new ConvScopeError('too-large', message, {
        remedy: 'Copy or download the file again; if it is whole, save the network in smaller chunks, or in one piece.',
      })
    })
  } catch (error) {
    if (error instanceof ConvScopeError) throw error
    throw damaged(source, `the HDF5 library says: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** An error about the file, with the reason. */
export function damaged(source: SourceFile, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${source.name} cannot be read: ${reason}.`, {
    remedy: 'Copy, download or save the file again.',
  })
}
