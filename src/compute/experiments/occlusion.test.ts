import { beforeAll, describe, expect, it } from 'vitest'
import { OcclusionParams } from '../../shared/experiments/occlusion.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import type { Network } from '../network/network.ts'
import { smallConvnet } from '../study/testing/small-networks.ts'
import { occlusion } from './occlusion.ts'
import { finish, testContext } from './testing/test-context.ts'

let engine: Engine
let network: Network
beforeAll(async () => {
  engine = await startCpu()
  network = smallConvnet(engine.tf)
})

const run = async (changes: object = {}, own: Network = network) => {
  const { context, outputs } = testContext({ engine, network: own, pictures: true })
  const picture = { dataset: 'digits', split: 'test', index: 3 }
  const params = OcclusionParams.parse({ network: 'small', picture, window: [8, 8], stride: [4, 4], ...changes })
  return { ...(await finish(occlusion(params, context))).result, outputs }
}

describe('occlusion', () => {
  it('follows the picture’s own class and the strongest channel of the last rectifier', async () => {
    const result = await run()
    expect(result).toMatchObject({ layer: 'relu2', class: { index: 3 }, positions: [6, 6], evaluations: 36 })
    expect(result.labels.reduce((sum, { positions }) => sum + positions, 0)).toBe(36)
    const grid = result.outputs.arrays.get('grid-probability')
    const smallest = Math.min(...Array.from(grid?.values ?? []))
    expect(result.lowest.probability?.value).toBe(smallest)
    // Corners are covered once, the middle by four squares.
    const count = result.outputs.arrays.get('count')?.values ?? []
    expect([count[0], count[14 * 28 + 14], count[28 * 28 - 1]]).toEqual([1, 4, 1])
    expect([...result.outputs.pictures.keys()]).toEqual(['figure'])
    // The same numbers, to the last digit.
    const lines = result.outputs.tables.get('grid') ?? []
    expect(lines[0]).toBe('top row,left column,activation,logit,probability,most probable')
    expect(lines.slice(1).map((line) => Number(line.split(',')[4]))).toEqual([...(grid?.values as Float32Array)])
    const map = result.outputs.arrays.get('map-activation')?.values as Float32Array
    const pixels = result.outputs.tables.get('map') ?? []
    expect(pixels.slice(1).map((line) => Number(line.split(',')[3]))).toEqual([...map])
  })

  it('hides nothing with a fill that is there already', async () => {
    const bare = await run({ window: [1, 1], stride: [28, 28], fill: 0 })
    const { values } = bare.outputs.arrays.get('input') ?? { values: [0] }
    const same = await run({ window: [1, 1], stride: [28, 28], fill: values[0] ?? 0 })
    expect(same.outputs.arrays.get('grid-activation')?.values[0]).toBeCloseTo(same.clean.activation, 5)
  })

  it('goes on without classes', async () => {
    const features = smallConvnet(engine.tf, 3, [{ name: 'conv1', type: 'conv2d', filters: 4, kernel: [5, 5] }])
    const result = await run({}, features)
    expect(result).toMatchObject({ layer: 'conv1', class: null, predicted: null, labels: [] })
    expect(result.outputs.arrays.has('grid-probability')).toBe(false)
    expect(result.outputs.arrays.has('map-activation')).toBe(true)
  })

  it.each([
    [{ window: [29, 3] }, /29 × 3 is larger than the network's input of 28 × 28/],
    [{ fill: [0, 0] }, /2 values, but the network's input 1 channels/],
    [{ channel: 6 }, /relu2 of small has no channel 6/],
    [{ class: 10 }, /no class 10/],
    [{ layer: 'conv9' }, /no layer conv9/],
  ])('refuses %j by name', async (changes, message) => {
    await expect(run(changes)).rejects.toThrow(message)
  })
})
