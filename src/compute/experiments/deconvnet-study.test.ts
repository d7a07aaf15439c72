import { beforeAll, describe, expect, it } from 'vitest'
import { CorrespondenceParams } from '../../shared/experiments/correspondence.ts'
import { FeatureEvolutionParams } from '../../shared/experiments/feature-evolution.ts'
import { InvarianceParams } from '../../shared/experiments/invariance.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import type { Network } from '../network/network.ts'
import { writeWeights } from '../network/weights.ts'
import { meanAndError, signDifferences, signs } from '../study/sign-differences.ts'
import { smallConvnet } from '../study/testing/small-networks.ts'
import { correspondence } from './correspondence.ts'
import { featureEvolution } from './feature-evolution.ts'
import { invariance } from './invariance.ts'
import { finish, testContext } from './testing/test-context.ts'

let engine: Engine
let network: Network
beforeAll(async () => {
  engine = await startCpu()
  network = smallConvnet(engine.tf)
})
const picture = (index: number) => ({ dataset: 'digits', split: 'test', index })

describe('invariance', () => {
  const run = async (changes: object = {}) => {
    const { context, outputs } = testContext({ engine, network, pictures: true })
    const params = InvarianceParams.parse({
      network: 'small',
      pictures: [picture(1), picture(4)],
      transformations: [
        { kind: 'translation', from: -2, to: 2, count: 5 },
        { kind: 'scale', from: 1, to: 1.5, count: 3 },
        { kind: 'rotation', from: 0, to: 360, count: 5 },
      ],
      ...changes,
    })
    return { ...(await finish(invariance(params, context))).result, outputs }
  }

  it('is 0 where nothing moves, at both ends of a full turn', async () => {
    const { curves, layers, classes, outputs } = await run()
    expect(layers).toEqual(['relu1', 'relu3'])
    expect(classes).toMatchObject([{ index: 1 }, { index: 4 }])
    const [translation, scale, rotation] = curves
    for (const [curve, still] of [
      [translation, [2]],
      [scale, [0]],
      [rotation, [0, 4]],
    ] as const) {
      for (const distances of curve?.distances.flat() ?? []) {
        for (const [index, distance] of distances.entries()) {
          if ((still as readonly number[]).includes(index)) expect(distance).toBe(0)
          else expect(distance).toBeGreaterThan(0)
        }
      }
    }
    expect(outputs.arrays.get('distances-0-translation')?.shape).toEqual([2, 2, 5])
    expect(outputs.arrays.get('probabilities-2-rotation')?.shape).toEqual([2, 5])
    expect([...outputs.pictures.keys()]).toEqual(['figure-0-translation', 'figure-1-scale', 'figure-2-rotation'])
    const lines = outputs.tables.get('curves') ?? []
    expect(lines[0]).toBe('transformation,direction,picture,class,value,distance relu1,distance relu3,probability')
    expect(lines).toHaveLength(1 + 2 * (5 + 3 + 5))
    const distance = translation?.distances[1]?.[0]?.[1] ?? NaN
    const probability = translation?.probabilities[0]?.[1] ?? NaN
    expect(lines[2]).toBe(
      `translation,vertical,1,1,-1,${translation?.distances[0]?.[0]?.[1]},${distance},${probability}`,
    )
  })

  it('refuses to scale by nothing', async () => {
    const transformations = [{ kind: 'scale', from: 0, to: 1, count: 3 }]
    await expect(run({ transformations })).rejects.toThrow(/cannot be scaled by 0/)
  })
})

describe('correspondence', () => {
  const run = async (changes: object = {}) => {
    const { context, outputs } = testContext({ engine, network, pictures: true, seed: 2 })
    const pictures = [0, 10, 20, 30, 40].map((index) => ({
      picture: picture(index % 20),
      parts: { top: [0, 8, 4, 20], corner: [20, 28, 20, 28] },
    }))
    const params = CorrespondenceParams.parse({ network: 'small', pictures, ...changes })
    return { ...(await finish(correspondence(params, context))).result, outputs }
  }

  it('compares signs of changes over all pairs', () => {
    const changes = [
      signs(new Float32Array([3, 1, 0, 2]), new Float32Array([1, 1, 1, 2])),
      new Int8Array([1, 1, -1, 0]),
    ]
    expect([...(changes[0] ?? [])]).toEqual([1, 0, -1, 0])
    expect(signDifferences([...changes, new Int8Array([-1, 1, -1, 0])])).toEqual([0.25, 0.5, 0.25])
    expect(meanAndError([1, 2, 3])).toEqual({ mean: 2, standardError: Math.sqrt(1 / 3), pairs: 3 })
  })

  it('gives a row a part and one for random places', async () => {
    const { rows, layers, outputs } = await run()
    expect(layers).toEqual(['relu2', 'relu3'])
    expect(rows.map(({ part, layers: [first] }) => [part, first?.pairs])).toEqual([
      ['top', 10],
      ['corner', 10],
      ['random', 50],
    ])
    for (const { layers: cells } of rows) {
      for (const { mean, standardError } of cells) {
        expect(mean).toBeGreaterThanOrEqual(0)
        expect(mean).toBeLessThanOrEqual(1)
        expect(standardError).toBeGreaterThanOrEqual(0)
      }
    }
    expect((await run()).rows).toEqual(rows)
    const lines = outputs.tables.get('table') ?? []
    expect(lines).toHaveLength(1 + 3 * 2)
    const { mean, standardError, pairs } = rows[0]?.layers[1] ?? { ...rows[0]?.layers[0] }
    expect(lines[2]).toBe(`top,relu3,${mean},${standardError},${pairs}`)
    expect(outputs.pictures.has('figure')).toBe(true)
  })

  it.each([
    [[{ top: [0, 8, 4, 20] }, { nose: [0, 8, 4, 20] }], /part top is not marked on every picture: see picture 2/],
    [[{ top: [0, 29, 4, 20] }, { top: [0, 8, 4, 20] }], /part top of picture 1 reaches to row 29/],
    [[{}, {}], /No part is marked/],
    [[{ random: [0, 8, 4, 20] }, { random: [0, 8, 4, 20] }], /cannot be called random/],
  ])('refuses %j by name', async (parts, message) => {
    const pictures = parts.map((boxes, index) => ({ picture: picture(index), parts: boxes }))
    await expect(run({ pictures })).rejects.toThrow(message)
  })
})

describe('feature evolution', () => {
  const common = { dataset: 'digits', layers: ['relu1', 'relu2'], drawn: { kind: 'list', channels: [0, 2] } }

  it('projects the strongest activation at every epoch, of weights that a run has kept', async () => {
    const later = smallConvnet(engine.tf, 8)
    const values = Object.fromEntries(
      Object.entries(later.weights).map(([layer, parameters]) => [
        layer,
        Object.fromEntries(
          Object.entries(parameters).map(([name, tensor]) => [name, Float32Array.from(tensor.dataSync())]),
        ),
      ]),
    )
    const [one, two] = ['b'.repeat(64), 'a'.repeat(64)]
    const same = Object.fromEntries(
      Object.entries(network.weights).map(([layer, parameters]) => [
        layer,
        Object.fromEntries(
          Object.entries(parameters).map(([name, tensor]) => [name, Float32Array.from(tensor.dataSync())]),
        ),
      ]),
    )
    const artifacts = { [one]: writeWeights(network.graph, same), [two]: writeWeights(later.graph, values) }
    const { context, outputs } = testContext({ engine, network, pictures: true, artifacts })
    const weights = [
      { epoch: 5, sha256: two },
      { epoch: 1, sha256: one },
    ]
    const params = FeatureEvolutionParams.parse({
      ...common,
      snapshots: { from: 'weights', network: 'small', weights },
    })
    const before = engine.memory().tensors
    const { result } = await finish(featureEvolution(params, context))
    expect(engine.memory().tensors).toBe(before)
    expect(result.epochs).toEqual([1, 5])
    expect(result.layers.map(({ layer, channels }) => [layer, channels.map(({ channel }) => channel)])).toEqual([
      ['relu1', [0, 2]],
      ['relu2', [0, 2]],
    ])
    expect(outputs.arrays.get('projections-relu1')?.shape.slice(0, 2)).toEqual([2, 2])
    expect([...outputs.pictures.keys()]).toEqual(['figure-relu1', 'figure-relu2'])
    expect(outputs.tables.get('strongest')).toHaveLength(1 + 2 * 2 * 2)
  })

  it('trains for it, and goes on from a checkpoint with the same snapshots', async () => {
    const spec = {
      ...network.spec,
      layers: [
        { name: 'input', type: 'input', shape: [28, 28, 1] },
        { name: 'relu1', type: 'conv2d', filters: 3, kernel: [5, 5], stride: [4, 4] },
        { name: 'flatten', type: 'flatten' },
        { name: 'dense', type: 'dense', units: 10 },
      ],
      classes: testClasses(),
    }
    const training = {
      start: { from: 'layers', spec },
      dataset: 'digits',
      epochs: 3,
      batchSize: 10,
      snapshots: [0, 2, 3],
    }
    const params = FeatureEvolutionParams.parse({
      ...common,
      layers: ['relu1'],
      snapshots: { from: 'training', training },
    })
    const whole = testContext({ engine })
    const { result, events } = await finish(featureEvolution(params, whole.context))
    expect(result.epochs).toEqual([0, 2, 3])
    const checkpoint = events.flatMap((event) => (event.type === 'checkpoint' ? [event.bytes] : []))[1]
    expect(checkpoint).toBeDefined()
    const rest = testContext({ engine, ...(checkpoint ? { checkpoint } : {}) })
    expect((await finish(featureEvolution(params, rest.context))).result).toEqual(result)
    expect(rest.outputs.arrays).toEqual(whole.outputs.arrays)
  })
})

function testClasses(): string[] {
  return Array.from({ length: 10 }, (_, index) => String(index))
}
