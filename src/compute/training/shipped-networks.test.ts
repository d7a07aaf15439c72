/** The network for CIFAR-10 that comes with the program is as good as its report says. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { DatasetRecord } from '../../shared/datasets.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import { loadDatasetSplit } from '../data/dataset-split.ts'
import { uniformSplit } from '../data/uniform-split.ts'
import { startNamed } from '../engines/start-named.ts'
import { buildGraph } from '../network/graph.ts'
import { decodeSafetensors } from '../network/safetensors.ts'
import { logitsOf } from './classifier-logits.ts'
import { Evaluator } from './evaluation.ts'

const RESOURCES = join(import.meta.dirname, '../../../resources')
const SAMPLE = join(RESOURCES, 'datasets')
const NETWORK = join(RESOURCES, 'networks', 'cifar-alexnet')

const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'))

/** The 2,000 test pictures that come with the program. */
async function sample() {
  const spec = NetworkSpec.parse(await json(join(NETWORK, 'network.json')))
  const images = 'cifar-10-sample.index.json'
  const record: DatasetRecord = {
    name: 'cifar-10-sample',
    title: 'Sample',
    format: 'pictures',
    shape: [32, 32, 3],
    classes: spec.classes,
    splits: [{ name: 'test', count: 2000, images, packed: 'cifar-10-sample.zip' }],
    source: 'built-in',
    attribution: '',
    hash: '0'.repeat(64),
    addedAt: 0,
  }
  const files = {
    read: (name: string) => readFile(join(SAMPLE, name)),
    find: (name: string) => Promise.resolve(join(SAMPLE, name)),
  }
  return { spec, data: await uniformSplit(await loadDatasetSplit(record, 'test', files)) }
}

it('errs on the sample as often as on all test pictures, within what chance allows', async () => {
  const report = (await json(join(NETWORK, 'training.json'))) as { testErrorPercent: number; testCount: number }
  const { spec, data } = await sample()
  const engine = await startNamed('wasm', { threads: 2 })
  const evaluator = new Evaluator(engine, logitsOf(engine, buildGraph(spec)), spec, data, data.count)
  const weights = Object.fromEntries(decodeSafetensors(await readFile(join(NETWORK, 'weights.safetensors')), 'weights'))
  const measuring = evaluator.measureHost(weights, new AbortController().signal)
  let step = await measuring.next()
  while (!step.done) step = await measuring.next()
  evaluator.dispose()
  const { errorPercent, confusion } = step.value

  expect(report.testCount).toBe(10_000)
  expect(report.testErrorPercent).toBeLessThanOrEqual(20)
  // 95 %: 1.96 standard deviations of a share measured on 2,000 pictures, ± 1.7 points.
  const share = report.testErrorPercent / 100
  const interval = 1.96 * 100 * Math.sqrt((share * (1 - share)) / data.count)
  expect(Math.abs(errorPercent - report.testErrorPercent)).toBeLessThan(interval)
  for (const row of confusion) expect(row.reduce((sum, count) => sum + count, 0)).toBe(200)
})
