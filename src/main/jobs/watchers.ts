/** Whoever watches runs. Each pulls at its own speed; nothing piles up for a slow one. */
import { TERMINAL_EVENTS, type DurableJobEvent, type JobEvent, type JobSummary } from '../../shared/jobs.ts'
import type { RunState, RunSummary } from '../../shared/runs.ts'
import type { Project } from '../project/project.ts'
import { Bell, closable } from './bell.ts'
import type { Preview, RunningJob } from './running-job.ts'

const OVERVIEW_MS = 100

interface Watcher {
  readonly bell: Bell
  /** The latest one not yet taken. */
  preview: Preview | undefined
}

export class Watchers {
  readonly #project: Project
  readonly #running: (runId: string) => RunningJob | undefined
  readonly #watchers = new Map<string, Set<Watcher>>()
  readonly #overviews = new Set<Bell>()
  #overviewTimer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(project: Project, running: (runId: string) => RunningJob | undefined) {
    this.#project = project
    this.#running = running
  }

  /** New events of a run are in its log or in the database. */
  onEvent(runId: string): void {
    for (const watcher of this.#watchers.get(runId) ?? []) watcher.bell.ring()
    this.onChange()
  }

  onPreview(runId: string, preview: Preview): void {
    for (const watcher of this.#watchers.get(runId) ?? []) {
      watcher.preview = preview
      watcher.bell.ring()
    }
  }

  /** The overview is another one now. */
  onChange(): void {
    if (this.#overviews.size === 0 || this.#overviewTimer) return
    this.#overviewTimer = setTimeout(() => this.#ringOverviews(), OVERVIEW_MS)
    this.#overviewTimer.unref()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#overviewTimer)
    for (const watchers of this.#watchers.values()) for (const { bell } of watchers) bell.ring()
    for (const bell of this.#overviews) bell.ring()
  }

  watch(runId: string, afterSeq: number, signal?: AbortSignal): AsyncIterableIterator<JobEvent, void, void> {
    this.#project.runs.summary(runId)
    const watcher: Watcher = { bell: new Bell(), preview: this.#running(runId)?.preview }
    return closable(watcher.bell, signal, (closed) => this.#follow(runId, afterSeq, watcher, closed))
  }

  overview(signal?: AbortSignal): AsyncIterableIterator<JobSummary[], void, void> {
    const bell = new Bell()
    return closable(bell, signal, (closed) => this.#followOverview(bell, closed))
  }

  async *#follow(
    runId: string,
    afterSeq: number,
    watcher: Watcher,
    closed: () => boolean,
  ): AsyncGenerator<JobEvent, void, void> {
    const together = this.#watchers.get(runId) ?? new Set()
    this.#watchers.set(runId, together.add(watcher))
    try {
      let seq = afterSeq
      while (!closed()) {
        // Closing is looked at before the database, which may be gone.
        if (this.#isClosed) return
        const events = this.#eventsAfter(runId, seq)
        for (const event of events) {
          yield event
          if (closed()) return
          seq = event.seq
        }
        const { preview } = watcher
        watcher.preview = undefined
        if (preview) yield preview
        if (events.length > 0 || preview || closed()) continue
        if (this.#hasEnded(runId)) return
        await watcher.bell.wait()
      }
    } finally {
      together.delete(watcher)
      if (together.size === 0) this.#watchers.delete(runId)
    }
  }

  #eventsAfter(runId: string, seq: number): DurableJobEvent[] {
    const stored = this.#project.jobEvents.after(runId, seq).items
    if (stored.length > 0) return stored
    return this.#running(runId)?.events.after(seq) ?? []
  }

  /** All its events are in the database then. A run that was purged has ended too. */
  #hasEnded(runId: string): boolean {
    const row = this.#project.database.get('SELECT state FROM run WHERE id = ?', runId)
    return row === undefined || isTerminal(String(row['state']))
  }

  async *#followOverview(bell: Bell, closed: () => boolean): AsyncGenerator<JobSummary[], void, void> {
    this.#overviews.add(bell)
    try {
      while (!closed() && !this.#isClosed) {
        yield this.#project.runs.overview().map((run) => this.#summary(run))
        if (!closed()) await bell.wait()
      }
    } finally {
      this.#overviews.delete(bell)
    }
  }

  #summary(run: RunSummary): JobSummary {
    const progress = this.#running(run.id)?.progress
    if (progress) return { run, progress }
    const step = this.#project.jobEvents.last(run.id, 'step')
    if (step?.type !== 'step') return { run }
    const { done, total, unit } = step
    const isActive = !isTerminal(run.state)
    return { run, progress: { done, total, unit, ...(isActive ? { secondsLeft: step.secondsLeft } : {}) } }
  }

  #ringOverviews(): void {
    this.#overviewTimer = undefined
    for (const bell of this.#overviews) bell.ring()
  }
}

function isTerminal(state: RunState | string): boolean {
  return TERMINAL_EVENTS.some((terminal) => terminal === state)
}
