/** A context for tests of experiments: synthetic data, one network, outputs kept in memory. */
import { encodeCsv, type CsvTable } from '../../../shared/csv.ts'
import type { DatasetRecord } from '../../../shared/datasets.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { NetworkRecord } from '../../../shared/network/page.ts'
import { uniform, type UniformSplitData } from '../../data/dataset-split.ts'
import type { Engine } from '../../engines/engine.ts'
import type { Network } from '../../network/network.ts'
import { RandomStream } from '../../random.ts'
import type { ExperimentContext, ExperimentEvent, ResultCache } from '../experiment.ts'

export interface KeptOutputs {
  readonly arrays: Map<string, { shape: readonly number[]; values: ArrayLike<number> }>
  readonly pictures: Map<string, { width: number; height: number; channels: number; pixels: Uint8Array }>
  readonly weights: Map<string, Uint8Array>
  readonly json: Map<string, unknown>
  /** As the lines of a file. */
  readonly tables: Map<string, string[]>
}

export interface TestContextOptions {
  readonly engine: Engine
  readonly network?: Network
  readonly seed?: number
  readonly pictures?: boolean
  readonly checkpoint?: Uint8Array
  readonly signal?: AbortSignal
  /** Pictures in each split. */
  readonly count?: number
  readonly cache?: ResultCache
  readonly artifacts?: Readonly<Record<string, Uint8Array>>
  /** Called where the experiment asks what was changed. */
  readonly takeAdjustments?: ExperimentContext['takeAdjustments']
  readonly onPause?: ExperimentContext['onPause']
}

export const TEST_CLASSES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']

/** Digits-like data set 'digits': a bright bar whose place tells the class, on noise. */
export function testSplit(name: string, count: number): UniformSplitData {
  const hash = '0'.repeat(64)
  const record: DatasetRecord = {
    name: 'digits',
    title: 'Digits',
    format: 'idx',
    shape: [28, 28, 1],
    classes: TEST_CLASSES,
    splits: [{ name, count, images: hash, labels: hash }],
    source: 'imported',
    attribution: '',
    hash,
    addedAt: 0,
  }
  const noise = new RandomStream(name === 'train' ? 1 : 2, 'order')
  const labels = Int32Array.from({ length: count }, (_, index) => index % TEST_CLASSES.length)
  const images = Uint8Array.from({ length: count * 784 }, (_, index) => {
    const label = labels[Math.floor(index / 784)] ?? 0
    const row = Math.floor((index % 784) / 28)
    return Math.floor(row / 2.8) === label ? 200 + noise.below(50) : noise.below(40)
  })
  return uniform(record, [28, 28, 1], images, labels)
}

export function testContext(options: TestContextOptions): { context: ExperimentContext; outputs: KeptOutputs } {
  const outputs: KeptOutputs = {
    arrays: new Map(),
    pictures: new Map(),
    weights: new Map(),
    json: new Map(),
    tables: new Map(),
  }
  const { engine, network, count = 20 } = options
  const context: ExperimentContext = {
    engine,
    seed: options.seed ?? 0,
    signal: options.signal ?? new AbortController().signal,
    checkpoint: options.checkpoint,
    pictures: options.pictures ?? false,
    takeAdjustments: options.takeAdjustments ?? (() => []),
    onPause: options.onPause ?? (() => undefined),
    network: (name) => {
      if (!network) return Promise.reject(new ConvScopeError('not-found', `There is no network "${name}"`))
      const record: NetworkRecord = {
        name,
        title: name,
        spec: network.spec,
        weights: '0'.repeat(64),
        source: 'imported',
        hash: '0'.repeat(64),
        addedAt: 0,
      }
      return Promise.resolve({ network, record })
    },
    dataset: (_, split) => Promise.resolve(testSplit(split, count)),
    artifact: (sha256) => {
      const bytes = options.artifacts?.[sha256]
      return bytes ? Promise.resolve(bytes) : Promise.reject(new ConvScopeError('not-found', 'no such artifact'))
    },
    cache: options.cache ?? memoryCache(),
    outputArray: (name, shape, values) => keep(outputs.arrays, name, { shape, values }),
    outputPicture: (name, width, height, channels, pixels) =>
      keep(outputs.pictures, name, { width, height, channels, pixels }),
    outputWeights: (name, bytes) => keep(outputs.weights, name, bytes),
    outputJson: (name, value) => keep(outputs.json, name, value),
    outputTable: (name, table) => keep(outputs.tables, name, linesOf(table)),
  }
  return { context, outputs }
}

/** Runs an experiment to its end. */
export async function finish<R>(
  generator: AsyncGenerator<ExperimentEvent, R, void>,
): Promise<{ result: R; events: ExperimentEvent[] }> {
  const events: ExperimentEvent[] = []
  for (;;) {
    const step = await generator.next()
    if (step.done) return { result: step.value, events }
    events.push(step.value)
  }
}

export function memoryCache(): ResultCache & { readonly entries: Map<string, Uint8Array> } {
  const entries = new Map<string, Uint8Array>()
  return {
    entries,
    get: (key) => Promise.resolve(entries.get(key)?.slice()),
    put: (key, value) => {
      entries.set(key, value.slice())
      return Promise.resolve()
    },
    remove: (key) => {
      entries.delete(key)
      return Promise.resolve()
    },
  }
}

function linesOf(table: CsvTable): string[] {
  return new TextDecoder().decode(encodeCsv(table)).trimEnd().split('\r\n')
}

function keep<V>(kept: Map<string, V>, name: string, value: V): Promise<void> {
  kept.set(name, value)
  return Promise.resolve()
}
