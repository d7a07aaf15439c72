/**
 * Readers of files from outside, tried on damaged copies of good files. The damage is the same in every run. A reader passes when each
 * copy is refused by a ConvScopeError or read to something valid, soon, and without a large piece of memory.
 */
import { ConvScopeError } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { sourceFileOf, type SourceFile } from '../../files/source-file.ts'
import { RandomStream } from '../../random.ts'
import { checkImported } from '../check-imported.ts'
import type { ImportedNetwork, Importer } from '../imported-network.ts'

const MEBIBYTE = 2 ** 20

/** A good file. */
export interface Sample {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface FuzzOptions<T> {
  /** The files that belong together; one of them is damaged at a time. */
  readonly files: readonly Sample[]
  readonly read: (files: readonly SourceFile[]) => Promise<T> | T
  /** Throws where what was read is not valid. */
  readonly check?: (result: T) => void
  readonly mutations?: number
  readonly seed?: number
  /** For one copy. */
  readonly limitMs?: number
  /** How much the process may have grown at its peak, after the first copies. */
  readonly limitBytes?: number
}

export interface FuzzReport {
  readonly refused: number
  readonly read: number
  /** Messages by how often they appeared, the commonest first. */
  readonly messages: readonly (readonly [string, number])[]
}

/**
 * @throws Error that says which copy broke the rule, and how to make it again
 */
export async function fuzz<T>(options: FuzzOptions<T>): Promise<FuzzReport> {
  const { files, mutations = 500, seed = 1, limitMs = 5000, limitBytes = 512 * MEBIBYTE } = options
  const messages = new Map<string, number>()
  const peakBefore = process.resourceUsage().maxRSS
  let refused = 0
  for (let index = 0; index < mutations; index++) {
    const stream = new RandomStream(seed, 'order', index)
    const victim = stream.below(files.length)
    const title = `copy ${index} of seed ${seed} (${files[victim]?.name ?? ''})`
    const sources = files.map(({ name, bytes }, place) =>
      sourceFileOf(name, place === victim ? mutated(bytes, stream) : bytes),
    )
    const startedAt = performance.now()
    try {
      const result = await options.read(sources)
      options.check?.(result)
    } catch (error) {
      if (!(error instanceof ConvScopeError)) throw new Error(`${title}: not a ConvScopeError`, { cause: error })
      refused++
      messages.set(error.message, (messages.get(error.message) ?? 0) + 1)
    }
    const elapsedMs = performance.now() - startedAt
    if (elapsedMs > limitMs) throw new Error(`${title}: took ${Math.round(elapsedMs)} ms`)
    // maxRSS is in KiB and never falls, so that a short peak is seen, too.
    const growth = (process.resourceUsage().maxRSS - peakBefore) * 1024
    if (growth > limitBytes) throw new Error(`${title}: the process grew by ${Math.round(growth / MEBIBYTE)} MiB`)
  }
  return { refused, read: mutations - refused, messages: [...messages].sort((a, b) => b[1] - a[1]) }
}

/** `fuzz` for an importer: a network that it gives must be complete, and all its values must be there. */
export function fuzzImporter(
  importer: Importer,
  files: readonly Sample[],
  options: Partial<Omit<FuzzOptions<ImportedNetwork>, 'files' | 'read' | 'check'>> & {
    readonly architecture?: ImportedNetwork['spec']
  } = {},
): Promise<FuzzReport> {
  const { architecture, ...limits } = options
  return fuzz({
    ...limits,
    files,
    read: (sources) => importer.read(sources, { name: 'fuzzed', ...(architecture ? { architecture } : {}) }),
    check: (imported) => {
      for (const [path, { shape, values }] of checkImported(imported, 'the copy').tensors) {
        const count = sizeOf(shape)
        if (values().length !== count) throw new Error(`${path} has not ${count} values`)
      }
    },
  })
}

type Mutation = (bytes: Uint8Array, stream: RandomStream) => Uint8Array

/** A damaged copy: one to three kinds of damage, one after the other. */
export function mutated(bytes: Uint8Array, stream: RandomStream): Uint8Array {
  let copy: Uint8Array = bytes.slice()
  for (let count = 1 + stream.below(3); count > 0; count--) {
    const mutate = MUTATIONS[stream.below(MUTATIONS.length)]
    if (mutate !== undefined && copy.length > 0) copy = mutate(copy, stream)
  }
  return copy
}

/** What lengths, counts and types are tried with. */
const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
]
const WIDTHS = [1, 2, 4, 8]

/** Headers stand at the beginning, directories at the end: half of the damage goes there. */
function placeIn(bytes: Uint8Array, stream: RandomStream): number {
  const zone = Math.min(bytes.length, 256)
  const kind = stream.below(4)
  if (kind === 0) return stream.below(zone)
  if (kind === 1) return bytes.length - 1 - stream.below(zone)
  return stream.below(bytes.length)
}

function without(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const copy = new Uint8Array(bytes.length - Math.min(length, bytes.length - start))
  copy.set(bytes.subarray(0, start))
  copy.set(bytes.subarray(start + length), start)
  return copy
}

function inserted(bytes: Uint8Array, place: number, extra: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length + extra.length)
  copy.set(bytes.subarray(0, place))
  copy.set(extra, place)
  copy.set(bytes.subarray(place), place + extra.length)
  return copy
}

const flipBits: Mutation = (bytes, stream) => {
  for (let count = 1 + stream.below(8); count > 0; count--) {
    const place = placeIn(bytes, stream)
    bytes[place] = (bytes[place] ?? 0) ^ (1 << stream.below(8))
  }
  return bytes
}

const setLength: Mutation = (bytes, stream) => {
  const width = WIDTHS[stream.below(WIDTHS.length)] ?? 1
  const place = placeIn(bytes, stream)
  const extreme = EXTREMES[stream.below(EXTREMES.length)] ?? 0n
  const little = stream.below(2) === 0
  for (let index = 0; index < width && place + index < bytes.length; index++) {
    const shift = 8n * BigInt(little ? index : width - 1 - index)
    bytes[place + index] = Number((extreme >> shift) & 0xffn)
  }
  return bytes
}

const MUTATIONS: readonly Mutation[] = [
  (bytes, stream) => bytes.slice(0, stream.below(bytes.length)),
  flipBits,
  flipBits,
  setLength,
  setLength,
  // A piece taken out, put in a second time, moved over another, filled with one value.
  (bytes, stream) => without(bytes, placeIn(bytes, stream), 1 + stream.below(64)),
  (bytes, stream) => {
    const from = placeIn(bytes, stream)
    return inserted(bytes, placeIn(bytes, stream), bytes.slice(from, from + 1 + stream.below(64)))
  },
  (bytes, stream) => {
    const from = placeIn(bytes, stream)
    return new Uint8Array(bytes).copyWithin(placeIn(bytes, stream), from, from + 1 + stream.below(256))
  },
  (bytes, stream) => {
    const from = placeIn(bytes, stream)
    return bytes.fill(stream.below(256), from, from + 1 + stream.below(32))
  },
]
