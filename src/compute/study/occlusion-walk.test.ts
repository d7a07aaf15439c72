import { beforeAll, describe, expect, it } from 'vitest'
import { NetworkSpec } from '../../shared/network/spec.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { architectureNamed } from '../network/architectures/index.ts'
import { buildGraph } from '../network/graph.ts'
import { Network } from '../network/network.ts'
import { randomWeights } from '../network/testing/random-weights.ts'
import { RandomStream } from '../random.ts'
import { occlusionGrid, type OcclusionGrid } from './occlusion-grid.ts'
import { occlusionParts } from './occlusion-parts.ts'
import { OcclusionWalk } from './occlusion-walk.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startCpu()
})

const conv = (name: string, filters: number, side: number, extra: object = {}) => ({
  name,
  type: 'conv2d',
  filters,
  kernel: [side, side],
  ...extra,
})
const pool = (name: string, extra: object) => ({ name, type: 'max-pool', kernel: [3, 3], stride: [2, 2], ...extra })
const END = [
  { name: 'flatten', type: 'flatten' },
  { name: 'scores', type: 'dense', units: 4 },
]

const NETWORKS: Record<string, { shape: [number, number, number]; layers: object[] }> = {
  'normalisation, groups and pools that round up': {
    shape: [38, 41, 2],
    layers: [
      conv('conv1', 4, 5, { stride: [2, 2] }),
      { name: 'relu1', type: 'relu' },
      pool('pool1', { rounding: 'ceil' }),
      { name: 'norm1', type: 'lrn', size: 3, alpha: 0.5, beta: 0.75, k: 1 },
      conv('conv2', 6, 3, { padding: 'same', groups: 2 }),
      { name: 'recorded', type: 'relu' },
      conv('conv3', 3, 3, { padding: [1, 1, 1, 1] }),
      ...END,
    ],
  },
  'padding with a value, and means that leave the padding out': {
    shape: [36, 36, 1],
    layers: [
      { name: 'pad', type: 'padding', amounts: [2, 1, 0, 2], value: 0.5 },
      conv('conv1', 3, 3, { padding: 'same' }),
      { name: 'sigmoid1', type: 'sigmoid' },
      { name: 'mean1', type: 'avg-pool', kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], divisor: 'valid' },
      conv('conv2', 4, 3, { dilation: [2, 1] }),
      { name: 'tanh2', type: 'tanh' },
      conv('recorded', 3, 3, { padding: 'same' }),
      pool('pool3', { padding: [1, 0, 0, 1] }),
      ...END,
    ],
  },
  'neither pools nor rectifiers': {
    shape: [30, 30, 1],
    layers: [conv('conv1', 3, 3, { padding: 'same' }), conv('recorded', 2, 3), conv('conv3', 2, 3), ...END],
  },
}

function networkOf({ shape, layers }: { shape: [number, number, number]; layers: object[] }): Network {
  const spec = NetworkSpec.parse({
    format: 'convscope-network',
    version: 1,
    name: 'n',
    title: 'n',
    preprocessing: { channelOrder: 'grey' },
    layers: [{ name: 'input', type: 'input', shape }, ...layers],
  })
  const graph = buildGraph(spec)
  return Network.of(engine.tf, graph, randomWeights(engine.tf, graph, 7))
}

/** Every square alone, in the whole picture, through the whole network: `[activations, logits]` by position. */
function wholePictures(network: Network, values: Float32Array, grid: OcclusionGrid, fill: readonly number[]) {
  const [height = 1, width = 1, channels = 1] = network.graph.input.shape
  return grid.rows.flatMap((top) =>
    grid.columns.map((left) => {
      const hidden = values.slice()
      for (let row = top; row < Math.min(top + grid.window[0], height); row++) {
        for (let column = left; column < Math.min(left + grid.window[1], width); column++) {
          hidden.set(fill, (row * width + column) * channels)
        }
      }
      return engine.tf.tidy(() => {
        const input = engine.tf.tensor4d(hidden, [1, height, width, channels])
        const found = network.forward(input, { to: 'scores', keep: ['recorded'], backward: false })
        const map = found.get('recorded').dataSync<'float32'>()
        const depth = network.shapes['recorded']?.[2] ?? 1
        const activation = map.reduce((sum, value, place) => sum + (place % depth === 1 ? value : 0), 0)
        return { activation, logit: found.get('scores').dataSync()[2] ?? NaN }
      })
    }),
  )
}

describe('occlusion inside blocks', () => {
  it.each(Object.keys(NETWORKS))('gives the values of whole pictures: %s', async (name) => {
    const network = networkOf(NETWORKS[name] ?? { shape: [1, 1, 1], layers: [] })
    const [height = 1, width = 1, channels = 1] = network.graph.input.shape
    const noise = new RandomStream(3, 'order')
    const values = Float32Array.from({ length: height * width * channels }, () => noise.below(2001) / 1000 - 1)
    const fill = Array.from({ length: channels }, (_, channel) => 0.25 * channel)
    const grid = occlusionGrid([height, width], [6, 5], [7, 6], 'partial')
    const parts = occlusionParts(network.graph, grid, 'recorded')
    expect(parts.every(({ stages }) => stages.length > 0)).toBe(true)
    expect(parts.flatMap(({ positions }) => positions).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: grid.rows.length * grid.columns.length }, (_, position) => position),
    )
    const input = { shape: [height, width, channels] as const, values, label: null }
    const walk = new OcclusionWalk(engine, network, input, { layer: 'recorded', fill, batchSize: 40 })
    const run = walk.run(grid, 1, 2, new AbortController().signal)
    let step = await run.next()
    while (!step.done) step = await run.next()
    walk.dispose()
    const expected = wholePictures(network, values, grid, fill)
    for (const what of ['activation', 'logit'] as const) {
      const largest = Math.max(...expected.map((one) => Math.abs(one[what])))
      const worst = Math.max(
        ...expected.map((one, position) => Math.abs(one[what] - (step.value?.[what][position] ?? NaN))),
      )
      expect(worst / largest).toBeLessThan(1e-5)
    }
    network.dispose()
  })

  it('parts positions near the edge from those in the middle where that saves computing', () => {
    const graph = buildGraph(architectureNamed('caffenet').spec())
    const parts = occlusionParts(graph, occlusionGrid([227, 227], [32, 32], [16, 16], 'partial'), 'conv5')
    expect(parts.map(({ positions }) => positions.length)).toEqual([36, 48, 48, 64])
    const blocks = parts.map(({ stages }) => stages.at(-1)?.above.size)
    expect(blocks).toEqual([
      [8, 8],
      [8, 12],
      [12, 8],
      [12, 12],
    ])
  })

  it('walks whole maps where the network begins with a branch', () => {
    const network = networkOf({
      shape: [20, 20, 1],
      layers: [
        conv('left', 2, 3, { inputs: ['input'] }),
        conv('right', 2, 3, { inputs: ['input'] }),
        { name: 'recorded', type: 'add', inputs: ['left', 'right'] },
        ...END,
      ],
    })
    const [part, ...others] = occlusionParts(network.graph, occlusionGrid([20, 20], [4, 4], [4, 4], 'complete'), 'left')
    expect([part?.stages, others]).toEqual([[], []])
    network.dispose()
  })
})
