/** A training whose worker is killed goes on from its last checkpoint, with the numbers of one that was left alone. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { TrainClassifierResult } from '../../shared/experiments/train-classifier.ts'
import type { Json } from '../../shared/values.ts'
import { startKillableServices, type KillableServices } from './testing/killable-services.ts'

let killable: KillableServices

beforeAll(async () => {
  killable = await startKillableServices(join(import.meta.dirname, '../../compute/worker/main.ts'))
})
afterAll(() => killable.close())

const training = (optimiser: Json): Json => ({
  kind: 'train-classifier',
  version: 2,
  seed: 4,
  params: {
    start: {
      from: 'layers',
      spec: {
        format: 'convscope-network',
        version: 1,
        name: 'small',
        title: 'Small',
        preprocessing: { channelOrder: 'grey', scale: 1 / 255 },
        layers: [
          { name: 'input', type: 'input', shape: [28, 28, 1] },
          { name: 'flatten', type: 'flatten' },
          { name: 'dense1', type: 'dense', units: 20 },
          { name: 'sigmoid1', type: 'sigmoid' },
          { name: 'dropout1', type: 'dropout', rate: 0.2 },
          { name: 'dense2', type: 'dense', units: 10 },
          { name: 'softmax', type: 'softmax' },
        ],
      },
    },
    dataset: 'mnist',
    epochs: 8,
    batchSize: 32,
    optimiser,
    schedule: { kind: 'when-stalled', factor: 0.5, patience: 1 },
    augmentation: { shiftPixels: 2 },
    snapshots: [1, 6],
    trainCount: 1000,
    testCount: 200,
  },
})

const optimisers: Record<string, Json>[] = [{ kind: 'adam' }, { kind: 'momentum', nesterov: true, learningRate: 0.1 }]

it.skipIf(process.platform === 'win32').each(optimisers)(
  'with $kind, bit for bit (left out on Windows, which has no ps)',
  async (optimiser) => {
    const { services, follow, startAndKill } = killable
    const { id, events: before } = await startAndKill(training(optimiser), 2)
    expect(before.at(-1)).toMatchObject({ type: 'failed', error: { code: 'crash' } })
    const last = before.at(-1)
    await services.jobs.resume({ id })
    const rest = await follow(id, { after: last && 'seq' in last ? last.seq : 0 })
    expect(rest.at(-1)).toMatchObject({ type: 'done' })
    // It did not begin again: the first two epochs were not computed twice.
    expect(rest.filter((event) => event.type === 'log' && event.message.startsWith('Epoch 2 '))).toEqual([])

    const alone = await services.jobs.start({ document: training(optimiser) })
    await follow(alone.id)
    const [first, second] = await Promise.all([services.runs.show({ id }), services.runs.show(alone)])
    const files = (run: typeof first) => run.outputs.map(({ name, sha256 }) => [name, sha256]).sort()
    expect(files(first).map(([name]) => name)).toEqual([
      'spec',
      'state',
      'weights',
      'weights-epoch-1',
      'weights-epoch-6',
    ])
    const unlike = ['state']
    const alike = (run: typeof first) => files(run).filter(([name]) => !unlike.includes(name ?? ''))
    expect(alike(first)).toEqual(alike(second))
    const curve = (run: typeof first) =>
      TrainClassifierResult.parse(run.result).epochs.map(({ seconds: _, ...numbers }) => numbers)
    expect(curve(first)).toEqual(curve(second))
  },
)
