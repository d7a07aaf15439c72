import { beforeAll, describe, expect, it } from 'vitest'
import { ActivationStatisticsParams, LayerStatistics } from '../../shared/experiments/activation-statistics.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import type { Network } from '../network/network.ts'
import { ChannelMoments } from '../study/channel-moments.ts'
import { writePassState } from '../study/pass-state.ts'
import { smallConvnet } from '../study/testing/small-networks.ts'
import { activationStatistics } from './activation-statistics.ts'
import { finish, testContext, testSplit } from './testing/test-context.ts'

const COUNT = 23

let engine: Engine
let network: Network
beforeAll(async () => {
  engine = await startCpu()
  network = smallConvnet(engine.tf)
})

const run = async (changes: object = {}, own: Network = network, checkpoint?: Uint8Array) => {
  const { context, outputs } = testContext({
    engine,
    network: own,
    count: COUNT,
    pictures: true,
    ...(checkpoint && { checkpoint }),
  })
  const params = ActivationStatisticsParams.parse({
    network: 'small',
    dataset: 'digits',
    layers: ['relu2', 'relu3'],
    batchSize: 10,
    ...changes,
  })
  return { ...(await finish(activationStatistics(params, context))), outputs }
}

/** Every value of each channel of a layer, one picture after another: `[channels][samples]`. */
function allValues(layer: string, values: 'places' | 'mean' | 'maximum'): number[][] {
  const { images } = testSplit('test', COUNT)
  const channels = network.shapes[layer]?.at(-1) ?? 1
  const found = Array.from({ length: channels }, (): number[] => [])
  for (let picture = 0; picture < COUNT; picture++) {
    const output = engine.tf.tidy(() => {
      const pixels = Float32Array.from(images.subarray(picture * 784, (picture + 1) * 784), (byte) => byte / 255)
      const input = engine.tf.tensor4d(pixels, [1, 28, 28, 1])
      return network.forward(input, { to: layer, backward: false }).get(layer).dataSync()
    })
    for (let channel = 0; channel < channels; channel++) {
      const own = [...output].filter((_, place) => place % channels === channel)
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length
      found[channel]?.push(...(values === 'places' ? own : [values === 'mean' ? mean : Math.max(...own)]))
    }
  }
  return found
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** By the definition, in two passes. */
function pearson(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [meanOf(a), meanOf(b)]
  const products = a.map((value, index) => (value - meanA) * ((b[index] ?? NaN) - meanB))
  const squares = (values: readonly number[], mean: number) => meanOf(values.map((value) => (value - mean) ** 2))
  return meanOf(products) / Math.sqrt(squares(a, meanA) * squares(b, meanB))
}

describe('activation statistics', () => {
  it.each(['places', 'mean', 'maximum'] as const)('are those of all values (%s), in one pass', async (values) => {
    const { result, outputs } = await run({ values })
    for (const { layer, channels, samples } of result.layers) {
      const expected = allValues(layer, values)
      expect(samples).toBe(expected[0]?.length)
      const matrix = outputs.arrays.get(`correlation-${layer}`)
      expect(matrix?.shape).toEqual([channels, channels])
      const table = LayerStatistics.parse(outputs.json.get(`statistics-${layer}`))
      for (const [row, own] of expected.entries()) {
        const { mean, deviation, minimum, maximum, zeros, histogram } = table.channels[row] ?? { ...table.channels[0] }
        expect(mean).toBeCloseTo(meanOf(own), 5)
        expect([minimum, maximum]).toEqual([
          expect.closeTo(Math.min(...own), 5) as number,
          expect.closeTo(Math.max(...own), 5) as number,
        ])
        expect(deviation).toBeCloseTo(Math.sqrt(meanOf(own.map((value) => (value - meanOf(own)) ** 2))), 5)
        expect(zeros).toBeCloseTo(own.filter((value) => value === 0).length / own.length, 10)
        expect(histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(samples)
        for (const [column, other] of expected.entries()) {
          const found = matrix?.values[row * channels + column] ?? NaN
          const wanted = pearson(own, other)
          if (Number.isNaN(wanted)) expect(found).toBeNaN()
          else expect(found).toBeCloseTo(wanted, 5)
        }
      }
    }
  })

  it('name the pairs that go together, and write tables for other programs', async () => {
    const { result, outputs } = await run({ layers: ['relu2'] })
    const [first] = result.layers[0]?.strongest ?? []
    const matrix = outputs.arrays.get('correlation-relu2')?.values as Float64Array
    const others = [...matrix].filter((value, place) => place % 7 !== 0 && !Number.isNaN(value)).map(Math.abs)
    expect(Math.abs(first?.correlation ?? 0)).toBe(Math.max(...others))
    const lines = outputs.tables.get('correlation-relu2') ?? []
    expect(lines[0]).toBe('channel,0,1,2,3,4,5')
    expect(lines[2]?.split(',').map(Number)).toEqual([1, ...matrix.subarray(6, 12)])
    expect(outputs.tables.get('statistics-relu2')).toHaveLength(7)
    expect(outputs.pictures.get('correlation-relu2')).toMatchObject({ width: 510, height: 510 })
  })

  it('say which channels are constant: nothing correlates with them', async () => {
    const kernel = network.weights['conv2']?.['kernel']
    if (!kernel) throw new Error('no weights')
    const bias = engine.tf.tensor1d([-1e6, 0, 0, 0, 0, 0])
    const weights = { ...network.weights, conv2: { kernel, bias } }
    const dead = (network.constructor as typeof Network).of(engine.tf, network.graph, weights)
    const { result, outputs } = await run({ layers: ['relu2'] }, dead)
    expect(result.layers[0]?.constant).toEqual([0])
    expect(outputs.arrays.get('correlation-relu2')?.values[1]).toBeNaN()
    expect(outputs.tables.get('correlation-relu2')?.[1]).toBe('0,,,,,,')
    // Grey, not the white of no correlation.
    expect(outputs.pictures.get('correlation-relu2')?.pixels.subarray(0, 3)).toEqual(Uint8Array.of(128, 128, 128))
  })

  it('go on from a checkpoint with the same sums', async () => {
    const whole = await run({ layers: ['relu2'] })
    const { images } = testSplit('test', COUNT)
    const pixels = Float32Array.from(images.subarray(0, 10 * 784), (byte) => byte / 255)
    const first = new ChannelMoments(6)
    engine.tf.tidy(() => {
      const input = engine.tf.tensor4d(pixels, [10, 28, 28, 1])
      first.add(network.forward(input, { to: 'relu2', backward: false }).get('relu2').dataSync<'float32'>())
    })
    const checkpoint = writePassState(10, new Map([['relu2', first]]))
    const rest = await run({ layers: ['relu2'] }, network, checkpoint)
    expect(rest.result).toEqual(whole.result)
    expect(rest.outputs.arrays).toEqual(whole.outputs.arrays)
    await expect(run({ layers: ['relu3'] }, network, checkpoint)).rejects.toMatchObject({ code: 'damaged' })
  })

  it('refuse by name what cannot be summed up', async () => {
    await expect(run({ layers: ['conv9'] })).rejects.toThrow(/no layer conv9/)
    const wide = smallConvnet(engine.tf, 3, [
      { name: 'conv1', type: 'conv2d', filters: 1, kernel: [28, 28] },
      { name: 'flatten', type: 'flatten' },
      { name: 'dense1', type: 'dense', units: 1025 },
    ])
    await expect(run({ layers: ['dense1'] }, wide)).rejects.toThrow(/dense1 of small has 1025 channels/)
  })

  it('leave no tensors behind', async () => {
    await run()
    const before = engine.memory().tensors
    await run()
    expect(engine.memory().tensors).toBe(before)
  })
})
