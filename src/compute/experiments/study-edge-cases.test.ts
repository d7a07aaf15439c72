/** Networks and pictures at the edge of what the study is made for: a right result or a clear message. */
import { beforeAll, describe, expect, it } from 'vitest'
import { CorrespondenceParams } from '../../shared/experiments/correspondence.ts'
import { DeconvnetParams } from '../../shared/experiments/deconvnet.ts'
import { FeatureEvolutionParams } from '../../shared/experiments/feature-evolution.ts'
import { InvarianceParams } from '../../shared/experiments/invariance.ts'
import { OcclusionParams } from '../../shared/experiments/occlusion.ts'
import { TopActivationsParams } from '../../shared/experiments/top-activations.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { Network } from '../network/network.ts'
import { smallConvnet } from '../study/testing/small-networks.ts'
import { correspondence } from './correspondence.ts'
import { deconvnet } from './deconvnet.ts'
import { featureEvolution } from './feature-evolution.ts'
import { invariance } from './invariance.ts'
import { occlusion } from './occlusion.ts'
import { finish, memoryCache, testContext, testSplit } from './testing/test-context.ts'
import { topActivations } from './top-activations.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startCpu()
})

const picture = (index: number) => ({ dataset: 'digits', split: 'test', index })
const CLASSES = { name: 'dense', type: 'dense', units: 10 }
const linear = () =>
  smallConvnet(engine.tf, 4, [
    { name: 'conv', type: 'conv2d', filters: 3, kernel: [5, 5], stride: [3, 3] },
    { name: 'flatten', type: 'flatten' },
    CLASSES,
  ])
const withoutPlaces = () => smallConvnet(engine.tf, 4, [{ name: 'flatten', type: 'flatten' }, CLASSES])
/** Fields of 45 × 45 on pictures of 28 × 28. */
const wide = () =>
  smallConvnet(engine.tf, 4, [
    { name: 'conv1', type: 'conv2d', filters: 3, kernel: [23, 23], stride: [2, 2], padding: 'same' },
    { name: 'relu1', type: 'relu' },
    { name: 'conv2', type: 'conv2d', filters: 2, kernel: [12, 12], padding: 'same' },
    { name: 'relu2', type: 'relu' },
    { name: 'flatten', type: 'flatten' },
    CLASSES,
  ])
/** The first channel of conv2 is below 0 everywhere. */
function dead(): Network {
  const network = smallConvnet(engine.tf)
  const kernel = network.weights['conv2']?.['kernel']
  if (!kernel) throw new Error('no weights')
  const bias = engine.tf.tensor1d([-1e6, 0, 0, 0, 0, 0])
  return Network.of(engine.tf, network.graph, { ...network.weights, conv2: { kernel, bias } })
}

const occluded = (changes: object = {}) =>
  OcclusionParams.parse({ network: 'small', picture: picture(3), window: [7, 7], stride: [7, 7], ...changes })
const moved = InvarianceParams.parse({
  network: 'small',
  pictures: [picture(1), picture(2)],
  transformations: [{ kind: 'translation', from: -2, to: 2, count: 3 }],
})
const marked = CorrespondenceParams.parse({
  network: 'small',
  pictures: [0, 1, 2].map((index) => ({ picture: picture(index), parts: { top: [0, 8, 4, 20] } })),
  randomTrials: 1,
})

describe('neither pools nor rectifiers', () => {
  it('occludes, moves and compares', async () => {
    const network = linear()
    const hidden = await finish(occlusion(occluded(), testContext({ engine, network }).context))
    expect(hidden.result).toMatchObject({ layer: 'conv', positions: [4, 4] })
    const { result } = await finish(invariance(moved, testContext({ engine, network }).context))
    // The hidden layer before the scores holds the same values.
    expect(result.layers).toEqual(['conv', 'flatten'])
    expect(result.curves[0]?.distances[0]).toEqual(result.curves[0]?.distances[1])
    const compared = await finish(correspondence(marked, testContext({ engine, network }).context))
    expect(compared.result.rows.map(({ part }) => part)).toEqual(['top', 'random'])
  })
})

describe('no layer with places', () => {
  it('is said where one is needed, and is no matter elsewhere', async () => {
    const network = withoutPlaces()
    const { context } = testContext({ engine, network })
    await expect(finish(occlusion(occluded(), context))).rejects.toMatchObject({
      message: 'The network small has no layer with places',
      remedy: expect.any(String) as string,
    })
    const hidden = await finish(occlusion(occluded({ layer: 'dense', channel: 3 }), context))
    expect(hidden.result.clean.activation).toBeCloseTo(hidden.result.clean.logit ?? NaN, 5)
    expect((await finish(invariance(moved, context))).result.layers).toEqual(['flatten'])
  })
})

describe('a picture smaller than the receptive field', () => {
  it('is projected and scanned as a whole', async () => {
    const network = wide()
    const { context, outputs } = testContext({ engine, network, pictures: true })
    const params = DeconvnetParams.parse({ network: 'small', picture: picture(3), layer: 'relu2' })
    await finish(deconvnet(params, context))
    expect(outputs.arrays.get('projections')?.shape).toEqual([2, 28, 28, 1])
    const scanned = TopActivationsParams.parse({ network: 'small', dataset: 'digits', layers: ['relu2'], count: 2 })
    const { result } = await finish(topActivations(scanned, context))
    expect(result.layers[0]?.largestDeviation).toBeLessThan(1e-4)
    expect(outputs.arrays.get('projections-relu2')?.shape).toEqual([2, 2, 28, 28, 1])
    const hidden = await finish(occlusion(occluded({ layer: 'relu2' }), context))
    expect(hidden.result.evaluations).toBe(16)
  })
})

describe('a dead channel', () => {
  it('has no projection, no evolution and the same activation under every square', async () => {
    const network = dead()
    const { context, outputs } = testContext({ engine, network, pictures: true })
    const units = { kind: 'list', units: [{ channel: 0 }] }
    const params = DeconvnetParams.parse({ network: 'small', picture: picture(3), layer: 'relu2', units })
    expect((await finish(deconvnet(params, context))).result.units).toMatchObject([{ value: 0, magnitude: 0 }])
    const { result } = await finish(occlusion(occluded({ layer: 'relu2', channel: 0 }), context))
    expect([result.clean.activation, result.lowest.activation.value]).toEqual([0, 0])
    const evolution = FeatureEvolutionParams.parse({
      snapshots: { from: 'networks', networks: [{ epoch: 1, network: 'small' }] },
      dataset: 'digits',
      layers: ['relu2'],
      drawn: { kind: 'list', channels: [0, 1] },
    })
    const evolved = await finish(featureEvolution(evolution, context))
    expect(evolved.result.layers[0]?.channels.map(({ strongest }) => strongest[0] === null)).toEqual([true, false])
    // Stripes say that there is nothing; grey would look like a projection.
    expect(outputs.pictures.get('figure-relu2')?.pixels.slice(0, 13)).toEqual(
      expect.objectContaining({ 0: 120, 12: 168 }),
    )
  })
})

describe('a data set that changes', () => {
  it('is noticed, and its remembered scan forgotten', async () => {
    const network = smallConvnet(engine.tf)
    const cache = memoryCache()
    const params = TopActivationsParams.parse({ network: 'small', dataset: 'digits', layers: ['relu2'], count: 2 })
    const scanned = (split: 'train' | 'test') => {
      const { context } = testContext({ engine, network, cache })
      // The same name and hash, whatever is in it.
      const dataset = () => Promise.resolve(testSplit(split, 20))
      return finish(topActivations(params, { ...context, dataset }))
    }
    await scanned('test')
    await expect(scanned('train')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/Picture \d+ no longer gives/) as string,
    })
    expect((await scanned('train')).result.cached).toEqual([])
  })
})
