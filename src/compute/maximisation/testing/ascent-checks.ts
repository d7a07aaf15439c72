/** Ascents inside receptive fields against ascents through whole layers, and what a long run leaves behind, for every engine. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AscentSettings, TRACE_QUANTITIES } from '../../../shared/experiments/activation-maximisation.ts'
import type { Engine } from '../../engines/engine.ts'
import { CaseFile } from '../../network/conformance/case-file.ts'
import { storedNetwork } from '../../network/conformance/deconvnet-cases.ts'
import { RandomStream } from '../../random.ts'
import { Ascent } from '../ascent.ts'
import { AscentLayer, type AscentUnit } from '../ascent-layer.ts'
import { greyLevelsOf, type GreyLevels } from '../grey-levels.ts'
import { sizeOf } from '../../../shared/size-of.ts'

const CONFORMANCE = join(import.meta.dirname, '../../../../tests/conformance')
const ITERATIONS = 10

/** Every regulariser alone, and all of them. */
export const REGULARISERS = {
  none: {},
  decay: { decay: 0.03 },
  blur: { blurSigma: 1, blurEvery: 4 },
  'small norm': { normPercentile: 40 },
  'small contribution': { contributionPercentile: 95 },
  'what came after the paper': {
    fourierPower: 1,
    jitterPixels: 2,
    scaleRange: 0.1,
    rotationDegrees: 10,
    redirectedIterations: 4,
    diversityWeight: 5,
  },
  all: { decay: 0.01, blurSigma: 0.5, blurEvery: 4, normPercentile: 30, contributionPercentile: 90 },
} as const

function settingsOf(own: object): AscentSettings {
  return AscentSettings.parse({
    scale: 'published',
    iterations: 1000,
    policy: { kind: 'progress', maxRate: 1e8, desired: 2 },
    ...own,
  })
}

function startPicture({ shape }: GreyLevels, number: number): Float32Array {
  const noise = new RandomStream(7, 'start', number)
  return Float32Array.from({ length: sizeOf(shape) }, () => 30 * noise.normal())
}

/** Two corners, an edge and the middle, every one another channel. */
function unitsOf(layer: AscentLayer): AscentUnit[] {
  const [height = 1, width = 1] = layer.network.shapes[layer.layer] ?? []
  const middle = [Math.floor(height / 2), Math.floor(width / 2)] as const
  return [[0, 0] as const, [height - 1, width - 1] as const, [0, middle[1]] as const, middle].map(
    (position, channel) => ({ channel, position }),
  )
}

async function climbed(layer: AscentLayer, units: readonly AscentUnit[], settings: AscentSettings) {
  const starts = units.map((unit, index) => ({
    ...{ unit, settings, start: index, group: String(index % 2) },
    picture: startPicture(layer.grey, index),
  }))
  const ascent = new Ascent(layer, starts)
  for (let iteration = 0; iteration < ITERATIONS; iteration++) await ascent.iterate()
  const traces = await ascent.takeTraces()
  const values = await ascent.read()
  ascent.dispose()
  return { traces, values }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? NaN))), 0)
}

export const LAYERS = [
  ['yosinski-a', 'conv1'],
  ['yosinski-b', 'conv2'],
] as const

/** Registers the tests for an engine. @param chosen of `REGULARISERS` @param layers of stored networks */
export function checkAscents(
  engine: () => Engine,
  chosen: readonly (keyof typeof REGULARISERS)[],
  layers: readonly (readonly [name: string, layer: string])[],
): void {
  it.each(layers.flatMap(([name, layer]) => chosen.map((regulariser) => [name, layer, regulariser] as const)))(
    '%s, %s: inside the fields as through the whole layer with %s',
    async (name, layer, regulariser) => {
      const network = storedNetwork(engine().tf, await CaseFile.read(CONFORMANCE, name))
      const grey = greyLevelsOf(network)
      const diverse = { diversityLayer: layer }
      const inside = new AscentLayer(engine(), network, layer, grey, diverse)
      const whole = new AscentLayer(engine(), network, layer, grey, { windows: false, ...diverse })
      expect(inside.plan?.share).toBeLessThan(0.8)
      expect(whole.plan).toBeUndefined()
      const settings = settingsOf(REGULARISERS[regulariser])
      const units = unitsOf(inside)
      const [a, b] = [await climbed(inside, units, settings), await climbed(whole, units, settings)]
      // Relative to the 255 grey levels that pictures span.
      expect(largestDifference(a.values.pictures, b.values.pictures) / 255).toBeLessThan(1e-5)
      expect(largestDifference(a.values.best, b.values.best) / 255).toBeLessThan(1e-5)
      expect([...a.values.majorityStep]).toEqual([...b.values.majorityStep])
      const width = TRACE_QUANTITIES.length
      for (let row = 0; row < a.traces.length / width; row++) {
        const [left, right] = [a.traces, b.traces].map((traces) => traces[row * width] ?? NaN) as [number, number]
        expect(Math.abs(left - right)).toBeLessThan(1e-4 * Math.max(1, Math.abs(right)))
      }
      const first = a.traces[0] ?? NaN
      const later = Array.from(
        { length: ITERATIONS - 1 },
        (_, row) => a.traces[(row + 1) * units.length * width] ?? NaN,
      )
      expect(Math.max(...later)).toBeGreaterThan(first)
      inside.dispose()
      whole.dispose()
      network.dispose()
    },
  )

  it('counts a unit as the largest where no channel at its own place is larger', async () => {
    const network = storedNetwork(engine().tf, await CaseFile.read(CONFORMANCE, 'yosinski-a'))
    const grey = greyLevelsOf(network)
    const { tf } = engine()
    for (const windows of [true, false]) {
      const layer = new AscentLayer(engine(), network, 'conv1', grey, { windows })
      const channels = network.shapes['conv1']?.[2] ?? 0
      const position = [3, 4] as const
      const units = Array.from({ length: channels }, (_, channel): AscentUnit => ({ channel, position }))
      const picture = startPicture(grey, 0).map((value) => Math.min(Math.max(value, -20), 20))
      const ascent = new Ascent(
        layer,
        units.map((unit) => ({ unit, settings: settingsOf({}), picture })),
      )
      await ascent.iterate()
      const rows = await ascent.takeTraces()
      const input = tf.tensor4d(
        picture.map((value, place) => value * (grey.toNetwork[place % grey.shape[2]] ?? 1)),
        [1, ...grey.shape],
      )
      const activations = network.forward(input, { to: 'conv1', backward: false })
      const [, width = 1] = network.shapes['conv1'] ?? []
      const at = (position[0] * width + position[1]) * channels
      const own = (await activations.get('conv1').data()).slice(at, at + channels)
      const largest = own.indexOf(Math.max(...own))
      const flags = units.map((_, index) => rows[(index + 1) * TRACE_QUANTITIES.length - 1])
      expect(flags).toEqual(units.map((_, index) => (index === largest ? 1 : 0)))
      activations.dispose()
      input.dispose()
      ascent.dispose()
      layer.dispose()
    }
    network.dispose()
  })

  it('captures nothing anew when settings change, and leaves no tensor behind after many iterations and restarts', async () => {
    const network = storedNetwork(engine().tf, await CaseFile.read(CONFORMANCE, 'yosinski-a'))
    const grey = greyLevelsOf(network)
    const layer = new AscentLayer(engine(), network, 'conv1', grey)
    const [unit] = unitsOf(layer).slice(-1)
    if (unit === undefined) throw new Error('there is no unit')
    const variants = (): number => layer.stats().reduce((sum, step) => sum + step.variants.length, 0)
    const restart = async (number: number): Promise<void> => {
      const ascent = new Ascent(layer, [
        { unit, settings: settingsOf(REGULARISERS.all), picture: startPicture(grey, 0) },
      ])
      for (let iteration = 0; iteration < 20; iteration++) {
        const value = (number * 20 + iteration + 1) / 221
        const policy = { kind: 'constant', rate: 1 + value } as const
        const own = { policy, decay: value / 10, blurSigma: 0.5 + value, blurEvery: 2 + (iteration % 3) }
        ascent.change([settingsOf({ ...own, normPercentile: 10 + 50 * value, contributionPercentile: 90 * value })])
        await ascent.iterate()
      }
      await ascent.takeTraces()
      ascent.dispose()
    }
    await restart(0)
    const before = { variants: variants(), tensors: engine().memory().tensors }
    for (let number = 1; number <= 10; number++) await restart(number)
    expect({ variants: variants(), tensors: engine().memory().tensors }).toEqual(before)
    expect(before.variants).toBe(layer.stats().some(({ captured }) => captured) ? 2 : 0)
    layer.dispose()
    network.dispose()
  })
}
