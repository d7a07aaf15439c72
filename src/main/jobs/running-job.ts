/** One run while it is executed. */
import { setTimeout as delay } from 'node:timers/promises'
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import { parseDocument, withChange, type ExperimentDocument } from '../../shared/experiments/index.ts'
import type { JobEvent, JobSummary } from '../../shared/jobs.ts'
import type { OutputRecord, RunRecord } from '../../shared/runs.ts'
import { createLogger } from '../platform/logger.ts'
import type { NewJobEvent } from '../project/job-events.ts'
import { assertSameLibrary, libraryHashes } from '../project/library-hashes.ts'
import type { Project } from '../project/project.ts'
import { EventLog } from './event-log.ts'
import type { ExecutionEvent, ExecutionOutcome, Executor } from './executor.ts'
import { assertStored } from './stored-outputs.ts'

const log = createLogger('jobs')

export type Preview = Extract<JobEvent, { type: 'preview' }>
export type DoneOutcome = Extract<ExecutionOutcome, { state: 'done' }>

/** Prepares what belongs to a finished run (a trained network); what it returns runs in the transaction that finishes it. */
export type WhenDone = (run: RunRecord, document: ExperimentDocument, outcome: DoneOutcome) => Promise<() => void>

export interface JobSurroundings {
  readonly project: Project
  readonly executor: Executor
  readonly whenDone: WhenDone | undefined
  /** Aborted when the program closes. */
  readonly closing: AbortSignal
  /** How long the executor may take to stop then. */
  readonly closingMs: number
  readonly batchMs: number
  /** How long a full disk is waited for before the next try. */
  readonly retryMs: number
  readonly onEvent: (runId: string) => void
  readonly onPreview: (runId: string, preview: Preview) => void
}

export class RunningJob {
  readonly id: string
  readonly events: EventLog
  progress: JobSummary['progress']
  /** The latest, for whoever begins to watch. */
  preview: Preview | undefined
  isPaused = false
  #isCancelled = false
  #isEnded = false
  readonly #around: JobSurroundings

  constructor(id: string, around: JobSurroundings) {
    this.id = id
    this.#around = around
    this.events = new EventLog(id, around.project.jobEvents, {
      batchMs: around.batchMs,
      onEvent: () => around.onEvent(id),
    })
  }

  cancel(): void {
    this.#isCancelled = true
    this.#around.executor.cancel(this.id)
  }

  pause(): void {
    this.#change('paused', { type: 'paused' })
    this.isPaused = true
    this.#around.executor.pause(this.id)
  }

  resume(): void {
    this.#change('running', { type: 'resumed' })
    this.isPaused = false
    this.#around.executor.resume(this.id)
  }

  adjust(path: string, value: number): void {
    this.#around.executor.adjust(this.id, path, value)
  }

  /** From the queue to its end. Rejects only where the database itself fails. */
  async execute(): Promise<void> {
    try {
      this.#change('running')
      await this.#executeToEnd()
    } finally {
      this.#isEnded = true
      this.events.close()
    }
  }

  #change(to: 'running' | 'paused' | 'queued', ...events: NewJobEvent[]): void {
    this.events.storeWith(events, (all) => this.#around.project.runs.move(this.id, to, all))
  }

  async #executeToEnd(): Promise<void> {
    const { runs, artifacts } = this.#around.project
    let outputs: readonly OutputRecord[] = []
    try {
      const run = runs.get(this.id)
      const document = parseDocument(run.document)
      const outcome = await this.#outcome(document)
      if (outcome.state === 'cancelled') return await this.#cancelled(outcome)
      await assertStored(artifacts, outcome.outputs)
      outputs = outcome.outputs
      const also = await this.#around.whenDone?.(run, document, outcome)
      await this.#store({ type: 'done' }, (events) => runs.finish(this.id, outcome, events, also))
      artifacts.settle(outputs.map(({ sha256 }) => sha256))
      this.#dropCheckpoint()
    } catch (error) {
      await this.#ended(error, outputs)
    }
  }

  /** What the executor says; rejects with 'cancelled' where it does not stop in time when the program closes. */
  async #outcome(document: ExperimentDocument): Promise<ExecutionOutcome> {
    const { project, executor, closing, closingMs } = this.#around
    assertSameLibrary(project.runs.library(this.id), libraryHashes(document, project))
    const checkpoint = await this.#lastCheckpoint()
    if (this.#isCancelled) return { state: 'cancelled', outputs: [] }
    closing.throwIfAborted()
    const request = { id: this.id, document, checkpoint, pictures: true, look: false }
    const execution = executor.execute(request, { onEvent: (event) => this.#onEvent(event), signal: closing })
    const given = new AbortController()
    const closed = new Promise<never>((_, reject) => {
      const giveUp = () => {
        const message = 'The program closed before the executor had stopped'
        const wait = delay(closingMs, undefined, { signal: given.signal, ref: false })
        wait.then(() => reject(new ConvScopeError('cancelled', message)), ignore)
      }
      closing.addEventListener('abort', giveUp, { once: true, signal: given.signal })
    })
    try {
      return await Promise.race([execution, closed])
    } finally {
      given.abort()
      execution.catch(ignore)
    }
  }

  async #cancelled({ outputs }: Extract<ExecutionOutcome, { state: 'cancelled' }>): Promise<void> {
    const { project, closing } = this.#around
    if (closing.aborted && !this.#isCancelled) return this.#putBack()
    await assertStored(project.artifacts, outputs)
    await this.#store({ type: 'cancelled' }, (events) => project.runs.cancel(this.id, outputs, events))
    project.artifacts.settle(outputs.map(({ sha256 }) => sha256))
    this.#dropCheckpoint()
  }

  /** Whatever went wrong, in the order: the user wanted it to end, the program closes, it failed. */
  async #ended(error: unknown, outputs: readonly OutputRecord[]): Promise<void> {
    const { project, closing } = this.#around
    const isStop = error instanceof ConvScopeError && error.code === 'cancelled'
    if (this.#isCancelled || (isStop && !closing.aborted)) {
      await this.#store({ type: 'cancelled' }, (events) => project.runs.cancel(this.id, [], events))
      this.#dropCheckpoint()
    } else if (closing.aborted) {
      this.#putBack()
    } else {
      const report = toErrorReport(error)
      log.warn('a run failed', { run: this.id, report })
      await this.#store({ type: 'failed', error: report }, (events) =>
        project.runs.fail(this.id, report, outputs, events),
      )
    }
  }

  /** The program closes: a running one waits for the next start, a paused one stays paused. */
  #putBack(): void {
    if (this.isPaused) this.events.flush()
    else this.#change('queued', { type: 'queued' })
  }

  /** A full disk must not lose what was computed: it is kept in memory and tried again until the program closes. */
  async #store(
    last: NewJobEvent,
    write: (events: Parameters<Parameters<EventLog['storeWith']>[1]>[0]) => void,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return this.events.storeWith([last], write)
      } catch (error) {
        const isFull = error instanceof ConvScopeError && error.code === 'disk'
        if (!isFull || this.#around.closing.aborted) throw error
        if (attempt === 1)
          this.events.add({ type: 'log', message: `Not stored yet, will be tried again: ${error.message}` })
        log.error('the end of a run could not be stored, trying again', { run: this.id, error })
        await delay(this.#around.retryMs, undefined, { signal: this.#around.closing }).catch(ignore)
      }
    }
  }

  #onEvent(event: ExecutionEvent): void {
    if (this.#isEnded) return
    switch (event.type) {
      case 'preview':
        this.preview = event
        return this.#around.onPreview(this.id, event)
      case 'adjusted':
        return this.#onAdjusted(event)
      case 'checkpoint':
        return this.#onCheckpoint(event.step, event.artifact)
      case 'step':
        this.progress = { done: event.done, total: event.total, unit: event.unit, secondsLeft: event.secondsLeft }
        return this.events.add({ ...event, values: finite(event.values) })
      default:
        return this.events.add(event)
    }
  }

  /** Stored in the document before it is told of, so that a run that goes on after a kill repeats it. */
  #onAdjusted(event: Extract<ExecutionEvent, { type: 'adjusted' }>): void {
    const { runs } = this.#around.project
    try {
      const document = withChange(parseDocument(runs.get(this.id).document), event)
      this.events.storeWith([event], (events) => runs.amend(this.id, document, events))
    } catch (error) {
      log.warn('a change could not be stored', { run: this.id, error })
      this.events.add({
        type: 'log',
        message: `The change of ${event.path} was not stored: ${toErrorReport(error).message}`,
      })
    }
  }

  #onCheckpoint(step: number, { sha256, bytes }: { sha256: string; bytes: number }): void {
    const { project } = this.#around
    try {
      const old = project.checkpoints.save({ runId: this.id, step, sha256, createdAt: Date.now() }, bytes)
      this.events.add({ type: 'checkpoint', step })
      if (old !== undefined && old !== sha256) this.#discard(old)
    } catch (error) {
      log.warn('a checkpoint could not be stored', { run: this.id, error })
      this.events.add({ type: 'log', message: `The checkpoint was not stored: ${toErrorReport(error).message}` })
    } finally {
      project.artifacts.settle([sha256])
    }
  }

  #discard(sha256: string): void {
    this.#around.project
      .discard([sha256])
      .catch((error: unknown) => log.warn('an old checkpoint was not removed', { run: this.id, error }))
  }

  #dropCheckpoint(): void {
    try {
      const old = this.#around.project.checkpoints.remove(this.id)
      if (old !== undefined) this.#discard(old)
    } catch (error) {
      // The run has ended and is stored; what is left over is garbage for the next clean-up.
      log.warn('a checkpoint was not removed', { run: this.id, error })
    }
  }

  /** Undefined where there is none, or where its file is gone: then the run begins anew. */
  async #lastCheckpoint(): Promise<string | undefined> {
    const { checkpoints, artifacts } = this.#around.project
    const saved = checkpoints.get(this.id)
    if (!saved || (await artifacts.has(saved.sha256))) return saved?.sha256
    this.events.add({ type: 'log', message: 'The checkpoint is missing; beginning anew.' })
    return undefined
  }
}

/** NaN and infinity, of a training that diverges, are neither JSON nor points of a curve. */
function finite(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)))
}

function ignore(): undefined {
  return undefined
}
