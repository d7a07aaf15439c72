/** A run or a call as a task of the scheduler: drives the experiment's generator and reports what comes of it. */
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import { ADVANCE_PATH } from '../../shared/jobs.ts'
import { plainJson } from '../../shared/wire/messages.ts'
import { LOG_MESSAGE_LENGTH, WorkerEvent, type FromWorker } from '../../shared/wire/protocol.ts'
import type { Adjustment, ExperimentEvent } from '../experiments/experiment.ts'
import type { RunContext } from './run-context.ts'
import type { Task, TaskPriority } from './task-scheduler.ts'

export interface RunTaskOptions {
  readonly id: string
  readonly priority: TaskPriority
  /** Called before the first step. What it throws fails the run. */
  readonly begin: (signal: AbortSignal) => Promise<{
    context: RunContext
    generate: (context: RunContext) => AsyncGenerator<ExperimentEvent, unknown, void>
  }>
  /** Called where it has done what it was asked to do while it is paused. */
  readonly onRest: () => void
  readonly send: (message: Exclude<FromWorker, { type: 'hello' | 'heartbeat' }>) => Promise<void>
}

export class RunTask implements Task {
  readonly id: string
  readonly priority: TaskPriority
  readonly #options: RunTaskOptions
  readonly #abort = new AbortController()
  /** What came before it had begun. */
  readonly #early: Adjustment[] = []
  #context: RunContext | undefined
  #generator: AsyncGenerator<ExperimentEvent, unknown, void> | undefined

  constructor(options: RunTaskOptions) {
    this.id = options.id
    this.priority = options.priority
    this.#options = options
  }

  async advance(): Promise<boolean> {
    try {
      if (!this.#generator) await this.#begin()
      const step = await this.#generator?.next()
      if (!step) return false
      if (!step.done) {
        await this.#report(step.value)
        return false
      }
      const result = plainJson(step.value ?? null)
      await this.#end({ type: 'result', id: this.id, result, outputs: this.#context?.outputs.take() ?? [] })
    } catch (error) {
      // An error inside the generator has ended it; one in between has not.
      await this.#generator?.return(undefined).catch(() => undefined)
      if (this.#abort.signal.aborted) await this.#endCancelled()
      else await this.#end({ type: 'failed', id: this.id, error: toErrorReport(error) })
    }
    return true
  }

  abort(): void {
    this.#abort.abort(new ConvScopeError('cancelled', 'The run was cancelled'))
  }

  async cancel(): Promise<void> {
    // An experiment whose clean-up fails is cancelled all the same.
    await this.#generator?.return(undefined).catch(() => undefined)
    await this.#endCancelled()
  }

  async show(): Promise<void> {
    try {
      for (const event of (await this.#context?.show?.()) ?? []) await this.#report(event)
    } catch (error) {
      // Whatever it is, the next step meets it too; only the picture of the pause is missing.
      await this.#report({ type: 'log', message: `Not shown: ${toErrorReport(error).message}` })
    }
  }

  adjust(adjustment: Adjustment): void {
    ;(this.#context?.adjustments ?? this.#early).push(adjustment)
  }

  onPaused(paused: boolean): void {
    void this.#options.send({ type: paused ? 'paused' : 'resumed', id: this.id })
  }

  async #begin(): Promise<void> {
    await this.#options.send({ type: 'started', id: this.id })
    const { context, generate } = await this.#options.begin(this.#abort.signal)
    this.#context = context
    context.adjustments.push(...this.#early)
    this.#generator = generate(context)
  }

  async #report(event: ExperimentEvent): Promise<void> {
    const { id } = this
    if (event.type === 'turn') return
    if (event.type === 'rest') {
      // What came meanwhile lets it go on.
      if (!this.#context?.adjustments.some(({ path }) => path === ADVANCE_PATH)) this.#options.onRest()
      return
    }
    if (event.type === 'checkpoint') {
      const delivery = await this.#context?.outputs.deliver({ name: 'checkpoint', kind: 'weights' }, event.bytes)
      if (delivery)
        await this.#options.send({ type: 'event', id, event: { type: 'checkpoint', step: event.step, delivery } })
      return
    }
    await this.#options.send({ type: 'event', id, event: WorkerEvent.parse(sendable(event)) })
  }

  async #endCancelled(): Promise<void> {
    await this.#end({ type: 'cancelled', id: this.id, outputs: this.#context?.outputs.take() ?? [] })
  }

  async #end(message: Extract<FromWorker, { type: 'result' | 'failed' | 'cancelled' }>): Promise<void> {
    await this.#context?.close()
    await this.#options.send(message)
  }
}

/** The event without what cannot be sent, or not cheaply. */
function sendable(event: Exclude<ExperimentEvent, { type: 'turn' | 'rest' }>): ExperimentEvent {
  // A diverging loss is not a number that JSON or a curve can hold.
  if (event.type === 'step') return { ...event, values: finiteOf(event.values) }
  if (event.type === 'log') return { ...event, message: event.message.slice(0, LOG_MESSAGE_LENGTH) }
  // Between threads a view would take its whole memory along.
  if (event.type === 'preview') return { ...event, pixels: new Uint8Array(event.pixels) }
  return event
}

function finiteOf(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)))
}
