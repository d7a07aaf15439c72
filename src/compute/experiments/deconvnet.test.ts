import { join } from 'node:path'
import type { Rank } from '@tensorflow/tfjs'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { DeconvnetParams } from '../../shared/experiments/deconvnet.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { CaseFile } from '../network/conformance/case-file.ts'
import { buildGraph } from '../network/graph.ts'
import { Network } from '../network/network.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import { byLayer } from '../training/classifier-logits.ts'
import { deconvnet } from './deconvnet.ts'
import { finish, TEST_CLASSES, testContext, testSplit, type TestContextOptions } from './testing/test-context.ts'

const CONFORMANCE = join(import.meta.dirname, '../../../tests/conformance')
const ARTIFACT = 'a'.repeat(64)

let engine: Engine
let file: CaseFile
let network: Network
beforeAll(async () => {
  engine = await startCpu()
  file = await CaseFile.read(CONFORMANCE, 'deconvnet-a')
  const names = file.arrayNames.filter((name) => name.startsWith('weights/'))
  const weights = byLayer(
    Object.fromEntries(names.map((name) => [name.slice('weights/'.length), file.tensor(engine.tf, name)])),
  )
  network = Network.of(engine.tf, buildGraph(networkA()), weights)
})

/** The stored network A, taking bytes 0…255 as 0…1. */
const networkA = (): NetworkSpec =>
  NetworkSpec.parse({
    format: 'convscope-network',
    version: 1,
    name: 'a',
    title: 'A',
    preprocessing: { channelOrder: 'grey' },
    classes: TEST_CLASSES,
    layers: [
      { name: 'input', type: 'input', shape: [28, 28, 1] },
      { name: 'conv1', type: 'conv2d', filters: 8, kernel: [5, 5] },
      { name: 'relu1', type: 'relu' },
      { name: 'pool1', type: 'max-pool', kernel: [2, 2], stride: [2, 2] },
      { name: 'conv2', type: 'conv2d', filters: 16, kernel: [5, 5] },
      { name: 'relu2', type: 'relu' },
      { name: 'pool2', type: 'max-pool', kernel: [2, 2], stride: [2, 2] },
      { name: 'flatten', type: 'flatten' },
      { name: 'fc3', type: 'dense', units: 32 },
      { name: 'relu3', type: 'relu' },
      { name: 'fc4', type: 'dense', units: 10 },
    ],
  })

const look = async (changes: object, options: Omit<TestContextOptions, 'engine' | 'network'> = {}) => {
  const { context, outputs } = testContext({ engine, network, ...options })
  const picture = { dataset: 'digits', split: 'test', index: 3 }
  const params = DeconvnetParams.parse({ network: 'a', picture, layer: 'relu2', ...changes })
  return { ...(await finish(deconvnet(params, context))), outputs }
}

describe('deconvnet', () => {
  it('projects all channels of a layer in one batch', async () => {
    const { result, outputs } = await look({ units: { kind: 'all' } })
    const projections = outputs.arrays.get('projections')
    expect(projections?.shape).toEqual([16, 28, 28, 1])
    expect(outputs.arrays.get('activations')?.shape).toEqual([8, 8, 16])
    expect(outputs.arrays.get('input')?.shape).toEqual([28, 28, 1])
    expect(result).toMatchObject({ layerShape: [8, 8, 16], toLayer: 'input', label: { index: 3, label: 'three' } })
    expect(result.units.map(({ channel }) => channel)).toEqual([...Array(16).keys()])
    for (const [index, unit] of result.units.entries()) {
      const [row, column] = unit.position ?? [0, 0]
      expect(unit.value).toBeCloseTo(
        outputs.arrays.get('activations')?.values[(row * 8 + column) * 16 + index] ?? NaN,
        6,
      )
      expect(unit.value).toBe(result.channels[index]?.maximum)
      // A unit of the second convolution sees 14 × 14 pixels at stride 2; nothing outside is reached.
      expect(unit.field).toEqual([2 * row, 2 * row + 14, 2 * column, 2 * column + 14])
      for (let place = 0; place < 784; place++) {
        const inside =
          Math.floor(place / 28) >= 2 * row &&
          Math.floor(place / 28) < 2 * row + 14 &&
          place % 28 >= 2 * column &&
          place % 28 < 2 * column + 14
        if (!inside) expect(projections?.values[index * 784 + place]).toBe(0)
      }
    }
    expect(result.prediction).toHaveLength(10)
    expect(result.prediction.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5)
    expect(result.prediction[0]?.probability).toBeGreaterThanOrEqual(result.prediction[1]?.probability ?? 1)
  })

  it.each([
    ['single', 'gradient', (value: number) => value],
    ['one-hot', 'gradient', () => 1],
    ['single', 'guided', (value: number) => value],
  ] as const)('walks down from the seed %s by the rule %s', async (seed, relu, signalAt) => {
    const rules = { relu, unpool: 'sum', lrn: 'derivative' } as const
    const units = { kind: 'list', units: [{ channel: 10, position: [4, 4] }] }
    const { result, outputs } = await look({ seed, rules, units })
    const { tf } = engine
    const input = tf.tensor4d(Float32Array.from(outputs.arrays.get('input')?.values ?? []), [1, 28, 28, 1])
    const activations = network.forward(input)
    const place = tf.buffer<Rank.R4>([1, 8, 8, 16])
    place.set(signalAt(result.units[0]?.value ?? NaN), 0, 4, 4, 10)
    const expected = network.backward(activations, { from: 'relu2', signal: place.toTensor(), rules })
    const projection = outputs.arrays.get('projections')?.values ?? []
    // Inside windows the same sums are taken in another order.
    for (const [pixel, value] of (await expected.data()).entries()) expect(projection[pixel]).toBeCloseTo(value, 5)
  })

  it('seeds with a whole map, or with its maximum alone', async () => {
    const units = { kind: 'list', units: [{ channel: 10, position: [0, 0] }] }
    const rules = { relu: 'gradient', unpool: 'sum', lrn: 'derivative' }
    const maximum = await look({ seed: 'map-maximum', units, rules })
    const strongest = await look({ seed: 'single', units: { kind: 'list', units: [{ channel: 10 }] }, rules })
    expect(maximum.result.units).toEqual(strongest.result.units)
    expect(maximum.outputs.arrays.get('projections')).toEqual(strongest.outputs.arrays.get('projections'))
    // The gradient is linear: the projection of the map is the sum of those of its places.
    const map = await look({ seed: 'map', units, rules })
    const places = Array.from({ length: 64 }, (_, place) => ({
      channel: 10,
      position: [Math.floor(place / 8), place % 8],
    }))
    const each =
      (await look({ units: { kind: 'list', units: places }, rules })).outputs.arrays.get('projections')?.values ?? []
    const whole = map.outputs.arrays.get('projections')?.values ?? []
    for (let pixel = 0; pixel < 784; pixel++) {
      const sum = places.reduce((total, _, place) => total + (each[place * 784 + pixel] ?? NaN), 0)
      expect(whole[pixel]).toBeCloseTo(sum, 4)
    }
  })

  it('reads pictures from files as it reads those of data sets', async () => {
    const { images } = testSplit('test', 20)
    const raw = { width: 28, height: 28, channels: 1 } as const
    const png = await sharp(images.slice(3 * 784, 4 * 784), { raw })
      .png()
      .toBuffer()
    const fromFile = await look({ picture: { artifact: ARTIFACT } }, { artifacts: { [ARTIFACT]: png } })
    const fromData = await look({})
    expect(fromFile.outputs.arrays.get('input')).toEqual(fromData.outputs.arrays.get('input'))
    expect(fromFile.result.label).toBeNull()
  })

  it('reads no drawings, which could name other files', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><rect width="28" height="28"/></svg>'
    await expect(
      look({ picture: { artifact: ARTIFACT } }, { artifacts: { [ARTIFACT]: Buffer.from(svg) } }),
    ).rejects.toMatchObject({ code: 'damaged', message: expect.stringContaining('svg') })
  })

  it('chooses the strongest channels, ties by lower index', async () => {
    const { result } = await look({ units: { kind: 'strongest', count: 5 } })
    const all = await look({ units: { kind: 'all' } })
    const expected = all.result.units
      .toSorted((a, b) => b.value - a.value || a.channel - b.channel)
      .slice(0, 5)
      .map(({ channel }) => channel)
    expect(result.units.map(({ channel }) => channel)).toEqual(expected)
  })

  it('writes pictures only when asked, one a unit and a contact sheet, with zero at mid-grey', async () => {
    const units = { kind: 'list', units: [{ channel: 10 }, { channel: 2, position: [1, 2] }] }
    const without = await look({ units })
    expect(without.outputs.pictures.size).toBe(0)
    expect(without.outputs.tables.size).toBe(0)
    const { outputs } = await look({ units }, { pictures: true })
    const lines = outputs.tables.get('units') ?? []
    expect(lines[0]).toBe('channel,row,column,activation,magnitude')
    expect(lines).toHaveLength(1 + 2)
    expect([...outputs.pictures.keys()]).toEqual(expect.arrayContaining(['input', 'projections']))
    const names = [...outputs.pictures.keys()].filter((name) => name.startsWith('projection-'))
    expect(names[1]).toBe('projection-001-channel-2-at-1-2')
    const picture = outputs.pictures.get(names[0] ?? '')
    expect(picture).toMatchObject({ width: 112, height: 112, channels: 1 })
    expect(picture?.pixels[0]).toBe(128)
    expect([0, 255]).toContain(
      picture && [...picture.pixels].reduce((a, b) => (Math.abs(b - 128) > Math.abs(a - 128) ? b : a)),
    )
  })

  it('expresses a projection in a lower layer, and projects units of dense layers', async () => {
    const { result, outputs } = await look({ layer: 'fc3', toLayer: 'pool1', units: { kind: 'strongest', count: 3 } })
    expect(outputs.arrays.get('projections')?.shape).toEqual([3, 12, 12, 8])
    expect(result.units[0]).toMatchObject({ position: null, field: null })
  })

  it('says why a projection is all zeros', async () => {
    const units = Array.from({ length: 16 }, (_, channel) => ({ channel, position: [0, 0] }))
    const { result } = await look({ units: { kind: 'list', units } })
    const [silent, seen] = [
      result.units.filter(({ magnitude }) => magnitude === 0),
      result.units.filter(({ magnitude }) => magnitude > 0),
    ]
    expect(silent.length).toBeGreaterThan(0)
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.every(({ empty }) => empty === undefined)).toBe(true)
    for (const { channel, empty } of silent) {
      const never = (result.channels[channel]?.maximum ?? 0) === 0
      expect(empty).toMatchObject({ code: never ? 'never-active' : 'inactive-here', layer: 'relu2' })
    }
  })

  it.each([
    [{ layer: 'conv9' }, 'not-found', /no layer conv9/],
    [{ layer: 'pool1', toLayer: 'relu2' }, 'invalid-input', /relu2 does not lie below pool1/],
    [{ layer: 'input' }, 'invalid-input', /input does not lie below input/],
    [
      { units: { kind: 'list', units: [{ channel: 16 }] } },
      'invalid-input',
      /relu2 has no channel 16: its channels are 0 to 15/,
    ],
    [{ units: { kind: 'list', units: [{ channel: 0, position: [8, 0] }] } }, 'invalid-input', /rows are 0 to 7/],
    [
      { layer: 'fc3', units: { kind: 'list', units: [{ channel: 0, position: [0, 0] }] } },
      'invalid-input',
      /has no places/,
    ],
    [{ picture: { dataset: 'digits', split: 'test', index: 20 } }, 'invalid-input', /pictures 0 to 19/],
    [{ picture: { artifact: ARTIFACT } }, 'damaged', /cannot be read/],
  ])('refuses %j by name', async (changes, code, message) => {
    const looking = look(changes, { artifacts: { [ARTIFACT]: new Uint8Array(10) } })
    await expect(looking).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
  })

  it('leaves no tensors behind', async () => {
    await look({})
    const before = engine.memory().tensors
    await look({})
    expect(engine.memory().tensors).toBe(before)
  })
})

it('keeps the bytes of the picture', async () => {
  const { outputs } = await look({}, { pictures: true })
  const shown = outputs.pictures.get('input')
  const data = testSplit('test', 20)
  expect(shown?.pixels[0]).toBe(data.images[3 * 784])
})
