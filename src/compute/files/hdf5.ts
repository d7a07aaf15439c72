/**
 * HDF5 files through the HDF Group's library as WebAssembly. The library sees a file system in which there is nothing but this one file,
 * read piece by piece: links to other files and data kept in other files lead nowhere, and are refused by name.
 */
import { Dataset, File, Group, Reference, type Metadata } from 'h5wasm'
import { ConvScopeError } from '../../shared/errors.ts'
import { sizeOf } from '../../shared/size-of.ts'
import { beginsWith } from './file-kind.ts'
import {
  damaged,
  loadHdf5,
  quietly,
  readAttribute,
  readBlock,
  showFile,
  type AttributeValue,
  type Block,
} from './hdf5-library.ts'
import type { SourceFile } from './source-file.ts'

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
/** Where a signature may stand when a user block precedes it: 0, 512, 1024 … */
const FIRST_USER_BLOCK = 512
const LAST_USER_BLOCK = 2 ** 16
/** Read at once; the library's memory never shrinks. */
const SLICE_BYTES = 32 * 2 ** 20
const MAX_DATASET_BYTES = 2 ** 33
/** Deflate makes data at most so many times smaller. */
const MAX_DEFLATION = 1032
/** The library holds a chunk as it is stored and unpacked, and makes the place that it is unpacked to larger by copying. */
const COPIES_OF_A_CHUNK = 4
const MAX_RANK = 8
/** Classes of types in the format itself (H5T_class_t). */
const TYPE = { integer: 0, float: 1, reference: 7 } as const

export type Hdf5Numbers =
  Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array

/** Whether it begins like an HDF5 file, perhaps after a user block (MATLAB 7.3). */
export function isHdf5(file: SourceFile): boolean {
  for (let offset = 0; offset <= LAST_USER_BLOCK; offset = offset === 0 ? FIRST_USER_BLOCK : offset * 2)
    if (beginsWith(file, SIGNATURE, offset)) return true
  return false
}

export class Hdf5File {
  readonly #source: SourceFile
  readonly #file: File
  readonly #forget: () => void
  /** Looked up already, by path. */
  readonly #found = new Map<string, unknown>()

  private constructor(source: SourceFile, file: File, forget: () => void) {
    this.#source = source
    this.#file = file
    this.#forget = forget
  }

  /**
   * The file, to be closed by the caller.
   * @throws ConvScopeError 'damaged' where it is no HDF5 file, or a part of one
   */
  static async open(source: SourceFile): Promise<Hdf5File> {
    await loadHdf5()
    return Hdf5File.#open(source)
  }

  /**
   * Reads values later than the rest, without a file that somebody has to close: it is closed by itself when the program comes to rest.
   * @throws RangeError before the first `open` of the process
   */
  static use<T>(source: SourceFile, work: (file: Hdf5File) => T): T {
    if (lingering?.source !== source) {
      lingering?.file.close()
      lingering = { source, file: Hdf5File.#open(source) }
      setImmediate(() => {
        lingering?.file.close()
        lingering = undefined
      })
    }
    return work(lingering.file)
  }

  static #open(source: SourceFile): Hdf5File {
    if (!isHdf5(source)) throw damaged(source, 'it does not begin like an HDF5 file')
    const path = `/file-${++opened}`
    const forget = showFile(path, source)
    try {
      // The library tells by an id of -1 that it cannot open a file, and goes on.
      const file = quietly(source, () => new File(path, 'r'))
      if (file.file_id < 0n) throw damaged(source, 'its structure is broken or it ends early')
      return new Hdf5File(source, file, forget)
    } catch (error) {
      forget()
      throw error
    }
  }

  close(): void {
    quietly(this.#source, () => this.#file.close())
    this.#forget()
  }

  /** Names in a group, in the library's order; empty where there is no such group. */
  keys(path: string): readonly string[] {
    const found = this.#get(path)
    return found instanceof Group ? quietly(this.#source, () => found.keys()) : []
  }

  kind(path: string): 'group' | 'dataset' | 'absent' {
    const found = this.#get(path)
    if (found instanceof Group) return 'group'
    return found instanceof Dataset ? 'dataset' : 'absent'
  }

  /** The text of an attribute; undefined where there is none of that name. */
  text(path: string, attribute: string): string | undefined {
    const value = this.#attribute(path, attribute)
    if (value === undefined) return undefined
    if (typeof value === 'string') return value
    if (value instanceof Uint8Array) return new TextDecoder().decode(value)
    throw damaged(this.#source, `the attribute ${attribute} of ${path} is not text`)
  }

  /** The texts of an attribute that is a list of them; undefined where there is none of that name. */
  texts(path: string, attribute: string): readonly string[] | undefined {
    const value = this.#attribute(path, attribute)
    if (value === undefined) return undefined
    if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value
    // NumPy writes an empty list as float64.
    if (ArrayBuffer.isView(value) && value.byteLength === 0) return []
    throw damaged(this.#source, `the attribute ${attribute} of ${path} is not a list of texts`)
  }

  /** Sizes of a dataset. @throws ConvScopeError 'damaged' where there is none */
  shape(path: string): readonly number[] {
    return this.#dataset(path).shape
  }

  /**
   * The values of a dataset, read anew at every call.
   * @throws ConvScopeError 'damaged', 'too-large' or 'unsupported' that names file and dataset
   */
  numbers(path: string): Hdf5Numbers {
    const { dataset, metadata, shape } = this.#dataset(path)
    const isNumber = metadata.type === TYPE.integer || metadata.type === TYPE.float
    if (!isNumber || !(metadata.littleEndian || metadata.size === 1) || ![1, 2, 4, 8].includes(metadata.size))
      throw this.#unsupported(path, 'its values are not little-endian integers or floats')
    if (metadata.size === 8 && metadata.type === TYPE.integer) throw this.#unsupported(path, 'it has 64-bit integers')
    if (metadata.size === 2 && metadata.type === TYPE.float) throw this.#unsupported(path, 'it has 16-bit floats')
    return this.#sliced(path, dataset, metadata, shape)
  }

  /** `numbers` as float32. */
  floats(path: string): Float32Array {
    const values = this.numbers(path)
    return values instanceof Float32Array ? values : Float32Array.from(values)
  }

  /** Paths of what a dataset of references points to, in its order. */
  references(path: string): readonly string[] {
    const { dataset, metadata, shape } = this.#dataset(path)
    if (metadata.type !== TYPE.reference || metadata.ref_type !== 'object')
      throw damaged(this.#source, `${path} is not made of references`)
    this.#requireRoom(path, metadata)
    const bytes = this.#read(dataset, metadata, { start: shape.map(() => 0), count: shape })
    return quietly(this.#source, () =>
      Array.from({ length: bytes.length / metadata.size }, (_, index) => {
        const reference = new Reference(bytes.slice(index * metadata.size, (index + 1) * metadata.size))
        const target = dataset.dereference(reference)
        if (target instanceof Dataset || target instanceof Group) return target.path
        throw damaged(this.#source, `a reference in ${path} leads nowhere`)
      }),
    )
  }

  #get(path: string): unknown {
    const parts = path.split('/').filter((name) => name !== '')
    return parts.length === 0 ? this.#file : this.#member(parts)
  }

  #member(parts: readonly string[]): unknown {
    const place = `/${parts.join('/')}`
    if (this.#found.has(place)) return this.#found.get(place)
    const parent = this.#get(parts.slice(0, -1).join('/'))
    const found: unknown = parent instanceof Group ? quietly(this.#source, () => parent.get(place)) : undefined
    if (isLinkOutside(found)) {
      const message = `${this.#source.name} links to another file at ${place}, which is not followed.`
      throw new ConvScopeError('unsupported', message, { remedy: 'Save the network into one file.' })
    }
    this.#found.set(place, found)
    return found
  }

  #dataset(path: string): { dataset: Dataset; metadata: Metadata; shape: readonly number[] } {
    const dataset = this.#get(path)
    if (!(dataset instanceof Dataset)) throw damaged(this.#source, `it has no values at ${path}`)
    const metadata = quietly(this.#source, () => dataset.metadata)
    const { shape } = metadata
    if (
      shape === null ||
      shape.length > MAX_RANK ||
      !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)
    )
      throw damaged(this.#source, `${path} has no usable shape`)
    if ((metadata.virtual_sources ?? []).length > 0)
      throw this.#unsupported(path, 'it is put together from other datasets')
    return { dataset, metadata, shape }
  }

  /** What the file claims must be able to lie in it: checked before anything is made for it. @returns bytes of the dataset */
  #requireRoom(path: string, { shape, chunks, size }: Metadata): number {
    const bytes = size * sizeOf(shape ?? [])
    const possible = this.#source.size * (chunks === null ? 1 : MAX_DEFLATION)
    const claimed = Math.max(bytes, chunkBytesOf({ chunks, size }))
    if (claimed > possible)
      throw damaged(
        this.#source,
        `${path} claims ${claimed} bytes, more than the file of ${this.#source.size} bytes can hold`,
      )
    if (bytes > MAX_DATASET_BYTES) {
      const message = `${path} in ${this.#source.name} has ${bytes} bytes; ${MAX_DATASET_BYTES} are read at most.`
      throw new ConvScopeError('too-large', message, { remedy: 'Save the network with smaller layers.' })
    }
    return bytes
  }

  #sliced(path: string, dataset: Dataset, metadata: Metadata, shape: readonly number[]): Hdf5Numbers {
    const bytes = this.#requireRoom(path, metadata)
    const whole = numbersOf(metadata, bytes / metadata.size)
    const [rows = 1, ...inner] = shape
    const rowBytes = bytes / Math.max(rows, 1)
    const step = Math.max(1, Math.floor(SLICE_BYTES / Math.max(rowBytes, 1)))
    const to = new Uint8Array(whole.buffer)
    for (let first = 0; first < rows && bytes > 0; first += step) {
      const block =
        shape.length === 0
          ? { start: [], count: [] }
          : { start: [first, ...inner.map(() => 0)], count: [Math.min(step, rows - first), ...inner] }
      to.set(this.#read(dataset, metadata, block), first * rowBytes)
    }
    return whole
  }

  #read(dataset: Dataset, metadata: Metadata, block: Block): Uint8Array {
    const read = (): Uint8Array => readBlock(this.#source, dataset, block, metadata.size)
    const bytes = metadata.size * sizeOf(block.count)
    return quietly(this.#source, read, bytes + COPIES_OF_A_CHUNK * chunkBytesOf(metadata))
  }

  #attribute(path: string, name: string): AttributeValue | undefined {
    const owner = this.#get(path)
    if (!(owner instanceof Group || owner instanceof Dataset)) return undefined
    return quietly(this.#source, () => readAttribute(this.#source, owner, name))
  }

  #unsupported(path: string, reason: string): ConvScopeError {
    return new ConvScopeError('unsupported', `${path} in ${this.#source.name} cannot be read: ${reason}.`, {
      remedy: 'Save the network with float32 weights in one file.',
    })
  }
}

let opened = 0
let lingering: { readonly source: SourceFile; readonly file: Hdf5File } | undefined

function isLinkOutside(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'ExternalLink'
}

/** Bytes of one chunk, unpacked; 0 where values lie in one piece. */
function chunkBytesOf({ chunks, size }: Pick<Metadata, 'chunks' | 'size'>): number {
  return chunks === null ? 0 : size * sizeOf(chunks)
}

/** An array of the elements' type, all 0. */
function numbersOf({ type, size, signed }: Metadata, length: number): Hdf5Numbers {
  if (type === TYPE.float) return size === 8 ? new Float64Array(length) : new Float32Array(length)
  if (size === 4) return signed ? new Int32Array(length) : new Uint32Array(length)
  if (size === 2) return signed ? new Int16Array(length) : new Uint16Array(length)
  return signed ? new Int8Array(length) : new Uint8Array(length)
}
