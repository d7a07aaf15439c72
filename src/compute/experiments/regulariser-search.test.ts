import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RegulariserSearchParams } from '../../shared/experiments/regulariser-search.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { groupsOfAlike } from '../maximisation/alike.ts'
import { drawSettings } from '../maximisation/draw-settings.ts'
import { meanHistogram, orientationHistogram, overlap } from '../maximisation/naturalness.ts'
import { CaseFile } from '../network/conformance/case-file.ts'
import { storedNetwork } from '../network/conformance/deconvnet-cases.ts'
import type { Network } from '../network/network.ts'
import { regulariserSearch } from './regulariser-search.ts'
import { finish, testContext } from './testing/test-context.ts'

let engine: Engine
let network: Network
beforeAll(async () => {
  engine = await startCpu()
  const file = await CaseFile.read(join(import.meta.dirname, '../../../tests/conformance'), 'yosinski-a')
  network = storedNetwork(engine.tf, file)
})
afterAll(() => network.dispose())

const params = (also: object = {}): RegulariserSearchParams =>
  RegulariserSearchParams.parse({ network: 'a', layer: 'fc4', channel: 3, draws: 5, iterations: 6, ...also })

describe('regulariser search', () => {
  it('tries every draw, and is the same again', async () => {
    const run = async () => {
      const { context, outputs } = testContext({ engine, network, pictures: true, seed: 7 })
      const naturalPictures = { dataset: 'digits', split: 'test', count: 5 }
      const { result, events } = await finish(regulariserSearch(params({ naturalPictures }), context))
      return { result, events, outputs }
    }
    const { result, events, outputs } = await run()
    expect(result.draws).toHaveLength(5)
    for (const [index, { settings, item, naturalness, group }] of result.draws.entries()) {
      expect(settings).toEqual(drawSettings(params(), 7, index))
      expect(item).toMatchObject({ layer: 'fc4', channel: 3, setting: index, iterations: 6 })
      expect(naturalness).toBeGreaterThan(0)
      expect(naturalness).toBeLessThanOrEqual(1)
      expect(group).toBeLessThan(result.groups)
    }
    expect(outputs.arrays.get('best')?.shape).toEqual([5, 28, 28, 1])
    expect([...outputs.pictures.keys()]).toEqual(['sheet'])
    expect(events.some((event) => event.type === 'preview' && event.name === 'sheet')).toBe(true)
    const again = await run()
    expect(again.outputs.arrays.get('best')?.values).toEqual(outputs.arrays.get('best')?.values)
    expect(again.result.draws).toEqual(result.draws)
  })

  it('goes on after a kill with the same pictures', async () => {
    // Two batches: 36 pictures climb together at most.
    const many = params({ draws: 38, iterations: 1 })
    const whole = testContext({ engine, network })
    const { events } = await finish(regulariserSearch(many, whole.context))
    const checkpoints = events.flatMap((event) => (event.type === 'checkpoint' ? [event] : []))
    expect(checkpoints.map(({ step }) => step)).toEqual([1, 2])
    const resumed = testContext({ engine, network, checkpoint: checkpoints[0]?.bytes })
    await finish(regulariserSearch(many, resumed.context))
    expect(resumed.outputs.arrays.get('best')?.values).toEqual(whole.outputs.arrays.get('best')?.values)
  })

  it('draws inside the ranges, and leaves regularisers out as often as asked', () => {
    const ranges = { decay: { low: 0.01, high: 0.1, off: 0.5 }, normPercentile: { low: 20, high: 30, off: 0 } }
    const draws = Array.from({ length: 400 }, (_, index) => drawSettings(params({ ranges }), 1, index))
    const decays = draws.map(({ decay }) => decay)
    expect(decays.filter((decay) => decay === 0).length).toBeGreaterThan(150)
    expect(decays.filter((decay) => decay === 0).length).toBeLessThan(250)
    for (const decay of decays) if (decay > 0) expect(decay >= 0.01 && decay <= 0.1).toBe(true)
    for (const { normPercentile } of draws) expect(normPercentile >= 20 && normPercentile <= 30).toBe(true)
    // Evenly in the logarithm: half of them below the geometric mean.
    const small = decays.filter((decay) => decay > 0 && decay < Math.sqrt(0.001)).length
    expect(small / decays.filter((decay) => decay > 0).length).toBeCloseTo(0.5, 0)
  })

  it('draws periods and the numbers of policies from ranges, each end as often as its share of the logarithm', () => {
    const ranges = {
      blurSigma: { off: 0 },
      blurEvery: { low: 1, high: 4 },
      policies: [{ kind: 'progress', maxRate: 50, desired: [0.1, 10] }],
    }
    const draws = Array.from({ length: 400 }, (_, index) => drawSettings(params({ ranges }), 1, index))
    const periods = draws.map(({ blurEvery }) => blurEvery)
    expect(new Set(periods)).toEqual(new Set([1, 2, 3, 4]))
    expect(periods.filter((period) => period === 1).length).toBeGreaterThan(
      periods.filter((period) => period === 4).length,
    )
    const asked = draws.map(({ policy }) => (policy.kind === 'progress' ? policy : undefined))
    for (const policy of asked) {
      expect(policy?.maxRate).toBe(50)
      expect(policy && policy.desired >= 0.1 && policy.desired <= 10).toBe(true)
    }
    expect(asked.filter((policy) => policy && policy.desired < 1).length).toBeGreaterThan(150)
    expect(asked.filter((policy) => policy && policy.desired < 1).length).toBeLessThan(250)
  })

  it('refuses a range whose ends are the wrong way round', () => {
    expect(() => params({ ranges: { blurSigma: { low: 2, high: 1 } } })).toThrow('lower end')
    expect(() => params({ ranges: { blurEvery: { low: 2, high: 1 } } })).toThrow('lower end')
    expect(() => params({ ranges: { policies: [{ kind: 'constant', rate: [2, 1] }] } })).toThrow('lower end')
  })
})

describe('naturalness', () => {
  it('is 1 for the same orientations, 0 for others', () => {
    const size = 12
    const stripes = (along: 'rows' | 'columns') =>
      Float32Array.from({ length: size * size }, (_, at) => {
        const place = along === 'rows' ? Math.floor(at / size) : at % size
        return place % 4 < 2 ? 200 : 10
      })
    const level = orientationHistogram(stripes('rows'), [size, size, 1])
    const upright = orientationHistogram(stripes('columns'), [size, size, 1])
    expect(overlap(level, meanHistogram([level, level]))).toBeCloseTo(1, 12)
    expect(overlap(level, upright)).toBeCloseTo(0, 12)
    expect(overlap(level, meanHistogram([level, upright]))).toBeCloseTo(0.5, 12)
    expect(orientationHistogram(new Float32Array(size * size), [size, size, 1]).every((value) => value === 0)).toBe(
      true,
    )
  })
})

describe('groupsOfAlike', () => {
  it('puts scaled copies together, the strongest group first', () => {
    const a = [1, 0, 0, 1, 0, 0]
    const b = [0, 0, 1, 0, 1, 0]
    const pictures = Float32Array.from([...b, ...a, ...a.map((value) => 5 * value + 2), ...b])
    expect(groupsOfAlike(pictures, [1, 2, 9, 3])).toEqual([1, 0, 0, 1])
  })
})
