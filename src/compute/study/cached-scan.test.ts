import { beforeAll, describe, expect, it } from 'vitest'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import type { ExperimentContext } from '../experiments/experiment.ts'
import { finish, memoryCache, testContext, testSplit } from '../experiments/testing/test-context.ts'
import type { Network } from '../network/network.ts'
import { cachedScan } from './cached-scan.ts'
import { writePassState } from './pass-state.ts'
import { PictureSource } from './picture-source.ts'
import { scan } from './scan.ts'
import { smallConvnet } from './testing/small-networks.ts'

const SUBJECT = { network: 'a', dataset: 'b', split: 'test' }

let engine: Engine
let network: Network
beforeAll(async () => {
  engine = await startCpu()
  network = smallConvnet(engine.tf)
})

/** Scans the first `count` of 60 pictures, ten a batch. */
const cached = async (
  cache: ReturnType<typeof memoryCache>,
  layers: string[],
  count: number,
  changes: { subject?: typeof SUBJECT; checkpoint?: Uint8Array } = {},
) => {
  const { subject = SUBJECT, checkpoint } = changes
  // Members of the worker's context are getters of its class: they do not survive a spread.
  const context = Object.create(
    testContext({ engine, network, cache, ...(checkpoint && { checkpoint }) }).context,
  ) as ExperimentContext
  const source = new PictureSource(testSplit('test', 60), network, count)
  const options = { layers, count: 3, batchSize: 10 }
  const { result, events } = await finish(cachedScan(network, source, options, subject, context))
  const logs = events.flatMap((event) => (event.type === 'log' ? [event.message] : []))
  const fresh = await finish(scan(network, source, options, { engine, signal: context.signal }))
  for (const layer of layers) {
    expect(result.tables.get(layer)?.tensors()).toEqual(fresh.result.get(layer)?.tensors())
  }
  return { ...result, logs }
}

describe('a scan that is remembered', () => {
  it('is taken by the next run, and only what is new is scanned', async () => {
    const cache = memoryCache()
    expect(await cached(cache, ['relu1', 'relu2'], 25)).toMatchObject({ cached: [], scanned: 25 })
    const again = await cached(cache, ['relu2', 'relu1'], 25)
    expect(again).toMatchObject({ cached: ['relu2', 'relu1'], scanned: 0 })
    expect(again.logs).toEqual(['Scanned by an earlier run: relu2, relu1'])
    expect(await cached(cache, ['relu1', 'relu3'], 25)).toMatchObject({ cached: ['relu1'], scanned: 25 })
    // More pictures go on after the last whole batch; fewer begin anew, and forget nothing.
    const more = await cached(cache, ['relu1', 'relu2'], 47)
    expect(more).toMatchObject({ cached: [], scanned: 27 })
    expect(more.logs).toEqual(['Scanning 47 pictures for relu1, relu2, going on with picture 20'])
    expect(await cached(cache, ['relu1'], 12)).toMatchObject({ cached: [], scanned: 12 })
    expect(await cached(cache, ['relu1'], 60)).toMatchObject({ cached: [], scanned: 20 })
    expect(await cached(cache, ['relu1'], 25)).toMatchObject({ cached: ['relu1'] })
    // They were scanned to different pictures.
    expect(await cached(cache, ['relu1', 'relu3'], 59)).toMatchObject({ cached: [], scanned: 59 })
  })

  it('is not that of another network or data set', async () => {
    const cache = memoryCache()
    await cached(cache, ['relu1'], 20)
    for (const subject of [
      { ...SUBJECT, network: 'c' },
      { ...SUBJECT, dataset: 'c' },
      { ...SUBJECT, split: 'c' },
    ]) {
      expect(await cached(cache, ['relu1'], 20, { subject })).toMatchObject({ cached: [], scanned: 20 })
    }
  })

  it('gives way to a checkpoint of the run itself, if that has what is missing', async () => {
    const { context } = testContext({ engine, network })
    const source = new PictureSource(testSplit('test', 60), network, 30)
    const options = { layers: ['relu1', 'relu2'], count: 3, batchSize: 10 }
    const { result } = await finish(scan(network, source, options, { engine, signal: context.signal }))
    const checkpoint = writePassState(30, result)
    const cache = memoryCache()
    expect(await cached(cache, ['relu1'], 45, { checkpoint })).toMatchObject({ cached: [], scanned: 15 })
    expect(await cached(cache, ['relu1', 'relu3'], 45, { checkpoint })).toMatchObject({
      cached: ['relu1'],
      scanned: 45,
    })
  })

  it('is scanned again where it cannot be read, and forgotten when asked to', async () => {
    const cache = memoryCache()
    const { forget } = await cached(cache, ['relu1'], 20)
    for (const key of cache.entries.keys()) cache.entries.set(key, Uint8Array.of(1, 2, 3))
    expect(await cached(cache, ['relu1'], 20)).toMatchObject({ cached: [], scanned: 20 })
    await forget()
    expect(cache.entries.size).toBe(0)
  })

  it('says why it could not be remembered, and goes on', async () => {
    const cache = { ...memoryCache(), put: () => Promise.reject(new Error('the disk is full')) }
    const { logs } = await cached(cache, ['relu1'], 20)
    expect(logs.at(-1)).toBe('The scan could not be remembered: the disk is full')
  })
})
