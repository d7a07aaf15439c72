/** Keeps one session running: starts it, restarts it after a crash, and hands runs and questions to it. */
import { randomUUID } from 'node:crypto'
import type { EngineIdentity, EngineWish } from '../../shared/engines.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { OutputRecord } from '../../shared/runs.ts'
import type { SessionStatus } from '../../shared/session.ts'
import { plainJson } from '../../shared/wire/messages.ts'
import {
  WORKER_METHODS,
  type Library,
  type WorkerMethod,
  type WorkerMethodParams,
  type WorkerMethodResult,
} from '../../shared/wire/protocol.ts'
import { ActiveRun, CancelledRun } from './active-run.ts'
import { discardOutputs, readOutputs, receiveOutputs } from './output-intake.ts'
import { SessionKeeper, type RunningSession } from './session-keeper.ts'
import type { Answer } from './session-types.ts'
import type { ErrandHandlers, RunAnswer, RunHandlers, RunRequest, SupervisorOptions } from './supervisor-types.ts'

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #keeper: SessionKeeper
  readonly #runs = new Map<string, ActiveRun>()
  #calls = 0
  /** A change of engine that waits until nothing runs. */
  #whenIdle: (() => void)[] = []

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#keeper = new SessionKeeper(options, () => this.#isComputing())
  }

  /** The engine of the session, while it is ready. */
  get engine(): EngineIdentity | undefined {
    return this.#keeper.engine
  }

  /** The present status at once, then a new one whenever it changes. */
  status(signal?: AbortSignal): AsyncIterable<SessionStatus> {
    return this.#keeper.status.watch(signal)
  }

  get currentStatus(): SessionStatus {
    return this.#keeper.status.value
  }

  /**
   * Starts the session, also one that was given up after too many crashes. Resolves when it is ready.
   * @throws ConvScopeError with the reason it does not start
   */
  async start(): Promise<void> {
    this.#keeper.forgive()
    await this.#keeper.session()
  }

  /** Stops the session politely, then forcibly. Runs under way are rejected with code 'cancelled'. A later run starts it again. */
  async stop(reason = 'The session was stopped'): Promise<void> {
    await this.#keeper.stop(new ConvScopeError('cancelled', reason))
  }

  /**
   * Changes the engine by a restart of the session: 'now', which rejects runs under way with code 'cancelled', or as soon as
   * none is ('idle'). Resolves when the new engine is ready.
   * @throws ConvScopeError with the reason it does not start
   */
  async setEngine(
    engine: EngineWish,
    threads: number | undefined,
    when: 'now' | 'idle' = 'now',
  ): Promise<EngineIdentity | undefined> {
    if (when === 'idle' && this.#isOccupied()) await this.#idle()
    this.#keeper.configure(engine, threads)
    await this.stop('The engine was changed while this was computed')
    await this.start()
    return this.engine
  }

  /**
   * Runs an experiment document to its end. Outputs are in the artifact store before it resolves.
   * @throws CancelledRun (a ConvScopeError) with what was written so far; ConvScopeError 'crash', 'memory', 'damaged' where the
   * session ended; otherwise the experiment's own error, or what `onEvent` threw
   */
  async run(request: RunRequest, { onEvent = () => undefined, signal }: RunHandlers = {}): Promise<RunAnswer> {
    const { id } = request
    if (this.#runs.has(id)) throw new ConvScopeError('conflict', `The run ${id} is already under way`)
    if (signal?.aborted) throw new CancelledRun()
    const run = new ActiveRun(id, onEvent)
    const cancel = (): void => run.cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    this.#runs.set(id, run)
    try {
      return await this.#execute(request, run)
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#runs.delete(id)
      this.#afterWork()
    }
  }

  /**
   * Asks the worker a short question, computed like a look.
   * @throws ConvScopeError: the method's own error, or the session's
   */
  async call<M extends WorkerMethod>(
    method: M,
    params: WorkerMethodParams<M>,
    library: Library = { networks: {}, datasets: {} },
  ): Promise<{ result: WorkerMethodResult<M>; outputs: { record: OutputRecord; bytes: Uint8Array }[] }> {
    return this.#occupied(async () => {
      const running = await this.#keeper.session()
      this.#keeper.refresh()
      const answer = await running.session.call(randomUUID(), method, plainJson(params), library)
      const outputs = await running.scratch.use((folder) => readOutputs(answer.outputs, folder))
      if (answer.state === 'cancelled') throw new ConvScopeError('cancelled', 'The session was stopped')
      return { result: resultOf(method, answer), outputs }
    })
  }

  /**
   * Asks the worker a long question: it tells of its progress and can be cancelled. Its outputs are in the artifact store
   * before it resolves.
   * @throws ConvScopeError 'cancelled' after an abort, with nothing kept; the method's own error, or the session's
   */
  async perform<M extends WorkerMethod>(
    method: M,
    params: WorkerMethodParams<M>,
    { library = { networks: {}, datasets: {} }, onProgress, signal }: ErrandHandlers = {},
  ): Promise<{ result: WorkerMethodResult<M>; outputs: OutputRecord[] }> {
    const id = randomUUID()
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    let running: RunningSession | undefined
    const cancel = (): void => {
      if (running) running.session.cancel(id)
      else reject(cancelled())
    }
    return this.#occupied(async () => {
      if (signal?.aborted) throw cancelled()
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        running = await Promise.race([this.#keeper.session(), aborted])
        this.#keeper.refresh()
        const { session, scratch, cleared } = running
        const asking = session.call(id, method, plainJson(params), library, {
          onEvent: (event) => {
            if (event.type === 'step') onProgress?.(event)
          },
        })
        const answer = await asking.catch(async (error: unknown) => {
          // Nobody learns of the end of a session before what it left half-written is removed.
          if (session.isGone) await cleared
          // The worker had to be ended because it did not react: that is what was wanted.
          throw signal?.aborted ? cancelled() : error
        })
        if (answer.state === 'cancelled' || signal?.aborted) {
          await scratch.use((folder) => discardOutputs(answer.outputs, folder))
          throw cancelled()
        }
        return { result: resultOf(method, answer), outputs: await this.#keep(answer, running) }
      } finally {
        signal?.removeEventListener('abort', cancel)
      }
    })
  }

  async #occupied<T>(act: () => Promise<T>): Promise<T> {
    this.#calls++
    try {
      return await act()
    } finally {
      this.#calls--
      this.#afterWork()
    }
  }

  /** Takes effect where the experiment yields; nothing happens for an id that is not under way. */
  cancel(id: string): void {
    this.#runs.get(id)?.cancel()
  }

  pause(id: string): void {
    this.#runs.get(id)?.pause(true)
  }

  resume(id: string): void {
    this.#runs.get(id)?.pause(false)
  }

  adjust(id: string, path: string, value: number): void {
    this.#runs.get(id)?.adjust(path, value)
  }

  async #execute(request: RunRequest, run: ActiveRun): Promise<RunAnswer> {
    const running = await run.beforeStart(this.#keeper.session())
    this.#keeper.refresh()
    const { session, scratch, ready, cleared } = running
    const answering = session.run(
      { ...request, document: plainJson(request.document) },
      {
        onEvent: (event) => {
          run.accept(event, (receive) => scratch.use(receive), this.#options.keepOutput)
          if (event.type === 'paused' || event.type === 'resumed') this.#keeper.refresh()
        },
      },
    )
    run.attach(session)
    const answer = await answering.catch(async (error: unknown) => {
      // What arrived before counts: a checkpoint may still be on its way into the artifacts.
      await run.settle()
      if (session.isGone) await cleared
      // The worker had to be ended because it did not react: that is what the user wanted.
      if (run.isCancelled) return undefined
      throw error
    })
    const outputs = answer ? await this.#keep(answer, running) : []
    await run.settle()
    if (!answer || answer.state === 'cancelled') throw new CancelledRun(outputs, ready.engine)
    return { result: answer.result, outputs, engine: ready.engine }
  }

  #keep(answer: Answer, { scratch }: RunningSession): Promise<OutputRecord[]> {
    return scratch.use((folder) => receiveOutputs(answer.outputs, folder, this.#options.keepOutput))
  }

  #isComputing(): boolean {
    return this.#calls > 0 || [...this.#runs.values()].some(({ isPaused }) => !isPaused)
  }

  #isOccupied(): boolean {
    return this.#calls > 0 || this.#runs.size > 0
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve)
    })
  }

  #afterWork(): void {
    this.#keeper.refresh()
    if (this.#isOccupied()) return
    const waiting = this.#whenIdle
    this.#whenIdle = []
    for (const resume of waiting) resume()
  }
}

/** @throws ConvScopeError 'damaged' for a result in a wrong form */
function resultOf<M extends WorkerMethod>(method: M, answer: Answer): WorkerMethodResult<M> {
  const parsed = WORKER_METHODS[method].result.safeParse(answer.result)
  if (parsed.success) return parsed.data as WorkerMethodResult<M>
  throw new ConvScopeError('damaged', `The compute worker answered "${method}" in a wrong form`, {
    details: parsed.error.message,
  })
}

function cancelled(): ConvScopeError {
  return new ConvScopeError('cancelled', 'This was cancelled before it was done')
}
