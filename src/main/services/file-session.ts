/** The session that reads files from outside: a worker without engine, started when it is needed and ended when it idles. */
import type { WorkerMethod, WorkerMethodParams, WorkerMethodResult } from '../../shared/wire/protocol.ts'
import type { OutputRecord } from '../../shared/runs.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { usableMemory } from '../sessions/session-keeper.ts'
import { Supervisor } from '../sessions/supervisor.ts'
import type { ErrandHandlers, SupervisorOptions } from '../sessions/supervisor-types.ts'

const IDLE_MS = 30_000
const BASE_LIMIT_BYTES = 4 * 2 ** 30
/** A reader may hold a file and what it makes of it, and has to grow its arrays. */
const LIMIT_PER_FILE_BYTE = 2.5
/** What is left to everything else on the machine. */
const MEMORY_SHARE = 0.8

export interface FileErrand extends ErrandHandlers {
  /** Size of what is read: a large file may take more memory. */
  readonly sizeBytes: number
}

export class FileSession {
  readonly #supervisor: Supervisor
  readonly #idleMs: number
  #limitBytes = BASE_LIMIT_BYTES
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #idle: NodeJS.Timeout | undefined

  constructor(
    options: Omit<SupervisorOptions, 'name' | 'engine' | 'memoryLimitBytes'>,
    { idleMs = IDLE_MS }: { idleMs?: number } = {},
  ) {
    this.#idleMs = idleMs
    this.#supervisor = new Supervisor({
      ...options,
      name: 'files',
      engine: 'none',
      memoryLimitBytes: () => Math.min(this.#limitBytes, MEMORY_SHARE * usableMemory()),
    })
  }

  /** Whether its worker runs; for tests. */
  get isRunning(): boolean {
    return this.#supervisor.currentStatus.state !== 'stopped'
  }

  /**
   * Asks one question after another; see `Supervisor.perform`. A crash ends the question that was asked and nothing else.
   * @throws ConvScopeError 'cancelled', the method's own error, or 'crash' or 'memory' where the worker ended
   */
  async perform<M extends WorkerMethod>(
    method: M,
    params: WorkerMethodParams<M>,
    { sizeBytes, ...handlers }: FileErrand,
  ): Promise<{ result: WorkerMethodResult<M>; outputs: OutputRecord[] }> {
    clearTimeout(this.#idle)
    this.#waiting++
    const before = this.#last
    const working = (async () => {
      await before.catch(() => undefined)
      if (handlers.signal?.aborted) throw new ConvScopeError('cancelled', 'This was cancelled before it began')
      await this.#prepare(sizeBytes)
      return this.#supervisor.perform(method, params, handlers)
    })()
    this.#last = working
    try {
      return await working
    } finally {
      this.#waiting--
      if (this.#waiting === 0) this.#idle = setTimeout(() => void this.#supervisor.stop(), this.#idleMs).unref()
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await this.#supervisor.stop('The program closes')
    await this.#last.catch(() => undefined)
    clearTimeout(this.#idle)
  }

  /** A session with the memory that the files need; whatever made earlier ones end is forgotten. */
  async #prepare(sizeBytes: number): Promise<void> {
    const limitBytes = Math.max(BASE_LIMIT_BYTES, LIMIT_PER_FILE_BYTE * sizeBytes)
    if (limitBytes > this.#limitBytes) await this.#supervisor.stop()
    this.#limitBytes = Math.max(limitBytes, this.isRunning ? this.#limitBytes : 0)
    await this.#supervisor.start()
  }
}
