/**
 * The queue of lasting runs, and looks beside it. The queue itself is the database: what is waiting there is begun, one at a
 * time (a paused one makes room), and after a kill it is found again. A connection that is lost never cancels anything.
 */
import { ConvScopeError } from '../../shared/errors.ts'
import { describeDocument, parseDocument, takesChanges } from '../../shared/experiments/index.ts'
import type { ArtifactContents, Mention } from '../../shared/experiments/mentions.ts'
import { ADVANCE_PATH, Iterations, type JobEvent, type JobSummary } from '../../shared/jobs.ts'
import type { Look } from '../../shared/runs.ts'
import { createLogger } from '../platform/logger.ts'
import type { NewJobEvent } from '../project/job-events.ts'
import { finishedRun } from '../project/finished-run.ts'
import { libraryHashes, mentionsOf } from '../project/library-hashes.ts'
import type { Project } from '../project/project.ts'
import type { Executor } from './executor.ts'
import { LookBroker } from './look-broker.ts'
import { RunningJob, type JobSurroundings, type WhenDone } from './running-job.ts'
import { Watchers } from './watchers.ts'

const log = createLogger('jobs')

export interface JobQueueOptions {
  /** Begin runs that were already waiting when the project was opened; otherwise only those started or resumed here. */
  readonly beginWaiting?: boolean
  readonly whenDone?: WhenDone
  readonly batchMs?: number
  readonly retryMs?: number
  readonly closingMs?: number
  /** After so long the project's garbage is collected, once. */
  readonly cleanUpAfterMs?: number
}

const DEFAULTS = { batchMs: 250, retryMs: 5000, closingMs: 5000, cleanUpAfterMs: 60_000 } as const

export class JobQueue {
  readonly #project: Project
  readonly #closing = new AbortController()
  readonly #surroundings: JobSurroundings
  readonly #looks: LookBroker
  readonly #watchers: Watchers
  readonly #cleanUp: NodeJS.Timeout
  #isBroken = false
  /** The runs that may be begun; undefined for all. */
  readonly #eligible: Set<string> | undefined
  /** Begun here and not ended: one that computes, and any number of paused ones. */
  readonly #running = new Map<string, { readonly job: RunningJob; ended: Promise<void> }>()

  constructor(project: Project, executor: Executor, options: JobQueueOptions = {}) {
    const { batchMs, retryMs, closingMs, cleanUpAfterMs } = { ...DEFAULTS, ...options }
    this.#project = project
    this.#eligible = (options.beginWaiting ?? true) ? undefined : new Set()
    this.#watchers = new Watchers(project, (runId) => this.#live(runId))
    this.#looks = new LookBroker(project, executor, this.#closing.signal)
    this.#surroundings = {
      project,
      executor,
      whenDone: options.whenDone,
      closing: this.#closing.signal,
      closingMs,
      batchMs,
      retryMs,
      onEvent: (runId) => this.#watchers.onEvent(runId),
      onPreview: (runId, preview) => this.#watchers.onPreview(runId, preview),
    }
    this.#cleanUp = setTimeout(() => this.#collectGarbage(), cleanUpAfterMs)
    this.#cleanUp.unref()
    this.#beginNext()
  }

  /**
   * Puts a lasting run into the queue and returns its id at once; with `reuse` that of a finished run of the same document on the same networks
   * and data sets, where there is one.
   * @throws ConvScopeError for a document that does not fit ('invalid-input', 'unsupported') or names what is not there ('not-found')
   */
  async start(value: unknown, { title, reuse = false }: { title?: string; reuse?: boolean } = {}): Promise<string> {
    this.#assertOpen()
    const document = parseDocument(value)
    const library = libraryHashes(document, this.#project)
    const finished = reuse ? finishedRun(this.#project, document, library) : undefined
    if (finished !== undefined) return finished
    for (const mention of mentionsOf(document)) {
      if (mention.thing !== 'artifact' || (await this.#project.artifacts.has(mention.sha256))) continue
      throw missingArtifact(document.kind, mention)
    }
    const { id } = this.#project.runs.create(document, { title: title ?? describeDocument(document), library })
    this.#admit(id)
    return id
  }

  /** Computes a document for looking at, or answers from the history; see `LookBroker.look`. */
  look(value: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<Look> {
    return this.#looks.look(value, signal)
  }

  /**
   * Durable events with a number above `afterSeq`, then live ones and previews (only the latest, one pending); ends after the
   * run has ended, or with the signal. @throws ConvScopeError 'not-found'
   */
  watch(runId: string, afterSeq = 0, signal?: AbortSignal): AsyncIterableIterator<JobEvent, void, void> {
    return this.#watchers.watch(runId, afterSeq, signal)
  }

  /** Running, waiting and last ended runs; a new list whenever it changes, ten times a second at most. */
  overview(signal?: AbortSignal): AsyncIterableIterator<JobSummary[], void, void> {
    return this.#watchers.overview(signal)
  }

  /** Asks a running one to stop, with its partial outputs kept; a waiting one never begins. @throws ConvScopeError 'conflict' for an ended one */
  cancel(runId: string): void {
    const job = this.#live(runId)
    if (job) return job.cancel()
    this.#store(runId, [{ type: 'cancelled' }], (events) => this.#project.runs.cancel(runId, [], events))
  }

  /** Holds a running one where it is, or a waiting one back. @throws ConvScopeError 'conflict' for any other */
  pause(runId: string): void {
    const job = this.#live(runId)
    if (job) {
      job.pause()
      return this.#beginNext()
    }
    this.#store(runId, [{ type: 'paused' }], (events) => this.#project.runs.move(runId, 'paused', events))
  }

  /** Lets a paused one go on; one that failed, or that was paused before the last start, goes on from its last checkpoint. */
  resume(runId: string): void {
    this.#assertOpen()
    const job = this.#live(runId)
    if (job) return job.resume()
    this.#store(runId, [{ type: 'queued' }], (events) => this.#project.runs.move(runId, 'queued', events))
    this.#admit(runId)
  }

  /** Changes a setting of a running one, or lets a paused one do some iterations and rest again. @throws ConvScopeError 'conflict' for one that does not run, or that takes no changes */
  adjust(runId: string, path: string, value: number): void {
    const job = this.#live(runId)
    if (!job) throw new ConvScopeError('conflict', `The run ${runId} does not run, so nothing of it can be changed`)
    const { kind } = parseDocument(this.#project.runs.get(runId).document)
    if (!takesChanges(kind)) {
      throw new ConvScopeError('unsupported', `Settings of a run of kind ${kind} cannot be changed while it runs`)
    }
    if (path === ADVANCE_PATH) requireAdvance(job, value)
    job.adjust(path, value)
  }

  /** Something about runs was changed elsewhere (removed, renamed): the overview is sent again. */
  refresh(): void {
    this.#watchers.onChange()
  }

  /** Stops what runs, which then waits for the next start, and ends every watch. The project stays open. */
  async close(): Promise<void> {
    clearTimeout(this.#cleanUp)
    this.#closing.abort(new ConvScopeError('cancelled', 'The program closes'))
    await Promise.all([...[...this.#running.values()].map(({ ended }) => ended), this.#looks.settled()])
    this.#watchers.close()
  }

  #live(runId: string): RunningJob | undefined {
    return this.#running.get(runId)?.job
  }

  #admit(runId: string): void {
    this.#eligible?.add(runId)
    this.#watchers.onEvent(runId)
    this.#beginNext()
  }

  #beginNext(): void {
    const isComputing = [...this.#running.values()].some(({ job }) => !job.isPaused)
    if (isComputing || this.#isBroken || this.#closing.signal.aborted) return
    const id = this.#project.runs.queued().find((waiting) => this.#eligible?.has(waiting) ?? true)
    if (id === undefined) return
    const job = new RunningJob(id, this.#surroundings)
    // Marked as running before anything else can happen; the end comes later even where execution fails at once.
    const entry = { job, ended: Promise.resolve() }
    this.#running.set(id, entry)
    entry.ended = this.#execute(job)
  }

  async #execute(job: RunningJob): Promise<void> {
    try {
      await job.execute()
    } catch (error) {
      // The state of this run is not known to be stored; going on would fail the same way.
      log.error('the queue stops: a run could not be stored', { run: job.id, error })
      this.#isBroken = true
    }
    this.#running.delete(job.id)
    this.#watchers.onEvent(job.id)
    this.#beginNext()
  }

  /** A change of a run that nobody executes. */
  #store(
    runId: string,
    events: readonly NewJobEvent[],
    write: (events: Parameters<Project['jobEvents']['append']>[1]) => void,
  ): void {
    const last = this.#project.jobEvents.lastSeq(runId)
    write(events.map((event, index) => ({ ...event, seq: last + 1 + index, at: Date.now() })))
    this.#watchers.onEvent(runId)
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new ConvScopeError('conflict', 'The program closes')
  }

  #collectGarbage(): void {
    this.#project.collectGarbage().catch((error: unknown) => log.warn('the garbage was not collected', { error }))
  }
}

const ARTIFACTS: { readonly [T in ArtifactContents]: { readonly title: string; readonly remedy: string } } = {
  picture: { title: 'the picture', remedy: 'Add the picture again, or choose another.' },
  weights: { title: 'the weights', remedy: 'Name the weights of a snapshot that the project still has.' },
  training: {
    title: 'the state of a training',
    remedy: 'Name the output "state" of a run that the project still has, or train from the beginning.',
  },
}

function missingArtifact(
  kind: string,
  { field, sha256, holds }: Extract<Mention, { thing: 'artifact' }>,
): ConvScopeError {
  const { title, remedy } = ARTIFACTS[holds]
  const message = `The ${kind} document has a mistake at params.${field}: ${title} ${sha256} is not in the project`
  return new ConvScopeError('not-found', message, { remedy })
}

/** @throws ConvScopeError 'conflict' for a run that goes on anyway, 'invalid-input' for what is no number of iterations */
function requireAdvance(job: RunningJob, value: number): void {
  if (!job.isPaused) {
    throw new ConvScopeError('conflict', 'The run goes on, so it cannot be asked for single iterations', {
      remedy: 'Pause it first.',
    })
  }
  if (!Iterations.safeParse(value).success) {
    throw new ConvScopeError('invalid-input', `${value} is no number of iterations`, {
      remedy: 'Ask for a whole number from 1 to 10,000.',
    })
  }
}
