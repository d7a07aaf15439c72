/** The HDF Group's library, with a file system of its own in which only the files stand that are shown to it. */
import { ready } from 'h5wasm'
import { ConvScopeError } from '../../shared/errors.ts'
import type { SourceFile } from './source-file.ts'

export type Hdf5Library = Awaited<typeof ready>
type FileSystem = Hdf5Library['FS']

let loaded: Promise<Hdf5Library> | undefined

/** The library, made ready once a process. */
export function loadHdf5(): Promise<Hdf5Library> {
  loaded ??= ready.then((library) => {
    silence(library.FS)
    return library
  })
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

const HEAP_HEADER_BYTES = 16

/**
 * Whether it is no global heap collection, or one that the library can walk through: free space of size 0, or a size that wraps around in
 * 32 bits, would keep it in one place for ever (HDF5 file format specification, section III.E).
 */
function isSoundHeap(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < HEAP_HEADER_BYTES || view.getUint32(0, false) !== 0x47434f4c) return true
  const size = view.getBigUint64(8, true)
  let place = HEAP_HEADER_BYTES
  while (place + HEAP_HEADER_BYTES <= Math.min(Number(size), bytes.byteLength)) {
    const index = view.getUint16(place, true)
    const claimed = view.getBigUint64(place + 8, true)
    if (claimed > size || (index === 0 && claimed < BigInt(HEAP_HEADER_BYTES))) return false
    const padded = Math.ceil(Number(claimed) / 8) * 8
    place += index === 0 ? Number(claimed) : HEAP_HEADER_BYTES + padded
  }
  return true
}

/** What the library's file system throws for a place that cannot be read (EIO). */
function ioError(fileSystem: FileSystem): Error {
  const Kind: unknown = Reflect.get(fileSystem, 'ErrnoError')
  return typeof Kind === 'function' ? (Reflect.construct(Kind, [29]) as Error) : new Error('input/output error')
}

/** Makes `path` of the library's own file system read from the source; nothing is copied. */
export function showFile(fileSystem: FileSystem, path: string, source: SourceFile): void {
  fileSystem.writeFile(path, new Uint8Array(0))
  const { node } = fileSystem.lookupPath(path, {})
  const own: unknown = Reflect.get(node, 'stream_ops')
  const read = (_stream: unknown, buffer: Uint8Array, offset: number, length: number, position: number): number => {
    const count = Math.max(Math.min(length, source.size - position), 0)
    if (count === 0) return 0
    const bytes = source.read(position, count)
    if (!isSoundHeap(bytes)) throw ioError(fileSystem)
    buffer.set(bytes, offset)
    return count
  }
  Object.defineProperty(node, 'usedBytes', { get: () => source.size })
  Object.assign(node, { stream_ops: { ...(typeof own === 'object' ? own : {}), read } })
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
  library: Hdf5Library,
  source: SourceFile,
  dataset: { readonly file_id: bigint; readonly path: string },
  { start, count }: Block,
  elementBytes: number,
): Uint8Array {
  const bytes = count.reduce((product, extent) => product * extent, elementBytes)
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

/** The library throws errors of many kinds; each says that the file is not as it should be. */
export function quietly<T>(source: SourceFile, work: () => T): T {
  try {
    return work()
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
