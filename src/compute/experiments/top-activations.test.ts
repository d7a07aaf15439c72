import { beforeAll, describe, expect, it } from 'vitest'
import { DeconvnetParams } from '../../shared/experiments/deconvnet.ts'
import { TopActivationsParams, TopLayerTable, topOutput } from '../../shared/experiments/top-activations.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import type { Network } from '../network/network.ts'
import { PictureSource } from '../study/picture-source.ts'
import { locate } from '../study/locate.ts'
import { scan } from '../study/scan.ts'
import { smallConvnet } from '../study/testing/small-networks.ts'
import { deconvnet } from './deconvnet.ts'
import { finish, testContext, testSplit } from './testing/test-context.ts'
import { topActivations } from './top-activations.ts'

const COUNT = 60
const LAYERS = ['conv1', 'pool1', 'relu2', 'relu3', 'dense2']

let engine: Engine
let network: Network
beforeAll(async () => {
  engine = await startCpu()
  network = smallConvnet(engine.tf)
})

const run = async (changes: object = {}, own: Network = network, pictures = false) => {
  const { context, outputs } = testContext({ engine, network: own, count: COUNT, pictures })
  const params = TopActivationsParams.parse({
    network: 'small',
    dataset: 'digits',
    layers: LAYERS,
    batchSize: 16,
    drawn: { kind: 'all' },
    ...changes,
  })
  const { result } = await finish(topActivations(params, context))
  const table = (layer: string) => TopLayerTable.parse(outputs.json.get(topOutput('channels', layer)))
  return { result, outputs, table }
}

/** One picture after another, all values sorted. */
function bruteForce(own: Network, layer: string): { picture: number; value: number; place: number }[][] {
  const data = testSplit('test', COUNT)
  const found: { picture: number; value: number; place: number }[][] = []
  for (let picture = 0; picture < COUNT; picture++) {
    const values = engine.tf.tidy(() => {
      const pixels = Float32Array.from(data.images.subarray(picture * 784, (picture + 1) * 784), (byte) => byte / 255)
      return own
        .forward(engine.tf.tensor4d(pixels, [1, 28, 28, 1]), { to: layer, backward: false })
        .get(layer)
        .dataSync()
    })
    const channels = own.shapes[layer]?.at(-1) ?? 1
    for (let channel = 0; channel < channels; channel++) {
      let best = 0
      for (let place = 1; place < values.length / channels; place++) {
        if ((values[place * channels + channel] ?? 0) > (values[best * channels + channel] ?? 0)) best = place
      }
      ;(found[channel] ??= []).push({ picture, value: values[best * channels + channel] ?? NaN, place: best })
    }
  }
  return found.map((entries) => entries.sort((a, b) => b.value - a.value || a.picture - b.picture).slice(0, 9))
}

describe('top activations', () => {
  it('are those of a brute-force scan, with places, ties by the lower index', async () => {
    const { result, table, outputs } = await run({ drawn: { kind: 'list', channels: [1] } })
    for (const [index, layer] of LAYERS.entries()) {
      const { channels } = table(layer)
      const expected = bruteForce(network, layer)
      const width = network.shapes[layer]?.length === 3 ? (network.shapes[layer]?.[1] ?? 1) : 1
      expect(channels).toHaveLength(expected.length)
      for (const { channel, top, maximum } of channels) {
        expect(top.map(({ picture }) => picture)).toEqual(expected[channel]?.map(({ picture }) => picture))
        expect(maximum).toBe(top[0]?.value)
        for (const [rank, entry] of top.entries()) {
          const { value = NaN, place = NaN } = expected[channel]?.[rank] ?? {}
          expect(entry.value).toBeCloseTo(value, 5)
          if (entry.position) expect(entry.position).toEqual([Math.floor(place / width), place % width])
          expect(entry.class).toBe(entry.picture % 10)
          expect(Math.abs(entry.deviation)).toBeLessThan(1e-5)
        }
      }
      expect(result.layers[index]?.largestDeviation).toBeLessThan(1e-5)
      const [, first = ''] = outputs.tables.get(topOutput('channels', layer)) ?? []
      const { picture, value } = channels.find(({ responds }) => responds)?.top[0] ?? { ...channels[0]?.top[0] }
      expect(first.split(',').slice(1, 4).map(Number)).toEqual([1, picture, value])
    }
  })

  it('counts classes and activations of all pictures', async () => {
    const { table } = await run({ layers: ['relu2'] })
    for (const { histogram, classCounts, classMeans, mean, top } of table('relu2').channels) {
      expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(COUNT)
      expect(classCounts.reduce((sum, count) => sum + count, 0)).toBe(9)
      expect(histogram.start + histogram.step * histogram.counts.length).toBeGreaterThan(top[0]?.value ?? 0)
      // As many pictures of every class.
      expect(classMeans.reduce((sum: number, value) => sum + (value ?? NaN), 0) / 10).toBeCloseTo(mean, 5)
    }
  })

  it('projects as the deconvnet does, in the frame of the field', async () => {
    const { outputs, table } = await run({ layers: ['relu2', 'relu3'], count: 3 })
    for (const layer of ['relu2', 'relu3']) {
      const projections = outputs.arrays.get(topOutput('projections', layer))
      const [, , height = 0, width = 0] = projections?.shape ?? []
      for (const channel of [0, 5]) {
        const entry = table(layer).channels[channel]?.top[1]
        if (!entry) throw new Error('no entry')
        const unit = { channel, ...(entry.position ? { position: entry.position } : {}) }
        const params = DeconvnetParams.parse({
          network: 'small',
          picture: { dataset: 'digits', split: 'test', index: entry.picture },
          layer,
          units: { kind: 'list', units: [unit] },
        })
        const look = testContext({ engine, network, count: COUNT })
        await finish(deconvnet(params, look.context))
        const whole = look.outputs.arrays.get('projections')?.values ?? []
        const [top, , left] = entry.field && height < 28 ? entry.field : [0, 0, 0]
        for (let place = 0; place < height * width; place++) {
          const row = top + Math.floor(place / width)
          const column = left + (place % width)
          const inside = row >= 0 && row < 28 && column >= 0 && column < 28
          const value = projections?.values[(channel * 3 + 1) * height * width + place] ?? NaN
          expect(value).toBeCloseTo(inside ? (whole[row * 28 + column] ?? NaN) : 0, 4)
        }
      }
    }
  })

  it('says which channels are dead, and draws no grey for them', async () => {
    const dead = smallConvnet(engine.tf)
    const kernel = dead.weights['conv2']?.['kernel']
    const bias = dead.weights['conv2']?.['bias']
    if (!kernel || !bias) throw new Error('no weights')
    const weights = {
      ...dead.weights,
      conv2: { kernel, bias: engine.tf.tensor1d([-1e6, 0, 0, -1e6, 0, 0]) },
    }
    const own = (dead.constructor as typeof Network).of(engine.tf, dead.graph, weights)
    const { result, outputs } = await run({ layers: ['relu2'], count: 2 }, own, true)
    expect(result.layers[0]?.dead).toEqual([0, 3])
    const projections = outputs.arrays.get('projections-relu2')
    const size = (projections?.values.length ?? 0) / 6
    expect(
      Array.from(projections?.values ?? [])
        .slice(0, size)
        .every((value) => value === 0),
    ).toBe(true)
    const figure = outputs.pictures.get('figure-relu2')
    // Stripes, not mid-grey, stand for what is not there.
    expect(figure?.pixels.slice(0, 60)).toEqual(expect.objectContaining({ 0: 120, 12: 168 }))
  })

  it('goes on from a checkpoint with the same tables, whose size does not depend on the pictures', async () => {
    const source = async () =>
      new PictureSource(await testContext({ engine, count: COUNT }).context.dataset('d', 'test'), network)
    const options = { layers: LAYERS, count: 4, batchSize: 16, checkpointMs: 0 }
    const signal = new AbortController().signal
    const whole = scan(network, await source(), options, { engine, signal })
    const checkpoints: Uint8Array[] = []
    let step = await whole.next()
    for (; !step.done; step = await whole.next()) {
      if (step.value.type === 'checkpoint') checkpoints.push(step.value.bytes)
    }
    expect(checkpoints).toHaveLength(3)
    expect(Math.abs((checkpoints[0]?.length ?? 0) - (checkpoints[2]?.length ?? 0))).toBeLessThan(16)
    const again = scan(network, await source(), options, { engine, signal, checkpoint: checkpoints[1] })
    let rest = await again.next()
    while (!rest.done) rest = await again.next()
    for (const layer of LAYERS) expect(rest.value.get(layer)?.tensors()).toEqual(step.value.get(layer)?.tensors())
  })

  it('notices that pictures have changed since the scan', async () => {
    const { context } = testContext({ engine, count: COUNT })
    const source = new PictureSource(await context.dataset('d', 'test'), network)
    const signal = new AbortController().signal
    const scanning = scan(network, source, { layers: ['relu2'], count: 2, batchSize: 16 }, { engine, signal })
    let step = await scanning.next()
    while (!step.done) step = await scanning.next()
    const table = step.value.get('relu2')
    if (!table) throw new Error('no table')
    const other = new PictureSource(await context.dataset('d', 'train'), network)
    await expect(locate(engine, network, other, 'relu2', table).next()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/Picture \d+ no longer gives/) as string,
    })
  })

  it.each([
    [{ layers: ['input'] }, 'invalid-input', /input is the input/],
    [{ layers: ['conv9'] }, 'not-found', /no layer conv9/],
    [
      { drawn: { kind: 'list', channels: [4] }, layers: ['conv1'] },
      'invalid-input',
      /no channel 4: its channels are 0 to 3/,
    ],
  ])('refuses %j by name', async (changes, code, message) => {
    await expect(run(changes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
  })

  it('shows the whole picture where the field is larger', async () => {
    const wide = smallConvnet(engine.tf, 4, [
      { name: 'conv1', type: 'conv2d', filters: 2, kernel: [31, 5], stride: [9, 9], padding: [15, 15, 0, 0] },
    ])
    const { outputs, table } = await run({ layers: ['conv1'], count: 2 }, wide)
    expect(outputs.arrays.get('projections-conv1')?.shape).toEqual([2, 2, 28, 5, 1])
    expect(table('conv1').channels[0]?.top[0]?.field?.[1]).toBeGreaterThan(15)
  })

  it('works without pools, rectifiers and places', async () => {
    const linear = smallConvnet(engine.tf, 4, [
      { name: 'conv1', type: 'conv2d', filters: 3, kernel: [28, 28] },
      { name: 'flatten', type: 'flatten' },
      { name: 'dense1', type: 'dense', units: 4 },
    ])
    const { result } = await run({ layers: ['conv1', 'dense1'], count: 2 }, linear, true)
    expect(result.layers.map(({ channels, dead }) => [channels, dead])).toEqual([
      [3, []],
      [4, []],
    ])
  })

  it('leaves no tensors behind', async () => {
    await run({ layers: ['relu2'] })
    const before = engine.memory().tensors
    await run({ layers: ['relu2'] })
    expect(engine.memory().tensors).toBe(before)
  })
})
