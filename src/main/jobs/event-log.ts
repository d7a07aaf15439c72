/** The events of one run while it is executed: numbered at once, shown at once, stored in batches. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { DurableJobEvent } from '../../shared/jobs.ts'
import { createLogger } from '../platform/logger.ts'
import type { JobEvents, NewJobEvent } from '../project/job-events.ts'

const log = createLogger('jobs')
/** So many numbers are set aside at a time: a kill leaves a gap, but no number that was shown is given out again. */
const RESERVED_AT_ONCE = 1000

export class EventLog {
  readonly #runId: string
  readonly #events: JobEvents
  readonly #batchMs: number
  readonly #onEvent: () => void
  #pending: DurableJobEvent[] = []
  #seq: number
  #reserved: number
  #timer: NodeJS.Timeout | undefined

  constructor(runId: string, events: JobEvents, options: { batchMs: number; onEvent: () => void }) {
    this.#runId = runId
    this.#events = events
    this.#batchMs = options.batchMs
    this.#onEvent = options.onEvent
    this.#seq = events.lastSeq(runId)
    this.#reserved = this.#seq
  }

  /** Numbers an event; it is stored with the next batch. */
  add(event: NewJobEvent): void {
    this.#pending.push(this.#numbered(event))
    this.#timer ??= setTimeout(() => this.#flushOnTime(), this.#batchMs)
    this.#onEvent()
  }

  /** Events not stored yet with a number above `seq`. */
  after(seq: number): DurableJobEvent[] {
    // What could be given out twice is not shown before it is stored.
    return this.#reserve() ? this.#pending.filter((event) => event.seq > seq) : []
  }

  /**
   * Stores what is pending together with `last` through `store`, which runs them in the transaction of a change of state.
   * If it throws, they stay pending and `last` never happened.
   */
  storeWith(last: readonly NewJobEvent[], store: (events: readonly DurableJobEvent[]) => void): void {
    const seqBefore = this.#seq
    const stored = this.#pending.length
    try {
      store([...this.#pending, ...last.map((event) => this.#numbered(event))])
    } catch (error) {
      this.#seq = seqBefore
      throw error
    }
    this.#pending = this.#pending.slice(stored)
    if (this.#pending.length === 0) this.#stopTimer()
    this.#onEvent()
  }

  /** @throws ConvScopeError 'disk'; the events stay pending */
  flush(): void {
    if (this.#pending.length > 0) this.storeWith([], (events) => this.#events.append(this.#runId, events))
  }

  /** No more events come; those pending are stored if they can be. */
  close(): void {
    this.#flushOnTime()
    this.#stopTimer()
  }

  #numbered(event: NewJobEvent): DurableJobEvent {
    this.#seq++
    return { ...event, seq: this.#seq, at: Date.now() }
  }

  #reserve(): boolean {
    if (this.#seq <= this.#reserved) return true
    try {
      this.#events.reserve(this.#runId, this.#seq + RESERVED_AT_ONCE)
      this.#reserved = this.#seq + RESERVED_AT_ONCE
      return true
    } catch (error) {
      log.warn('numbers for events could not be reserved', { error })
      return false
    }
  }

  #flushOnTime(): void {
    this.#timer = undefined
    try {
      this.flush()
    } catch (error) {
      const mayPass = error instanceof ConvScopeError && error.code === 'disk'
      log.warn('events could not be stored', { run: this.#runId, error, again: mayPass })
      if (mayPass) this.#timer = setTimeout(() => this.#flushOnTime(), this.#batchMs * 20)
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
