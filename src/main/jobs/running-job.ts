/** One run while it is executed. */
import { setTimeout as delay } from 'node:timers/promises'
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import { parseDocument, type ExperimentDocument } from '../../shared/experiments/index.ts'
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
  isPaused = false
  #isCancelled = false
  #isEnded = false
  #checkpoint: { step: number; bytes: Uint8Array } | undefined
  #savingCheckpoint: Promise<void> = Promise.resolve()
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
      await this.#dropCheckpoint()
    } catch (error) {
      await this.#ended(error, outputs)
    }
  }

  /** What the executor says; rejects with 'cancelled' where it does not stop in time when the program closes. */
  async #outcome(document: ExperimentDocument): Promise<ExecutionOutcome> {
    const { project, executor, closing, closingMs } = this.#around
    assertSameLibrary(project.runs.library(this.id), libraryHashes(document, project))
    const saved = project.checkpoints.get(this.id)
    const checkpoint = saved ? await project.artifacts.read(saved.sha256) : undefined
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
      const outcome = await Promise.race([execution, closed])
      await this.#savingCheckpoint
      return outcome
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
    await this.#dropCheckpoint()
  }

  /** Whatever went wrong, in the order: the user wanted it to end, the program closes, it failed. */
  async #ended(error: unknown, outputs: readonly OutputRecord[]): Promise<void> {
    const { project, closing } = this.#around
    await this.#savingCheckpoint
    const isStop = error instanceof ConvScopeError && error.code === 'cancelled'
    if (this.#isCancelled || (isStop && !closing.aborted)) {
      await this.#store({ type: 'cancelled' }, (events) => project.runs.cancel(this.id, [], events))
      await this.#dropCheckpoint()
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
        return this.#around.onPreview(this.id, event)
      case 'checkpoint':
        return this.#onCheckpoint(event)
      case 'step':
        this.progress = { done: event.done, total: event.total, unit: event.unit, secondsLeft: event.secondsLeft }
        return this.events.add(event)
      default:
        return this.events.add(event)
    }
  }

  /** One is written at a time; of those that come meanwhile only the last is. */
  #onCheckpoint(checkpoint: { step: number; bytes: Uint8Array }): void {
    const isWaiting = this.#checkpoint !== undefined
    this.#checkpoint = checkpoint
    if (!isWaiting) this.#savingCheckpoint = this.#savingCheckpoint.then(() => this.#saveCheckpoint())
  }

  async #saveCheckpoint(): Promise<void> {
    const checkpoint = this.#checkpoint
    this.#checkpoint = undefined
    if (!checkpoint) return
    const { project } = this.#around
    const { artifacts, checkpoints } = project
    try {
      const { sha256, bytes } = await artifacts.put(checkpoint.bytes)
      const old = checkpoints.save({ runId: this.id, step: checkpoint.step, sha256, createdAt: Date.now() }, bytes)
      artifacts.settle([sha256])
      this.events.add({ type: 'checkpoint', step: checkpoint.step })
      if (old !== undefined && old !== sha256) await project.discard([old])
    } catch (error) {
      log.warn('a checkpoint could not be stored', { run: this.id, folder: project.folder, error })
      this.events.add({ type: 'log', message: `The checkpoint was not stored: ${toErrorReport(error).message}` })
    }
  }

  async #dropCheckpoint(): Promise<void> {
    const { project } = this.#around
    try {
      const old = project.checkpoints.remove(this.id)
      if (old !== undefined) await project.discard([old])
    } catch (error) {
      // The run has ended and is stored; what is left over is garbage for the next clean-up.
      log.warn('a checkpoint was not removed', { run: this.id, error })
    }
  }
}

function ignore(): undefined {
  return undefined
}
