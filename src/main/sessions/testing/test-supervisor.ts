/** A supervisor over the test worker, with a folder of its own that is removed afterwards. */
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OutputRecord } from '../../../shared/runs.ts'
import type { SessionStatus } from '../../../shared/session.ts'
import type { OutputDelivery, RunEvent } from '../../../shared/wire/protocol.ts'
import { localLaunch } from '../launcher.ts'
import { Supervisor } from '../supervisor.ts'
import type { RunAnswer, RunHandlers, RunRequest, SupervisorOptions } from '../supervisor-types.ts'
import { scratchFiles } from './scratch-files.ts'

export const TEST_WORKER = join(import.meta.dirname, '../../../compute/worker/testing/main.ts')

/** Beats and stops soon, so that tests need not wait; what a busy machine makes late has its time. */
const TIMINGS = {
  helloMs: 60_000,
  readyMs: 60_000,
  heartbeatMs: 100,
  missedHeartbeats: 300,
  stopMs: 1000,
  terminateMs: 500,
  cancelMs: 5000,
}

export interface TestSupervisor extends AsyncDisposable {
  readonly supervisor: Supervisor
  readonly folder: string
  /** For another supervisor of the same kind. */
  readonly options: SupervisorOptions
  /** Lines of the log. */
  readonly log: string[]
  /** Paths of the scratch files that lie about. */
  scratchFiles(): Promise<string[]>
  keepOutput(delivery: OutputDelivery): Promise<OutputRecord>
}

/** @param behaviour of the test worker, see its main.ts */
export async function testSupervisor(
  options: Partial<SupervisorOptions> = {},
  behaviour = '',
): Promise<TestSupervisor> {
  const folder = await mkdtemp(join(tmpdir(), 'convscope-sessions-'))
  const [artifacts, scratch] = [join(folder, 'artifacts'), join(folder, 'scratch')]
  const log: string[] = []
  const note = (message: string): number => log.push(message)
  const keepOutput = async (delivery: OutputDelivery): Promise<OutputRecord> => {
    const { sha256 } = delivery.record
    await mkdir(join(artifacts, sha256.slice(0, 2)), { recursive: true })
    const path = join(artifacts, sha256.slice(0, 2), sha256)
    if ('file' in delivery) await rename(delivery.file, path)
    else await writeFile(path, delivery.bytes)
    return delivery.record
  }
  const whole: SupervisorOptions = {
    name: 'test',
    launch: () =>
      localLaunch({
        workerPath: TEST_WORKER,
        environment: { CONVSCOPE_TEST_WORKER: behaviour },
      }),
    engine: 'none',
    cacheFolder: join(folder, 'cache'),
    artifactFolders: [artifacts],
    scratchFolder: scratch,
    keepOutput,
    logger: { debug: note, info: note, warn: note, error: note },
    ...options,
    timings: { ...TIMINGS, ...options.timings },
  }
  const supervisor = new Supervisor(whole)
  return {
    supervisor,
    folder,
    options: whole,
    log,
    keepOutput,
    scratchFiles: () => scratchFiles(scratch),
    [Symbol.asyncDispose]: async () => {
      await supervisor.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A run of the test worker with a collected list of its events. */
export function start(
  supervisor: Supervisor,
  kind: string,
  amount = 0,
  more: Partial<RunRequest> & RunHandlers = {},
): {
  id: string
  events: RunEvent[]
  answer: Promise<RunAnswer>
  event: (type: RunEvent['type']) => Promise<RunEvent>
} {
  const { onEvent, signal, ...request } = more
  const id = request.id ?? randomUUID()
  const events: RunEvent[] = []
  const waiting: { type: string; resolve: (event: RunEvent) => void }[] = []
  const answer = supervisor.run(
    {
      id,
      document: { kind, amount },
      library: { networks: {}, datasets: {} },
      pictures: false,
      priority: 'job',
      ...request,
    },
    {
      signal,
      onEvent: async (event) => {
        events.push(event)
        for (const waiter of waiting) if (waiter.type === event.type) waiter.resolve(event)
        await onEvent?.(event)
      },
    },
  )
  // Tests that look at the answer later must not be stopped by a rejection before.
  answer.catch(() => undefined)
  const event = (type: RunEvent['type']): Promise<RunEvent> => {
    const known = events.find((candidate) => candidate.type === type)
    if (known) return Promise.resolve(known)
    return new Promise((resolve) => {
      waiting.push({ type, resolve })
    })
  }
  return { id, events, answer, event }
}

/** Resolves with the first status that fits. */
export async function untilStatus(
  supervisor: Supervisor,
  fits: (status: SessionStatus) => boolean,
): Promise<SessionStatus> {
  for await (const status of supervisor.status()) if (fits(status)) return status
  throw new Error('the status ended')
}

/** The process of the present worker, from the log of the supervisor. */
export function workerPid(log: readonly string[]): number {
  const pids = log.map((line) => / on Node .*, process (\d+)$/.exec(line)?.[1]).filter((pid) => pid !== undefined)
  return Number(pids.at(-1))
}
