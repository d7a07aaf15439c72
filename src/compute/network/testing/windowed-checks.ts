/** Windowed walks against whole ones, for every engine. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { NetworkSpec } from '../../../shared/network/spec.ts'
import type { BackwardRules } from '../../../shared/network/rules.ts'
import type { Engine } from '../../engines/engine.ts'
import { RandomStream } from '../../random.ts'
import { CaseFile } from '../conformance/case-file.ts'
import { storedNetwork } from '../conformance/deconvnet-cases.ts'
import { buildGraph, layerNamed } from '../graph.ts'
import { Network } from '../network.ts'
import { seedSignals } from '../seeds.ts'
import { pasteWindow, type PlacedUnit } from '../windowed-batch.ts'
import { hasWindows, planWindows } from '../windowed-plan.ts'
import { WindowedProjections } from '../windowed-projections.ts'
import { randomWeights } from './random-weights.ts'
import { sizeOf } from '../../../shared/size-of.ts'

const CONFORMANCE = join(import.meta.dirname, '../../../../tests/conformance')
/** Every combination. */
export const ALL_RULES: BackwardRules[] = (['gradient', 'deconvnet', 'guided'] as const).flatMap((relu) =>
  (['sum', 'overwrite', 'max'] as const).flatMap((unpool) =>
    (['identity', 'derivative'] as const).map((lrn) => ({ relu, unpool, lrn })),
  ),
)
const PAPER: BackwardRules = { relu: 'deconvnet', unpool: 'sum', lrn: 'identity' }

/** Branches that meet, average pools with both divisors, padding with a value, batch normalisation and odd strides. */
const MIXED = NetworkSpec.parse({
  format: 'convscope-network',
  version: 1,
  name: 'mixed',
  title: 'Mixed',
  preprocessing: { channelOrder: 'rgb' },
  layers: [
    { name: 'input', type: 'input', shape: [15, 16, 3] },
    { name: 'pad', type: 'padding', amounts: [1, 2, 0, 1], value: 0.5 },
    { name: 'conv1', type: 'conv2d', filters: 6, kernel: [5, 3], stride: [2, 1], padding: 'same' },
    { name: 'norm1', type: 'batch-norm' },
    { name: 'tanh1', type: 'sigmoid' },
    { name: 'mean1', type: 'avg-pool', kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], rounding: 'ceil' },
    { name: 'left', type: 'conv2d', filters: 5, kernel: [1, 1], inputs: ['mean1'] },
    { name: 'right', type: 'conv2d', filters: 5, kernel: [3, 3], padding: 'same', dilation: [2, 1], inputs: ['mean1'] },
    { name: 'both', type: 'add', inputs: ['left', 'right'] },
    { name: 'side', type: 'concat', inputs: ['both', 'left'] },
    { name: 'relu', type: 'leaky-relu', slope: 0.1 },
    { name: 'mean2', type: 'avg-pool', kernel: [2, 2], stride: [1, 1], padding: 'same', divisor: 'valid' },
    { name: 'pool', type: 'max-pool', kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1] },
  ],
})

const picture = (shape: readonly number[], seed: number): Float32Array => {
  const noise = new RandomStream(seed, 'order')
  return Float32Array.from({ length: sizeOf(shape) }, () => noise.below(2001) / 1000 - 1)
}

/** Corners, edges and the middle of a layer, every one with another channel. */
function placedUnits(network: Network, layer: string): PlacedUnit[] {
  const [height = 1, width = 1, channels = 1] = layerNamed(network.graph, layer).shape
  const places = [
    [0, 0],
    [0, width - 1],
    [height - 1, 0],
    [height - 1, width - 1],
    [0, Math.floor(width / 2)],
    [Math.floor(height / 2), Math.floor(width / 2)],
  ]
  return places.map(([row = 0, column = 0], index) => ({
    picture: index % 2,
    channel: (index * 3 + 1) % channels,
    row,
    column,
  }))
}

/** Whole walks and both kinds of windowed ones, largest difference through largest value. */
async function deviations(engine: Engine, network: Network, layer: string, to: string, rules: BackwardRules) {
  const { tf } = engine
  const plan = planWindows(network.graph, layer, rules.unpool)
  if (!hasWindows(plan)) throw new Error(plan.reason)
  const [height = 1, width = 1, channels = 1] = network.graph.input.shape
  const pictures = [picture([height, width, channels], 1), picture([height, width, channels], 2)]
  const units = placedUnits(network, layer)
  const joined = new Float32Array(2 * sizeOf(network.graph.input.shape))
  pictures.forEach((values, index) => joined.set(values, index * values.length))
  const input = tf.tensor4d(joined, [2, height, width, channels])
  const activations = network.forward(input, { to: layer })
  const top = await activations.get(layer).data()
  const topShape = layerNamed(network.graph, layer).shape
  const valueOf = (unit: PlacedUnit): number =>
    top[
      ((unit.picture * (topShape[0] ?? 1) + unit.row) * (topShape[1] ?? 1) + unit.column) * (topShape[2] ?? 1) +
        unit.channel
    ] ?? NaN
  const target = layerNamed(network.graph, to).shape as [number, number, number]
  const expected = units.map((unit) =>
    wholeWalk(engine, network, pictures[unit.picture] ?? joined, unit, layer, to, rules),
  )
  const walks = new WindowedProjections(engine, network)
  const gathered = await walks.fromActivations(
    activations,
    units.map((unit) => ({ ...unit, signal: valueOf(unit) })),
    { plan, to, rules },
  )
  const cut = await walks.fromPictures(pictures, units, { plan, to, rules, seed: 'single' })
  walks.dispose()
  activations.dispose()
  input.dispose()
  const worst = { gathered: 0, cut: 0, value: 0 }
  for (const [index, unit] of units.entries()) {
    const whole = expected[index] ?? new Float32Array(0)
    worst.gathered = Math.max(worst.gathered, difference(whole, pasted(gathered, index, unit, target)))
    worst.cut = Math.max(worst.cut, difference(whole, pasted(cut, index, unit, target)))
    worst.value = Math.max(
      worst.value,
      Math.abs((cut.values[index] ?? NaN) - valueOf(unit)) / (Math.abs(valueOf(unit)) || 1),
    )
  }
  return worst
}

function wholeWalk(
  { tf }: Engine,
  network: Network,
  values: Float32Array,
  { channel, row, column }: PlacedUnit,
  layer: string,
  to: string,
  rules: BackwardRules,
): Float32Array {
  return tf.tidy(() => {
    const input = tf.tensor4d(values, [1, ...(network.graph.input.shape as [number, number, number])])
    const activations = network.forward(input, { to: layer })
    const top = activations.get(layer)
    const place = [row, column] as const
    const signal = seedSignals(tf, { shape: top.shape, data: top.dataSync() }, [{ channel, place }], 'own')
    return Float32Array.from(network.backward(activations, { from: layer, to, signal, rules }).dataSync())
  })
}

function pasted(
  { windows, range }: Awaited<ReturnType<WindowedProjections['fromActivations']>>,
  index: number,
  unit: PlacedUnit,
  shape: [number, number, number],
): Float32Array {
  const whole = new Float32Array(sizeOf(shape))
  const size = range.rows.size * range.columns.size * shape[2]
  pasteWindow(windows.subarray(index * size, (index + 1) * size), range, unit, whole, shape)
  return whole
}

function difference(expected: Float32Array, actual: Float32Array): number {
  let largest = 1e-30
  let worst = 0
  for (const [index, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value))
    worst = Math.max(worst, Math.abs(value - (actual[index] ?? NaN)))
  }
  return worst / largest
}

const stored = async (engine: Engine, name: string): Promise<Network> =>
  storedNetwork(engine.tf, await CaseFile.read(CONFORMANCE, name))

/** Registers the tests of windowed against whole walks on an engine; `rules` for the network with normalisation and overlapping pools. */
export function checkWindowedProjections(engine: () => Engine, rules: readonly BackwardRules[]): void {
  it.each([
    ['deconvnet-a', ['conv1', 'pool2'], [PAPER]],
    ['deconvnet-b', ['relu1', 'norm2'], [PAPER]],
    ['deconvnet-b', ['pool1'], rules],
    ['deconvnet-c', ['enc1', 'enc3'], [PAPER]],
  ])('give the projections of whole walks through %s, at edges and inside', async (name, layers, chosen) => {
    const network = await stored(engine(), name)
    const there = layers.filter((layer) => network.graph.byName.has(layer))
    expect(there.length).toBeGreaterThan(0)
    for (const layer of there) {
      for (const each of chosen) {
        const worst = await deviations(engine(), network, layer, network.graph.input.name, each)
        for (const value of Object.values(worst)) expect(value, `${layer} ${JSON.stringify(each)}`).toBeLessThan(1e-5)
      }
    }
    // Repeated, because an engine may keep what depends on shapes alone.
    const before = engine().memory().tensors
    await deviations(engine(), network, there[0] ?? '', network.graph.input.name, chosen[0] ?? PAPER)
    expect(engine().memory().tensors).toBe(before)
    network.dispose()
  })

  it('go through branches, average pools and padding, and end in any layer', async () => {
    const graph = buildGraph(MIXED)
    const network = Network.of(engine().tf, graph, randomWeights(engine().tf, graph, 5))
    for (const [layer, to] of [
      ['pool', 'input'],
      ['mean2', 'input'],
      ['side', 'conv1'],
      ['relu', 'mean1'],
      ['pool', 'left'],
    ] as const) {
      for (const unpool of layer === 'pool' ? (['sum', 'max'] as const) : (['sum'] as const)) {
        const worst = await deviations(engine(), network, layer, to, { relu: 'guided', unpool, lrn: 'identity' })
        for (const value of Object.values(worst)) expect(value, `${layer} to ${to}`).toBeLessThan(1e-5)
      }
    }
    network.dispose()
  })
}
