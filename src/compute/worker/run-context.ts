/** The context that experiments and methods get: inputs by library name, warm; outputs by name. */
import { encodeCsv, type CsvTable } from '../../shared/csv.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { NetworkRecord } from '../../shared/network/page.ts'
import type { ArrayValues } from '../../shared/npy.ts'
import { plainJson } from '../../shared/wire/messages.ts'
import type { Library } from '../../shared/wire/protocol.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import type { Engine } from '../engines/engine.ts'
import type { Adjustment, ExperimentContext, ExperimentEvent, ResultCache } from '../experiments/experiment.ts'
import type { Network } from '../network/network.ts'
import { OutputWriter, type OutputDescription, type WriteFile } from './output-writer.ts'
import type { Lease, WarmCache } from './warm-cache.ts'
import type { ArtifactFinder, ArtifactReader, WorkerRegistry } from './worker-registry.ts'

/** What the runs of a session share. */
export interface SessionResources {
  readonly registry: WorkerRegistry
  readonly engine: Engine | undefined
  readonly readArtifact: ArtifactReader
  readonly findArtifact: ArtifactFinder
  readonly scratchFolder: string
  readonly networks: WarmCache<Network>
  readonly datasets: WarmCache<DatasetSplitData>
  readonly cache: ResultCache
}

export interface RunInputs {
  readonly library: Library
  readonly seed: number
  readonly pictures: boolean
  readonly checkpoint: Uint8Array | undefined
  readonly signal: AbortSignal
  /** Sends a step, lets messages in, and throws where one of them was a cancel. */
  readonly onProgress: (done: number, total: number, unit: string) => void
}

export class RunContext implements ExperimentContext {
  readonly outputs: OutputWriter
  /** Not taken by the experiment yet. */
  readonly adjustments: Adjustment[] = []
  /** Gives what tells where the experiment is. */
  show: (() => Promise<ExperimentEvent[]>) | undefined
  readonly seed: number
  readonly pictures: boolean
  readonly checkpoint: Uint8Array | undefined
  readonly signal: AbortSignal
  readonly #resources: SessionResources
  readonly #library: Library
  readonly #onProgress: RunInputs['onProgress']
  readonly #leases = new Map<string, Promise<Lease<unknown>>>()

  constructor(resources: SessionResources, inputs: RunInputs) {
    this.#resources = resources
    this.#library = inputs.library
    this.seed = inputs.seed
    this.pictures = inputs.pictures
    this.checkpoint = inputs.checkpoint
    this.signal = inputs.signal
    this.#onProgress = inputs.onProgress
    this.outputs = new OutputWriter(resources.scratchFolder)
  }

  takeAdjustments(): Adjustment[] {
    return this.adjustments.splice(0)
  }

  onPause(show: RunContext['show']): void {
    this.show = show
  }

  get engine(): Engine {
    if (!this.#resources.engine)
      throw new ConvScopeError('unsupported', 'This session only reads files: it has no engine')
    return this.#resources.engine
  }

  get cache(): ResultCache {
    return this.#resources.cache
  }

  async network(name: string): Promise<{ network: Network; record: NetworkRecord }> {
    const record = this.record(name)
    const { networks, registry, readArtifact } = this.#resources
    const load = () => registry.loadNetwork(record, readArtifact, this.engine)
    const lease = await this.#lease(`network ${record.hash}`, () => networks.acquire(record.hash, load))
    return { network: lease.value, record }
  }

  /** The library's entry of a network, without loading it. @throws ConvScopeError 'not-found' */
  record(name: string): NetworkRecord {
    const record = Object.hasOwn(this.#library.networks, name) ? this.#library.networks[name] : undefined
    if (!record) throw missing('network', name, Object.keys(this.#library.networks))
    return record
  }

  async dataset(name: string, split: string): Promise<DatasetSplitData> {
    const record = Object.hasOwn(this.#library.datasets, name) ? this.#library.datasets[name] : undefined
    if (!record) throw missing('data set', name, Object.keys(this.#library.datasets))
    const { datasets, registry, readArtifact: read, findArtifact: find } = this.#resources
    const key = `${record.hash} ${split}`
    const load = () => registry.loadDataset(record, split, { read, find })
    const lease = await this.#lease(`dataset ${key}`, () => datasets.acquire(key, load))
    return lease.value
  }

  artifact(sha256: string): Promise<Uint8Array> {
    return this.#resources.readArtifact(sha256)
  }

  /** Where an artifact lies, for what is read in pieces; its hash is not looked at. */
  findArtifact(sha256: string): Promise<string> {
    return this.#resources.findArtifact(sha256)
  }

  async outputArray(name: string, shape: readonly number[], values: ArrayValues): Promise<void> {
    const bytes = this.#resources.registry.encode.array(shape, values)
    await this.outputs.put({ name, kind: 'array', shape: [...shape], dtype: dtypeOf(values) }, bytes)
  }

  async outputPicture(
    name: string,
    width: number,
    height: number,
    channels: 1 | 3 | 4,
    pixels: Uint8Array,
  ): Promise<void> {
    const bytes = await this.#resources.registry.encode.picture(width, height, channels, pixels)
    await this.outputs.put({ name, kind: 'picture' }, bytes)
  }

  async outputWeights(name: string, safetensors: Uint8Array): Promise<void> {
    await this.outputs.put({ name, kind: 'weights' }, safetensors)
  }

  async outputJson(name: string, value: unknown): Promise<void> {
    const text = `${JSON.stringify(plainJson(value), null, 2)}\n`
    await this.outputs.put({ name, kind: 'json' }, new TextEncoder().encode(text))
  }

  async outputTable(name: string, table: CsvTable): Promise<void> {
    await this.outputs.put({ name, kind: 'table' }, encodeCsv(table))
  }

  /** Where temporary files may be put; it is removed with the session. */
  get scratchFolder(): string {
    return this.#resources.scratchFolder
  }

  /** Writes a file straight into the scratch folder: for what is too large to be in memory as a whole. */
  async outputFile(description: OutputDescription, write: WriteFile): Promise<void> {
    await this.outputs.putFile(description, write)
  }

  /**
   * For methods that are no generators: tells how far they are, and lets messages in meanwhile, so that they can be cancelled.
   * To be called often; what comes too fast to be seen is not sent.
   * @throws ConvScopeError 'cancelled' where it is no longer wanted
   */
  progress(done: number, total: number, unit: string): void {
    this.#onProgress(done, total, unit)
  }

  /** Lets go of networks and data sets, and removes the files of outputs that nobody took. */
  async close(): Promise<void> {
    for (const leasing of this.#leases.values()) {
      const lease = await leasing.catch(() => undefined)
      lease?.release()
    }
    this.#leases.clear()
    await this.outputs.discardAll()
  }

  /** One lease for each thing and run, however often it is asked for. */
  async #lease<V>(key: string, acquire: () => Promise<Lease<V>>): Promise<Lease<V>> {
    const known = this.#leases.get(key) as Promise<Lease<V>> | undefined
    if (known) return known
    const leasing = acquire()
    this.#leases.set(key, leasing)
    leasing.catch(() => this.#leases.delete(key))
    return leasing
  }
}

function dtypeOf(values: ArrayValues): 'float32' | 'int32' | 'uint8' | 'float64' {
  if (values instanceof Float32Array) return 'float32'
  if (values instanceof Int32Array) return 'int32'
  return values instanceof Uint8Array ? 'uint8' : 'float64'
}

function missing(what: string, name: string, there: string[]): ConvScopeError {
  return new ConvScopeError('not-found', `There is no ${what} "${name}" in the library`, {
    remedy: there.length > 0 ? `It has: ${there.join(', ')}.` : undefined,
  })
}
