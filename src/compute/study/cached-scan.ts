/** Scans that are remembered: a layer that was scanned before needs no second pass, and more pictures only the part that is new. */
import type { EngineIdentity } from '../../shared/engines.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { ExperimentContext, ExperimentEvent, ResultCache } from '../experiments/experiment.ts'
import { layerNamed } from '../network/graph.ts'
import type { Network } from '../network/network.ts'
import { boundedBatch } from './data-pass.ts'
import { readPassState, writePassState, type PassState } from './pass-state.ts'
import type { PictureSource } from './picture-source.ts'
import { scan, type ScanOptions, type TopTables } from './scan.ts'
import { TopTable } from './top-table.ts'

/** What the pictures and the network are, by their hashes. */
export interface ScanSubject {
  readonly network: string
  readonly dataset: string
  readonly split: string
}

export interface CachedScan {
  readonly tables: TopTables
  /** Layers that needed no pass. */
  readonly cached: readonly string[]
  /** Pictures that went through the network. */
  readonly scanned: number
  readonly seconds: number
  /** For tables that the pictures no longer agree with. */
  forget(): Promise<void>
}

type ScanContext = Pick<ExperimentContext, 'engine' | 'signal' | 'checkpoint' | 'cache'>

const SOURCE = 'A remembered scan'
/** Of the entries' contents. */
const VERSION = 1

/** The same tables as those of `scan`, bit for bit. Says in the log what it did not have to scan. */
export async function* cachedScan(
  network: Network,
  source: PictureSource,
  options: ScanOptions,
  subject: ScanSubject,
  context: ScanContext,
): AsyncGenerator<ExperimentEvent, CachedScan, void> {
  const entries = new ScanEntries(network, source, options, subject, context)
  const known = new Map<string, TopTable>()
  for (const layer of options.layers) {
    const table = await entries.whole(layer)
    if (table) known.set(layer, table)
  }
  if (known.size > 0) yield { type: 'log', message: `Scanned by an earlier run: ${[...known.keys()].join(', ')}` }
  const forget = (): Promise<void> => entries.forget()
  const cached = [...known.keys()]
  const layers = options.layers.filter((layer) => !known.has(layer))
  if (layers.length === 0) return { tables: known, cached, scanned: 0, seconds: 0, forget }

  const checkpoint = usable(context.checkpoint, layers) ?? (await entries.beginning(layers))
  const first = checkpoint ? readPassState(checkpoint, SOURCE).next : 0
  const from = first > 0 ? `, going on with picture ${first}` : ''
  yield { type: 'log', message: `Scanning ${source.count} pictures for ${layers.join(', ')}${from}` }
  const startedAt = performance.now()
  let beginning: { next: number; bytes: ReadonlyMap<string, Uint8Array> } | undefined
  const tables = yield* scan(
    network,
    source,
    {
      ...options,
      layers,
      onWholeBatches: (next, partial) => {
        beginning = { next, bytes: entries.encoded(next, partial) }
      },
    },
    { engine: context.engine, signal: context.signal, checkpoint },
  )
  const seconds = (performance.now() - startedAt) / 1000
  try {
    await entries.keep(tables, beginning?.bytes ?? new Map())
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    yield { type: 'log', message: `The scan could not be remembered: ${reason}` }
  }
  const all = new Map(options.layers.flatMap((layer) => entryOf(layer, known.get(layer) ?? tables.get(layer))))
  return { tables: all, cached, scanned: source.count - first, seconds, forget }
}

function entryOf(layer: string, table: TopTable | undefined): [string, TopTable][] {
  return table ? [[layer, table]] : []
}

/** A run's own checkpoint where it has all layers that are still to be scanned. */
function usable(checkpoint: Uint8Array | undefined, layers: readonly string[]): Uint8Array | undefined {
  if (checkpoint === undefined) return undefined
  const saved = readPassState(checkpoint, 'The checkpoint of the scan')
  return layers.every((layer) => saved.layers.has(layer)) ? checkpoint : undefined
}

/** Two entries a layer: the table of exactly these pictures, and that of the whole batches of the longest scan, which others go on from. */
class ScanEntries {
  readonly #network: Network
  readonly #source: PictureSource
  readonly #options: ScanOptions
  readonly #cache: ResultCache
  readonly #common: readonly unknown[]

  constructor(
    network: Network,
    source: PictureSource,
    options: ScanOptions,
    { network: networkHash, dataset, split }: ScanSubject,
    { cache, engine }: ScanContext,
  ) {
    this.#network = network
    this.#source = source
    this.#options = options
    this.#cache = cache
    const batch = boundedBatch(network, options.batchSize)
    // Values differ in their last digits between engines and sizes of batches.
    const sizes = [options.count, batch, source.classes.length]
    this.#common = ['scan', VERSION, networkHash, dataset, split, ...sizes, ...engineKey(engine.identity)]
  }

  /** The table of a layer over all pictures of the source. */
  async whole(layer: string): Promise<TopTable | undefined> {
    const state = await this.#read(this.#wholeKey(layer))
    const saved = state?.next === this.#source.count ? state.layers.get(layer) : undefined
    if (saved === undefined) return undefined
    const channels = layerNamed(this.#network.graph, layer).shape.at(-1) ?? 1
    return new TopTable(channels, this.#options.count, this.#source.classes.length, saved)
  }

  /** A state of all of these layers from which a scan can go on, where they were scanned equally far. */
  async beginning(layers: readonly string[]): Promise<Uint8Array | undefined> {
    const tables = new Map<string, TopTable>()
    let next: number | undefined
    for (const layer of layers) {
      const state = await this.#read(this.#beginningKey(layer))
      const saved = state?.layers.get(layer)
      if (state === undefined || saved === undefined || state.next > this.#source.count) return undefined
      if (next !== undefined && next !== state.next) return undefined
      next = state.next
      const channels = layerNamed(this.#network.graph, layer).shape.at(-1) ?? 1
      tables.set(layer, new TopTable(channels, this.#options.count, this.#source.classes.length, saved))
    }
    return next === undefined ? undefined : writePassState(next, tables)
  }

  encoded(next: number, tables: TopTables): ReadonlyMap<string, Uint8Array> {
    return new Map([...tables].map(([layer, table]) => [layer, writePassState(next, new Map([[layer, table]]))]))
  }

  /** Of a beginning only the longest stays. */
  async keep(tables: TopTables, beginnings: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const [layer, bytes] of this.encoded(this.#source.count, tables)) {
      await this.#cache.put(this.#wholeKey(layer), bytes)
    }
    for (const [layer, bytes] of beginnings) {
      const known = await this.#read(this.#beginningKey(layer))
      if (known && known.next >= readPassState(bytes, SOURCE).next) continue
      await this.#cache.put(this.#beginningKey(layer), bytes)
    }
  }

  async forget(): Promise<void> {
    for (const layer of this.#options.layers) {
      await this.#cache.remove(this.#wholeKey(layer))
      await this.#cache.remove(this.#beginningKey(layer))
    }
  }

  async #read(key: string): Promise<PassState | undefined> {
    const bytes = await this.#cache.get(key)
    if (bytes === undefined) return undefined
    try {
      return readPassState(bytes, SOURCE)
    } catch (error) {
      if (!(error instanceof ConvScopeError)) throw error
      await this.#cache.remove(key)
      return undefined
    }
  }

  #wholeKey(layer: string): string {
    return JSON.stringify([...this.#common, layer, this.#source.count])
  }

  #beginningKey(layer: string): string {
    return JSON.stringify([...this.#common, layer, 'beginning'])
  }
}

function engineKey({ name, version, device, threads, kernels }: EngineIdentity): readonly unknown[] {
  return [name, version, device, threads, kernels]
}
