/** A network that names the colour of a picture, made by hand: it is right only where channels, range and layers are read as meant. */
import type { DatasetRecord } from '../../../shared/datasets.ts'
import type { NetworkRecord } from '../../../shared/network/page.ts'
import { NetworkSpec, type LayerSpec, type Preprocessing } from '../../../shared/network/spec.ts'
import { uniform, type UniformSplitData } from '../../data/dataset-split.ts'
import type { Engine } from '../../engines/engine.ts'
import type { ExperimentContext } from '../../experiments/experiment.ts'
import { buildGraph } from '../../network/graph.ts'
import { Network } from '../../network/network.ts'
import { writeWeights } from '../../network/weights.ts'
import { RandomStream } from '../../random.ts'

export const COLOURS = ['red', 'green', 'blue'] as const

/** B, G, R; 0…255 less 100. */
export const COLOUR_PREPROCESSING: Preprocessing = {
  channelOrder: 'bgr',
  scale: 1,
  mean: [100, 100, 100],
  std: [],
}

export interface ColourChanges {
  readonly preprocessing?: Preprocessing
  readonly classes?: readonly string[]
  readonly flattenOrder?: 'hwc' | 'chw'
  /** In place of layers of the same name. */
  readonly layers?: readonly LayerSpec[]
}

export function colourSpec({ preprocessing, classes, flattenOrder = 'hwc', layers = [] }: ColourChanges): NetworkSpec {
  const all = [
    { name: 'input', type: 'input', shape: [6, 6, 3] },
    { name: 'conv', type: 'conv2d', filters: 3, kernel: [1, 1] },
    { name: 'relu', type: 'relu' },
    { name: 'pool', type: 'avg-pool', kernel: [2, 2], stride: [2, 2] },
    { name: 'flatten', type: 'flatten', order: flattenOrder },
    { name: 'dense', type: 'dense', units: 3 },
    { name: 'softmax', type: 'softmax' },
  ]
  return NetworkSpec.parse({
    format: 'convscope-network',
    version: 1,
    name: 'colours',
    title: 'Colours',
    preprocessing: preprocessing ?? COLOUR_PREPROCESSING,
    classes: classes ?? COLOURS,
    layers: all.map((layer) => layers.find(({ name }) => name === layer.name) ?? layer),
  })
}

export function colourNetwork(engine: Engine, changes: ColourChanges = {}): Network {
  const graph = buildGraph(colourSpec(changes))
  // Channels pass through, less 20; each class has the weights of its colour at all nine places, red last in B, G, R.
  const conv = { kernel: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), bias: new Float32Array(3).fill(-20) }
  const kernel = Float32Array.from({ length: 27 * 3 }, (_, index) =>
    Math.floor(index / 3) % 3 === 2 - (index % 3) ? 0.02 : 0,
  )
  return Network.load(
    engine.tf,
    graph.spec,
    writeWeights(graph, { conv, dense: { kernel, bias: new Float32Array(3) } }),
  )
}

/** 6×6 pictures in which one colour is brighter, the classes in turn. */
export function colourSplit(count: number, classes: readonly string[] = COLOURS): UniformSplitData {
  const hash = '0'.repeat(64)
  const record: DatasetRecord = {
    name: 'colours',
    title: 'Colours',
    format: 'pixels',
    shape: [6, 6, 3],
    classes: [...classes],
    splits: [{ name: 'test', count, images: hash, labels: hash }],
    source: 'imported',
    attribution: '',
    hash,
    addedAt: 0,
  }
  const noise = new RandomStream(5, 'order')
  const labels = Int32Array.from({ length: count }, (_, index) => index % 3)
  const images = Uint8Array.from({ length: count * 108 }, (_, index) =>
    index % 3 === labels[Math.floor(index / 108)] ? 180 + noise.below(40) : 100 + noise.below(60),
  )
  return uniform(record, [6, 6, 3], images, labels)
}

type DoctorContext = Pick<ExperimentContext, 'engine' | 'network' | 'dataset' | 'artifact'>

export function doctorContext(
  engine: Engine,
  network: Network,
  data: UniformSplitData,
  artifacts: Readonly<Record<string, Uint8Array>> = {},
): DoctorContext {
  const record: NetworkRecord = {
    name: 'colours',
    title: 'Colours',
    spec: network.spec,
    weights: '0'.repeat(64),
    source: 'imported',
    hash: '0'.repeat(64),
    addedAt: 0,
  }
  return {
    engine,
    network: () => Promise.resolve({ network, record }),
    dataset: () => Promise.resolve(data),
    artifact: (sha256) => Promise.resolve(artifacts[sha256] ?? new Uint8Array()),
  }
}
