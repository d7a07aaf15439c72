/** The thread that owns the engine: starts it, keeps networks and data sets warm, and computes one thing at a time. */
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import {
  isLongMethod,
  WORKER_METHODS,
  WorkerEvent,
  type ToWorker,
  type WorkerMethod,
} from '../../shared/wire/protocol.ts'
import { listenBetweenKernels } from '../engines/eager-interruption.ts'
import type { ExperimentEvent } from '../experiments/experiment.ts'
import { ComputedCache } from './computed-cache.ts'
import { artifactFinder, artifactReader } from './artifact-reader.ts'
import { RunContext, type RunInputs, type SessionResources } from './run-context.ts'
import { RunTask, type RunTaskOptions } from './run-task.ts'
import { TaskScheduler } from './task-scheduler.ts'
import { COUNTERS, type ThreadData, type ThreadInput, type ThreadOutput } from './thread-link.ts'
import { WarmCache } from './warm-cache.ts'
import { EngineStartError, type MethodAnswer, type StartMessage, type WorkerRegistry } from './worker-registry.ts'

const NETWORK_BOUNDS = { maxBytes: 2 ** 30, maxEntries: 4 }
const DATASET_BOUNDS = { maxBytes: 2 ** 29, maxEntries: 8 }
/** Messages handed to the protocol thread that it has not written yet: above the first, previews are dropped; at the second, work waits. */
const PREVIEW_BACKLOG = 8
const MAX_BACKLOG = 256
/** Progress of a method is told at most so often. */
const PROGRESS_INTERVAL_MS = 100

type Run = Extract<ToWorker, { type: 'run' }>
type Call = Extract<ToWorker, { type: 'call' }>
type TaskLink = Pick<RunInputs, 'signal' | 'onProgress'>
type Message = Extract<ThreadOutput, { kind: 'message' }>['message']

/** Serves the protocol thread until it is told to stop. To be called once, in a thread that `startWorkerProcess` started. */
export function runEngineThread(registry: WorkerRegistry): void {
  if (!parentPort) throw new Error('The engine thread must be started by the worker process')
  const port = parentPort
  const { counters: shared } = workerData as ThreadData
  const counters = new Int32Array(shared)
  let posted = 0
  let resources: SessionResources | undefined
  /** The task that is being advanced. */
  let busy: string | undefined

  const post = (output: ThreadOutput): void => port.postMessage(output)
  const backlog = (): number => (posted - Atomics.load(counters, COUNTERS.written)) | 0
  const send = async (message: Message): Promise<void> => {
    if (message.type === 'event' && message.event.type === 'preview' && backlog() > PREVIEW_BACKLOG) return
    while (backlog() >= MAX_BACKLOG) {
      await Atomics.waitAsync(counters, COUNTERS.written, Atomics.load(counters, COUNTERS.written), 1000).value
    }
    posted = (posted + 1) | 0
    post({ kind: 'message', message })
  }

  const scheduler = new TaskScheduler({
    onBusy: (id) => {
      busy = id
      post({ kind: 'busy', id })
    },
    onTurn: async () => {
      if (resources?.engine) Atomics.store(counters, COUNTERS.tensors, resources.engine.memory().tensors)
      letMessagesIn()
      await turn()
    },
  })
  const letMessagesIn = (): void => {
    for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port))
      accept(received.message)
  }
  listenBetweenKernels(letMessagesIn)
  /** For methods that compute without a break: what they tell is posted at once, and what was asked meanwhile is looked at. */
  const progressOf = (id: string, signal: AbortSignal): RunInputs['onProgress'] => {
    let lastAt = -Infinity
    return (done, total, unit) => {
      letMessagesIn()
      signal.throwIfAborted()
      const now = performance.now()
      if ((now - lastAt < PROGRESS_INTERVAL_MS && done < total) || backlog() > PREVIEW_BACKLOG) return
      lastAt = now
      posted = (posted + 1) | 0
      const event = WorkerEvent.parse({ type: 'step', done, total, unit, values: {} })
      post({ kind: 'message', message: { type: 'event', id, event } })
    }
  }

  const started = (): SessionResources => {
    if (!resources) throw new ConvScopeError('conflict', 'The session has not been started')
    return resources
  }
  const start = async (message: StartMessage): Promise<void> => {
    try {
      const { engine, reports } = await registry.startEngine(message)
      resources = {
        registry,
        engine,
        readArtifact: artifactReader(message),
        findArtifact: artifactFinder(message),
        scratchFolder: message.scratchFolder,
        networks: new WarmCache(NETWORK_BOUNDS),
        datasets: new WarmCache(DATASET_BOUNDS),
        cache: new ComputedCache(join(message.cacheFolder, 'computed')),
      }
      await send({ type: 'ready', engine: engine?.identity, engines: reports })
    } catch (error) {
      const [cause, engines] = error instanceof EngineStartError ? [error.cause, error.reports] : [error, []]
      await send({ type: 'failed-to-start', error: toErrorReport(cause), engines })
    }
  }
  const stop = async (): Promise<void> => {
    resources?.engine?.interrupt()
    await scheduler.cancelAll()
    await resources?.engine?.dispose()
    // Threads and handles of the engine must not keep this thread; inside a thread this ends the thread only.
    process.exit(0)
  }
  const add = (options: Omit<RunTaskOptions, 'send' | 'onRest'>): void =>
    scheduler.add(new RunTask({ ...options, send, onRest: () => scheduler.rest(options.id) }))

  const handlers: { [T in ThreadInput['type']]: (message: Extract<ThreadInput, { type: T }>) => void } = {
    start: (message) => void start(message),
    run: (message) =>
      add({
        id: message.id,
        priority: message.priority,
        begin: (signal) => beginRun(started(), message, { signal, onProgress: progressOf(message.id, signal) }),
      }),
    call: (message) =>
      add({
        id: message.id,
        priority: isLongMethod(message.method) ? 'errand' : 'look',
        begin: (signal) => beginCall(started(), message, { signal, onProgress: progressOf(message.id, signal) }),
      }),
    cancel: ({ id }) => {
      scheduler.cancel(id)
      // A long step of it is not waited for.
      if (busy === id) resources?.engine?.interrupt()
    },
    pause: ({ id }) => scheduler.pause(id),
    adjust: ({ id, path, value }) => scheduler.adjust(id, { path, value }),
    resume: ({ id }) => scheduler.resume(id),
    stop: () => void stop(),
  }
  const accept = (message: ThreadInput): void => (handlers[message.type] as (message: ThreadInput) => void)(message)
  port.on('message', accept)
}

async function beginRun(
  resources: SessionResources,
  message: Run,
  link: TaskLink,
): ReturnType<RunTaskOptions['begin']> {
  const prepared = resources.registry.prepare(message.document)
  const checkpoint = message.checkpoint === undefined ? undefined : await resources.readArtifact(message.checkpoint)
  const { library, pictures } = message
  if (message.priority === 'job') resources.engine?.trim()
  const context = new RunContext(resources, { library, seed: prepared.seed, pictures, checkpoint, ...link })
  return { context, generate: (given) => prepared.run(given) }
}

async function beginCall(
  resources: SessionResources,
  message: Call,
  link: TaskLink,
): ReturnType<RunTaskOptions['begin']> {
  if (!Object.hasOwn(WORKER_METHODS, message.method)) {
    throw new ConvScopeError('unsupported', `This worker has no method "${message.method}"`)
  }
  const method = message.method as WorkerMethod
  const params = WORKER_METHODS[method].params.safeParse(message.params)
  if (!params.success)
    throw new ConvScopeError('invalid-input', `The parameters of "${method}" do not fit`, {
      details: params.error.message,
    })
  const answer = resources.registry.methods[method] as (params: unknown, context: RunContext) => MethodAnswer<unknown>
  const context = new RunContext(resources, {
    library: message.library,
    seed: 0,
    pictures: false,
    checkpoint: undefined,
    ...link,
  })
  // A short question is one step and cannot be interrupted, unless it lets messages in by `context.progress`.
  const generate = async function* (given: RunContext): AsyncGenerator<ExperimentEvent, unknown, void> {
    const answering = answer(params.data, given)
    return Symbol.asyncIterator in answering ? yield* answering : await answering
  }
  return { context, generate }
}
