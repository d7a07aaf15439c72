/**
 * The protocol thread of a worker process. It never computes: it answers heartbeats, passes messages between standard
 * input/output and the engine thread, and ends the process when its owner is gone.
 */
import { setTimeout as after } from 'node:timers/promises'
import { Worker, SHARE_ENV } from 'node:worker_threads'
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import { encodeMessage, MessageReader } from '../../shared/wire/messages.ts'
import { PROTOCOL_VERSION, ToWorker, type FromWorker } from '../../shared/wire/protocol.ts'
import { ENGINE_THREAD_LIMITS } from './engine-thread-limits.ts'
import { messagePacker } from './packer.ts'
import { writeProtocol } from './reserve-stdout.ts'
import { COUNTER_BYTES, COUNTERS, type ThreadData, type ThreadOutput } from './thread-link.ts'

/** How long the engine thread may take to end; a kernel that runs in native code cannot be interrupted. */
const THREAD_GRACE_MS = 3000
const FLUSH_GRACE_MS = 1000

export interface WorkerProcessOptions {
  /** Module of the engine thread. */
  readonly engineThread: URL
  /** "ConvScope 0.1.0". */
  readonly program: string
  /** What the hello says; another number than the program's own only in tests. */
  readonly protocol?: number
}

/** Runs the protocol on standard input and output until it is told to stop or standard input closes. */
export function startWorkerProcess({ engineThread, program, protocol = PROTOCOL_VERSION }: WorkerProcessOptions): void {
  const counters = new Int32Array(new SharedArrayBuffer(COUNTER_BYTES))
  let ending = false
  let failed = false
  /** Writes happen in order: the last one done means all done. */
  let lastWrite: Promise<void> = Promise.resolve()
  let busy: string | undefined
  let heartbeat: NodeJS.Timeout | undefined

  const send = (message: FromWorker): Promise<void> => {
    const frame = encode(message)
    lastWrite = new Promise((resolve) => {
      writeProtocol(frame, () => resolve())
    })
    return lastWrite
  }

  const thread = new Worker(engineThread, {
    workerData: { counters: counters.buffer } satisfies ThreadData,
    // Native libraries read the process's environment, not the thread's copy.
    env: SHARE_ENV,
    resourceLimits: ENGINE_THREAD_LIMITS,
    stdout: true,
    stderr: true,
  })
  thread.stdout.pipe(process.stderr, { end: false })
  thread.stderr.pipe(process.stderr, { end: false })
  const threadEnded = new Promise<void>((resolve) => {
    thread.once('exit', () => resolve())
  })

  /** Ends the process within some seconds, whatever the engine thread does. */
  const end = async (code: number, stopThread: () => unknown): Promise<void> => {
    if (ending) return
    ending = true
    clearInterval(heartbeat)
    stopThread()
    const inTime = await Promise.race([threadEnded.then(() => true), after(THREAD_GRACE_MS, false)])
    await Promise.race([lastWrite, after(FLUSH_GRACE_MS)])
    // process.exit would wait for a thread that is inside native code.
    if (inTime) process.exit(code)
    process.kill(process.pid, 'SIGKILL')
  }
  const stop = (): void => void end(0, () => thread.postMessage({ type: 'stop' } satisfies ToWorker))
  const fail = (thrown: unknown): void => {
    if (ending || failed) return
    failed = true
    process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`)
    void send({ type: 'fatal', error: describe(thrown) })
    void end(1, () => thread.terminate())
  }

  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  // The terminal sends an interrupt to main and worker alike; main decides what becomes of the work.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', stop)
  process.stdout.on('error', stop)
  process.stderr.on('error', () => undefined)

  thread.on('message', (output: ThreadOutput) => {
    if (output.kind === 'busy') {
      busy = output.id
      return
    }
    void send(output.message).then(() => {
      Atomics.add(counters, COUNTERS.written, 1)
      Atomics.notify(counters, COUNTERS.written)
    })
  })
  thread.on('error', fail)
  void threadEnded.then(() => fail(new Error('The engine thread ended by itself')))

  const beat = (): void => {
    const tensors = Atomics.load(counters, COUNTERS.tensors)
    void send({ type: 'heartbeat', residentBytes: process.memoryUsage.rss(), tensors, busy })
  }
  const accept = (message: ToWorker): void => {
    if (message.type === 'stop') return stop()
    if (message.type === 'start') {
      if (message.protocol !== PROTOCOL_VERSION) {
        throw new ConvScopeError(
          'unsupported',
          `Main speaks protocol ${message.protocol}, this worker ${PROTOCOL_VERSION}`,
        )
      }
      heartbeat = setInterval(beat, message.heartbeatMs)
      beat()
    }
    thread.postMessage(message)
  }

  const reader = new MessageReader(messagePacker, ToWorker)
  process.stdin.on('data', (chunk: Buffer) => {
    if (ending) return
    try {
      for (const message of reader.push(chunk)) accept(message)
    } catch (error) {
      fail(error)
    }
  })
  process.stdin.on('end', stop)
  process.stdin.on('close', stop)
  process.stdin.on('error', stop)

  void send({ type: 'hello', protocol, program, pid: process.pid, node: process.version })
}

/** The frame of a message; of an error in its place where a run's result is too large for one. */
function encode(message: FromWorker): Uint8Array {
  try {
    return encodeMessage(messagePacker, message)
  } catch (error) {
    if (message.type !== 'result' && message.type !== 'cancelled') throw error
    return encodeMessage(messagePacker, { type: 'failed', id: message.id, error: toErrorReport(error) })
  }
}

function describe(thrown: unknown): ReturnType<typeof toErrorReport> {
  const outOfMemory = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_WORKER_OUT_OF_MEMORY'
  if (!outOfMemory) return toErrorReport(thrown)
  return {
    code: 'memory',
    message: 'The compute worker reached the memory limit of JavaScript',
    details: thrown.message,
  }
}
