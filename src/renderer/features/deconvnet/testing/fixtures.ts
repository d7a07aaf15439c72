import type { DatasetRecord } from '../../../../shared/datasets.ts'
import type { DeconvnetParams, DeconvnetResult } from '../../../../shared/experiments/deconvnet.ts'
import type { NetworkPage } from '../../../../shared/network/page.ts'
import type { Look } from '../../../../shared/runs.ts'

const hash = (letter: string): string => letter.repeat(64)
const axis = { size: 3, stride: 1, offset: 0 }
const receptiveField = { rows: axis, columns: axis }

/** input 4 × 4 → conv1, relu1 2 × 2 × 3 → out 5 */
export const NETWORK_PAGE: NetworkPage = {
  network: {
    name: 'net',
    title: 'Small network',
    weights: hash('1'),
    source: 'built-in',
    hash: hash('2'),
    addedAt: 0,
    spec: {
      format: 'convscope-network',
      version: 1,
      name: 'net',
      title: 'Small network',
      source: '',
      preprocessing: { channelOrder: 'grey', scale: 1 / 255, mean: [], std: [] },
      classes: [],
      layers: [
        { name: 'data', type: 'input', shape: [4, 4, 1] },
        { name: 'relu1', type: 'relu' },
      ],
    },
  },
  parameters: 100,
  layers: [
    { name: 'data', type: 'input', inputs: [], shape: [4, 4, 1], parameters: 0, receptiveField },
    { name: 'conv1', type: 'conv2d', inputs: ['data'], shape: [2, 2, 3], parameters: 30, receptiveField },
    { name: 'relu1', type: 'relu', inputs: ['conv1'], shape: [2, 2, 3], parameters: 0, receptiveField },
    { name: 'out', type: 'dense', inputs: ['relu1'], shape: [5], parameters: 70 },
  ],
}

export const DATASET: DatasetRecord = {
  name: 'digits',
  title: 'Digits',
  format: 'idx',
  shape: [4, 4, 1],
  classes: ['0', '1'],
  splits: [
    { name: 'train', count: 20, images: hash('3'), labels: hash('4') },
    { name: 'test', count: 10, images: hash('5'), labels: hash('6') },
  ],
  source: 'built-in',
  attribution: '',
  hash: hash('7'),
  addedAt: 0,
}

export interface DeconvnetDocument {
  params: DeconvnetParams & { picture: { index: number } }
}

/** An answer to a document: of the strongest, channels 2 and 1 (place 1, 1); of a list, its units. */
export function lookAt(document: DeconvnetDocument): Look {
  const { params } = document
  const listed = params.units.kind === 'list' ? params.units.units : [{ channel: 2 }, { channel: 1 }]
  const units: DeconvnetResult['units'] = listed.map((unit) => ({
    channel: unit.channel,
    position: ('position' in unit ? unit.position : undefined) ?? [1, 1],
    value: unit.channel,
    field: [1, 4, 1, 4],
    magnitude: 1,
  }))
  const result: DeconvnetResult = {
    network: 'net',
    layer: params.layer,
    toLayer: 'data',
    layerShape: [2, 2, 3],
    units,
    channels: [0, 1, 2].map((maximum) => ({ maximum, mean: maximum / 2, position: [1, 1] })),
    prediction: [],
    label: null,
    computeMs: 1,
  }
  const engine = {
    name: 'cpu',
    version: '1',
    device: 'test',
    threads: 1,
    kernels: 'stock',
    deterministic: true,
  } as const
  const output = (name: string, letter: string) => ({ name, kind: 'array', sha256: hash(letter), bytes: 100 }) as const
  return {
    documentHash: hash('e'),
    document: JSON.parse(JSON.stringify(document)),
    result: JSON.parse(JSON.stringify(result)),
    outputs: [output('activations', 'a'), output('projections', 'b'), output('input', 'c')],
    provenance: {
      ...{ program: 'test', documentHash: hash('e'), networks: {}, datasets: {}, engine, platform: 'test' },
      ...{ startedAt: 0, finishedAt: 1 },
    },
    cached: false,
  }
}
