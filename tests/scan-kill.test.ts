/** A scan for the strongest pictures whose worker is killed goes on from its last checkpoint, with the results of one that was left alone. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startKillableServices, type KillableServices } from '../src/main/services/testing/killable-services.ts'
import { TopActivationsResult } from '../src/shared/experiments/top-activations.ts'
import type { Json } from '../src/shared/values.ts'

const document: Json = {
  kind: 'top-activations',
  version: 1,
  seed: 1,
  params: {
    network: 'mnist-convnet',
    dataset: 'mnist',
    pictureCount: 320,
    layers: ['conv1', 'relu2'],
    count: 4,
    drawn: { kind: 'random', count: 3 },
    batchSize: 32,
  },
}

let killable: KillableServices

beforeAll(async () => {
  killable = await startKillableServices(join(import.meta.dirname, 'scan-kill/worker.ts'))
})
afterAll(() => killable.close())

it.skipIf(process.platform === 'win32')('bit for bit (left out on Windows, which has no ps)', async () => {
  const { services, follow, startAndKill } = killable
  const { id, events: before } = await startAndKill(document, 3)
  const last = before.at(-1)
  expect(last).toMatchObject({ type: 'failed', error: { code: 'crash' } })
  const reached = before.findLast((event) => event.type === 'checkpoint')?.step ?? NaN
  expect(reached).toBeGreaterThanOrEqual(96)
  await services.jobs.resume({ id })
  const rest = await follow(id, { after: last && 'seq' in last ? last.seq : 0 })
  expect(rest.at(-1)).toMatchObject({ type: 'done' })
  // It did not begin again: what came before the checkpoint was not computed twice.
  const steps = rest.filter((event) => event.type === 'step' && event.unit === 'pictures')
  expect(steps.length).toBeGreaterThan(0)
  for (const step of steps) expect(step).toMatchObject({ done: expect.toSatisfy((done: number) => done > reached) })

  await killable.forget()
  const alone = await services.jobs.start({ document })
  await follow(alone.id)
  const [first, second] = await Promise.all([services.runs.show({ id }), services.runs.show(alone)])
  const found = (run: typeof first) => {
    const { imagesPerSecond: _, ...rest } = TopActivationsResult.parse(run.result)
    return rest
  }
  expect(found(first)).toEqual(found(second))
  const files = (run: typeof first): string[][] => run.outputs.map(({ name, sha256 }) => [name, sha256]).sort()
  expect(files(first).length).toBeGreaterThan(4)
  expect(files(first)).toEqual(files(second))
})
