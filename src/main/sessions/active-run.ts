/** One run under way: passes its events on in order, with checkpoints kept before they are told of. */
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import type { EngineIdentity } from '../../shared/engines.ts'
import type { OutputRecord } from '../../shared/runs.ts'
import type { RunEvent, WorkerEvent } from '../../shared/wire/protocol.ts'
import { receiveOutputs, type KeepOutput } from './output-intake.ts'
import type { Session } from './session.ts'

/** A run that ended at the user's wish, with the outputs it had written until then. */
export class CancelledRun extends ConvScopeError {
  readonly outputs: OutputRecord[]
  readonly engine: EngineIdentity | undefined

  constructor(outputs: OutputRecord[] = [], engine?: EngineIdentity) {
    super('cancelled', 'The run was cancelled')
    this.name = 'CancelledRun'
    this.outputs = outputs
    this.engine = engine
  }
}

/** Takes something from the session's scratch folder. */
type ReceiveFrom = (act: (folder: string) => Promise<OutputRecord[]>) => Promise<OutputRecord[]>

export class ActiveRun {
  readonly id: string
  readonly #onEvent: (event: RunEvent) => void | Promise<void>
  readonly #cancelled = Promise.withResolvers<never>()
  #events: Promise<void> = Promise.resolve()
  #failure: unknown
  #session: Session | undefined
  isCancelled = false
  isPaused = false

  constructor(id: string, onEvent: (event: RunEvent) => void | Promise<void>) {
    this.id = id
    this.#onEvent = onEvent
    this.#cancelled.promise.catch(() => undefined)
  }

  /** What is awaited before the run reaches a session: ends early when the run is cancelled. */
  beforeStart<T>(waiting: Promise<T>): Promise<T> {
    return Promise.race([waiting, this.#cancelled.promise])
  }

  attach(session: Session): void {
    this.#session = session
    if (this.isPaused) session.pause(this.id)
  }

  cancel(): void {
    this.isCancelled = true
    this.#cancelled.reject(new CancelledRun())
    this.#session?.cancel(this.id)
  }

  pause(paused: boolean): void {
    this.isPaused = paused
    if (paused) this.#session?.pause(this.id)
    else this.#session?.resume(this.id)
  }

  /** Nothing to change before it has begun. */
  adjust(path: string, value: number): void {
    this.#session?.adjust(this.id, path, value)
  }

  /** Passes an event on after those before it. */
  accept(
    event: WorkerEvent | { type: 'started' | 'paused' | 'resumed' },
    receive: ReceiveFrom,
    keep: KeepOutput,
  ): void {
    this.#events = this.#events.then(async () => {
      if (this.#failure !== undefined) return
      try {
        await this.#onEvent(event.type === 'checkpoint' ? await keepCheckpoint(event, receive, keep) : event)
      } catch (error) {
        // Who records the events cannot go on: the run must not either.
        this.#failure = error
        this.#session?.cancel(this.id)
      }
    })
  }

  /** Resolves when every event was passed on. @throws what a receiver of events threw */
  async settle(): Promise<void> {
    await this.#events
    if (this.#failure !== undefined) throw this.#failure
  }
}

/** A checkpoint that cannot be kept costs nothing but the checkpoint. */
async function keepCheckpoint(
  event: Extract<WorkerEvent, { type: 'checkpoint' }>,
  receive: ReceiveFrom,
  keep: KeepOutput,
): Promise<RunEvent> {
  try {
    const [artifact] = await receive((folder) => receiveOutputs([event.delivery], folder, keep))
    if (artifact) return { type: 'checkpoint', step: event.step, artifact }
    throw new Error('nothing was kept')
  } catch (error) {
    return {
      type: 'log',
      message: `The checkpoint at step ${event.step} was not kept: ${toErrorReport(error).message}`,
    }
  }
}
