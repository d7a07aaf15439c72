/**
 * How much memory the HDF5 library may take. A length in a damaged file is believed by the library: it takes that much memory, and fills it
 * with zeros, before it finds that the file has nothing of the kind (in HDF5 2.0, texts of variable length in H5T__conv_vlen). Its memory
 * is therefore held within a bound, and the library answers a lack of memory with an error.
 */
import type { Hdf5Library } from './hdf5-library.ts'

/** For everything but large chunks: the slice that is read, an attribute in the file's and in the machine's form, the tables of groups. */
const USUAL_BYTES = 256 * 2 ** 20

/** What is used of WebAssembly.Memory: Node's types have nothing of it. */
interface WasmMemory {
  readonly buffer: ArrayBufferLike
  grow(pages: number): number
}
declare const WebAssembly: { readonly Memory: { readonly prototype: WasmMemory } }

const PAGE_BYTES = 65_536

export class Hdf5Memory {
  #allowedBytes = USUAL_BYTES
  #isRefused = false

  /** @throws Error where the library cannot be held */
  constructor(library: Hdf5Library) {
    const memory = memoryOf(library)
    const grow = memory.grow.bind(memory)
    const within = (pages: number): number => {
      this.#isRefused = memory.buffer.byteLength + pages * PAGE_BYTES > this.#allowedBytes
      if (this.#isRefused) throw new RangeError('the HDF5 library takes too much memory')
      return grow(pages)
    }
    Object.defineProperty(memory, 'grow', { value: within })
  }

  /**
   * Does work that needs `extraBytes` besides what is usual; what was taken before stays allowed.
   * @param refused makes the error for work that went over its bound
   * @throws what `refused` gives, or what the work throws within its bound
   */
  hold<T>(extraBytes: number, work: () => T, refused: (allowedBytes: number) => Error): T {
    const allowedBytes = USUAL_BYTES + extraBytes
    this.#allowedBytes = allowedBytes
    this.#isRefused = false
    try {
      const result = work()
      // Some functions of the library give nothing, or what they have, where memory is lacking.
      if (this.#isRefused) throw refused(allowedBytes)
      return result
    } catch (error) {
      throw this.#isRefused ? refused(allowedBytes) : error
    } finally {
      this.#allowedBytes = USUAL_BYTES
    }
  }
}

/** The library keeps its memory to itself, but not the function that makes it larger: that is asked once what it is called on. */
function memoryOf(library: Hdf5Library): WasmMemory {
  const { prototype } = WebAssembly.Memory
  const original = Object.getOwnPropertyDescriptor(prototype, 'grow')
  const found: WasmMemory[] = []
  Object.defineProperty(prototype, 'grow', {
    configurable: true,
    value(this: WasmMemory) {
      found.push(this)
      throw new RangeError('only to be found')
    },
  })
  try {
    library._free(library._malloc(library.HEAPU8.byteLength))
  } finally {
    if (original) Object.defineProperty(prototype, 'grow', original)
  }
  const [memory] = found
  if (memory === undefined || memory.buffer !== library.HEAPU8.buffer)
    throw new Error('the memory of the HDF5 library cannot be held within a bound')
  return memory
}
