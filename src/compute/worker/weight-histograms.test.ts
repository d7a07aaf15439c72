import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { NetworkRecord } from '../../shared/network/page.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import { writeSafetensors } from '../importers/index.ts'
import { weightHistograms } from './weight-histograms.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-histograms-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const spec = NetworkSpec.parse({
  format: 'convscope-network',
  version: 1,
  name: 'net',
  title: 'A network',
  preprocessing: { channelOrder: 'grey' },
  layers: [
    { name: 'input', type: 'input', shape: [1, 4, 1] },
    { name: 'first', type: 'dense', units: 1 },
    { name: 'second', type: 'dense', units: 1 },
  ],
})

async function histograms(tensors: Record<string, number[]>) {
  const file = join(folder, 'weights.safetensors')
  const given = Object.entries(tensors).map(
    ([name, values]) => [name, { shape: [values.length], values: () => Float32Array.from(values) }] as const,
  )
  await writeSafetensors({ tensors: new Map(given) }, file)
  const steps: number[] = []
  const answer = await weightHistograms(
    { network: 'net' },
    {
      record: () => ({ spec, weights: 'hash' }) as NetworkRecord,
      findArtifact: async () => file,
      progress: (done) => void steps.push(done),
    },
  )
  return { answer, steps }
}

it('counts every weight once, in the order of the layers', async () => {
  const { answer, steps } = await histograms({
    'second/bias': [0],
    'first/kernel': [-1, 0, 0, 1],
    'preprocessing/mean': [5, 6],
  })
  expect(answer.map(({ layer, parameter }) => `${layer}/${parameter}`)).toEqual(['first/kernel', 'second/bias'])
  const [kernel, bias] = answer
  expect(kernel).toMatchObject({ shape: [4], count: 4, zeros: 2, notFinite: 0, low: -1, high: 1, mean: 0 })
  expect(kernel?.deviation).toBeCloseTo(Math.SQRT1_2, 12)
  expect([kernel?.bins[0], kernel?.bins[32], kernel?.bins[63]]).toEqual([1, 2, 1])
  expect(bias).toMatchObject({ low: 0, high: 0, deviation: 0 })
  expect(bias?.bins.reduce((sum, count) => sum + count, 0)).toBe(1)
  expect(steps.at(-1)).toBe(100)
})

it('leaves out what is not finite, and says how much that is', async () => {
  const { answer } = await histograms({ 'first/kernel': [NaN, Infinity, 2, 4], 'first/bias': [NaN] })
  expect(answer[0]).toMatchObject({ count: 4, notFinite: 2, low: 2, high: 4, mean: 3 })
  expect(answer[1]).toMatchObject({ notFinite: 1, bins: [] })
})
