/** A training whose worker is killed goes on from its last checkpoint, with the numbers of one that was left alone. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { TrainClassifierResult } from '../../shared/experiments/train-classifier.ts'
import type { JobEvent } from '../../shared/jobs.ts'
import type { Json } from '../../shared/values.ts'
import { configureLogging } from '../platform/logger.ts'
import { openProject, type Project } from '../project/project.ts'
import { createServices, type RunningServices } from './index.ts'

const workerPath = join(import.meta.dirname, '../../compute/worker/main.ts')

let folder: string
let project: Project
let services: RunningServices

beforeAll(async () => {
  configureLogging({ stderr: 'off' })
  folder = await mkdtemp(join(tmpdir(), 'convscope-training-kill-'))
  project = await openProject(join(folder, 'project'), { create: true })
  services = await createServices({
    project,
    workerPath,
    cacheFolder: join(folder, 'cache'),
    configFolder: join(folder, 'config'),
    engineWish: 'wasm',
    threads: 1,
    shell: 'page',
    fetchEngine: false,
  })
}, 60_000)
afterAll(async () => {
  await services.close()
  await project.close()
  await rm(folder, { recursive: true, force: true })
})

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

/** The worker is this process's child. */
async function killWorker(): Promise<void> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args='])
  const pids = stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...words]) => Number(parent) === process.pid && words.includes(workerPath))
    .map(([pid]) => Number(pid))
  expect(pids).toHaveLength(1)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
}

/** Watches a run to its end, or to its failure; kills the worker at the second checkpoint where that is wanted. */
async function follow(id: string, kill: boolean, after = 0): Promise<JobEvent[]> {
  const events: JobEvent[] = []
  let checkpoints = 0
  for await (const event of services.jobs.watch({ id })) {
    if ('seq' in event && event.seq <= after) continue
    events.push(event)
    if (event.type === 'checkpoint' && ++checkpoints === 2 && kill) await killWorker()
  }
  return events
}

const optimisers: Record<string, Json>[] = [{ kind: 'adam' }, { kind: 'momentum', nesterov: true, learningRate: 0.1 }]

it.skipIf(process.platform === 'win32').each(optimisers)(
  'with $kind, bit for bit (left out on Windows, which has no ps)',
  { timeout: 120_000 },
  async (optimiser) => {
    const killed = await services.jobs.start({ document: training(optimiser) })
    const before = await follow(killed.id, true)
    expect(before.at(-1)).toMatchObject({ type: 'failed', error: { code: 'crash' } })
    const last = before.at(-1)
    await services.jobs.resume(killed)
    const rest = await follow(killed.id, false, last && 'seq' in last ? last.seq : 0)
    expect(rest.at(-1)).toMatchObject({ type: 'done' })
    // It did not begin again: the first two epochs were not computed twice.
    expect(rest.filter((event) => event.type === 'log' && event.message.startsWith('Epoch 2 '))).toEqual([])

    const alone = await services.jobs.start({ document: training(optimiser) })
    await follow(alone.id, false)
    const [first, second] = await Promise.all([services.runs.show(killed), services.runs.show(alone)])
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
