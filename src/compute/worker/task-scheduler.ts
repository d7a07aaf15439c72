/**
 * One computation at a time on the engine thread: looks go between the steps of a job, paused jobs leave the thread free. An
 * errand (a long question: an import, an accuracy) goes before jobs and lets looks go between its steps.
 */

import { ADVANCE_PATH } from '../../shared/jobs.ts'
import type { Adjustment } from '../experiments/experiment.ts'

export type TaskPriority = 'look' | 'errand' | 'job'

export interface Task {
  readonly id: string
  readonly priority: TaskPriority
  /** Runs to the next place where it may be interrupted; true once it has ended. Never rejects. */
  advance(): Promise<boolean>
  /** Tells an `advance` under way that it is no longer wanted. */
  abort(): void
  /** Ends it where it was interrupted. Never rejects. */
  cancel(): Promise<void>
  /** Tells where it was interrupted. Never rejects. */
  show(): Promise<void>
  /** Takes a change of its settings by the user. */
  adjust(adjustment: Adjustment): void
  /** Told when it is suspended and goes on. */
  onPaused(paused: boolean): void
}

interface Entry {
  readonly task: Task
  paused: boolean
  /** Goes on though it is paused, until it rests. */
  advancing: boolean
  /** It was paused, and has not told yet where. */
  showing: boolean
  cancelled: boolean
}

export interface SchedulerOptions {
  /** The id of the task that is advanced from now on; undefined when there is nothing to do. */
  readonly onBusy: (id: string | undefined) => void
  /** Called between two steps: lets messages in. */
  readonly onTurn: () => Promise<void>
}

export class TaskScheduler {
  readonly #options: SchedulerOptions
  readonly #entries: Entry[] = []
  /** The job under way keeps the thread until it ends or pauses. */
  #currentJob: Entry | undefined
  #pumping: Promise<void> | undefined
  #busy: string | undefined

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  add(task: Task): void {
    this.#entries.push({ task, paused: false, advancing: false, showing: false, cancelled: false })
    this.#wake()
  }

  /** An id that is not there (any more) is no mistake: the task may have ended meanwhile. */
  cancel(id: string): void {
    const entry = this.#find(id)
    if (!entry || entry.cancelled) return
    entry.cancelled = true
    entry.task.abort()
    this.#wake()
  }

  pause(id: string): void {
    const entry = this.#find(id)
    if (!entry || entry.paused || entry.cancelled) return
    entry.paused = true
    if (entry === this.#currentJob) this.#currentJob = undefined
    entry.task.onPaused(true)
    entry.showing = true
    this.#wake()
  }

  resume(id: string): void {
    const entry = this.#find(id)
    if (!entry?.paused || entry.cancelled) return
    entry.paused = false
    entry.advancing = false
    entry.task.onPaused(false)
    this.#wake()
  }

  /** A paused one that is asked to advance goes on until it rests. */
  adjust(id: string, adjustment: Adjustment): void {
    const entry = this.#find(id)
    if (!entry) return
    entry.task.adjust(adjustment)
    if (adjustment.path !== ADVANCE_PATH || !entry.paused) return
    entry.advancing = true
    this.#wake()
  }

  /** It has done what it was asked to do while it is paused. */
  rest(id: string): void {
    const entry = this.#find(id)
    if (entry) entry.advancing = false
  }

  /** Cancels everything; resolves when nothing runs any more. */
  async cancelAll(): Promise<void> {
    for (const { task } of [...this.#entries]) this.cancel(task.id)
    await this.#pumping
  }

  #find(id: string): Entry | undefined {
    return this.#entries.find(({ task }) => task.id === id)
  }

  #wake(): void {
    this.#pumping ??= this.#pump()
  }

  async #pump(): Promise<void> {
    // Whoever woke the scheduler finishes what it is doing first.
    await Promise.resolve()
    for (let entry = this.#next(); entry; entry = this.#next()) {
      this.#setBusy(entry.task.id)
      if (await this.#serve(entry)) this.#remove(entry)
      await this.#options.onTurn()
    }
    this.#setBusy(undefined)
    this.#pumping = undefined
  }

  /** @returns whether the task has ended */
  async #serve(entry: Entry): Promise<boolean> {
    if (entry.cancelled) {
      await entry.task.cancel()
      return true
    }
    if (!entry.showing) return entry.task.advance()
    entry.showing = false
    await entry.task.show()
    return false
  }

  #next(): Entry | undefined {
    const runnable = this.#entries.filter(({ paused, advancing }) => !paused || advancing)
    const found =
      this.#entries.find(({ cancelled }) => cancelled) ??
      this.#entries.find(({ showing }) => showing) ??
      runnable.find(({ task }) => task.priority === 'look') ??
      runnable.find(({ task, advancing }) => task.priority === 'errand' || advancing) ??
      this.#currentJob ??
      runnable[0]
    if (found?.task.priority === 'job' && !found.cancelled && !found.advancing && !found.paused)
      this.#currentJob = found
    return found
  }

  #remove(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1)
    if (this.#currentJob === entry) this.#currentJob = undefined
  }

  #setBusy(id: string | undefined): void {
    if (this.#busy === id) return
    this.#busy = id
    this.#options.onBusy(id)
  }
}
