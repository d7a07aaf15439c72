/** Starts, restarts and stops the session of a supervisor, and says what state it is in. */
import { totalmem } from 'node:os'
import { action } from '../../shared/actions.ts'
import type { EngineIdentity } from '../../shared/engines.ts'
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import type { SessionStatus } from '../../shared/session.ts'
import { LatestValue } from './latest-value.ts'
import { RestartCeiling } from './restart-ceiling.ts'
import { ScratchFolder } from './scratch-folder.ts'
import { Session } from './session.ts'
import { DEFAULT_TIMINGS, type SessionEnd, type SessionEngine, type SessionReady } from './session-types.ts'
import type { SupervisorOptions } from './supervisor-types.ts'

export interface RunningSession {
  readonly session: Session
  readonly ready: SessionReady
  readonly scratch: ScratchFolder
  /** Resolves once the session has ended and its scratch folder is removed; never rejects. */
  readonly cleared: Promise<void>
}

const DEFAULT_RESTARTS = { count: 3, windowMs: 60_000 }
const MEMORY_SHARE = 0.8

export class SessionKeeper {
  readonly status = new LatestValue<SessionStatus>({ state: 'stopped', engines: [], residentBytes: 0, tensors: 0 })
  readonly #options: SupervisorOptions
  readonly #isComputing: () => boolean
  readonly #ceiling: RestartCeiling
  #engine: SessionEngine
  #threads: number | undefined
  /** The session that runs or starts, with the restarts it takes. */
  #opening: Promise<RunningSession> | undefined
  #session: Session | undefined
  #running: RunningSession | undefined
  /** Why it is not started any more. */
  #failure: ConvScopeError | undefined
  #isWanted = false
  #stopping: Promise<void> | undefined

  constructor(options: SupervisorOptions, isComputing: () => boolean) {
    this.#options = options
    this.#isComputing = isComputing
    this.#ceiling = new RestartCeiling(options.restarts ?? DEFAULT_RESTARTS)
    this.#engine = options.engine
    this.#threads = options.threads
  }

  get engine(): EngineIdentity | undefined {
    return this.#running?.ready.engine
  }

  /** For the next start. */
  configure(engine: SessionEngine, threads: number | undefined): void {
    this.#engine = engine
    this.#threads = threads
  }

  /** Forgets earlier crashes: somebody wants to try again. */
  forgive(): void {
    this.#failure = undefined
    this.#ceiling.reset()
  }

  /** The session, started if it is not running. @throws ConvScopeError with the reason it does not start */
  async session(): Promise<RunningSession> {
    await this.#stopping
    if (this.#failure) throw this.#failure
    this.#isWanted = true
    this.#opening ??= this.#open()
    return this.#opening
  }

  /** Who asks for the session meanwhile gets the next one. */
  async stop(reason: ConvScopeError): Promise<void> {
    this.#isWanted = false
    this.#stopping ??= this.#stop(reason).finally(() => {
      this.#stopping = undefined
    })
    await this.#stopping
  }

  /** To be called when what runs has changed. */
  refresh(): void {
    const { state } = this.status.value
    if (state === 'ready' || state === 'computing') this.#update({ state: this.#workingState() })
  }

  async #stop(reason: ConvScopeError): Promise<void> {
    const opening = this.#opening
    await this.#session?.stop(reason)
    // One that was only about to be launched finds out that it is not wanted.
    await opening?.catch(() => undefined)
    if (!this.#failure) this.#update({ state: 'stopped', message: undefined, error: undefined })
  }

  async #open(): Promise<RunningSession> {
    try {
      for (;;) {
        if (!this.#isWanted) throw new ConvScopeError('cancelled', 'The session was stopped')
        const { session, scratch, cleared } = await this.#launch()
        // Meanwhile the owner may have changed its mind.
        if (!this.#isWanted) void session.stop()
        const ready = await session.ready.catch(() => undefined)
        if (ready) {
          const running = { session, ready, scratch, cleared }
          this.#running = running
          this.#update({ state: this.#workingState(), engine: ready.engine, engines: ready.engines })
          void session.ended.then((end) => this.#lost(end))
          return running
        }
        const end = await session.ended
        if (!this.#mayRestart(end)) throw this.#failure ?? end.error
      }
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  async #launch(): Promise<Omit<RunningSession, 'ready'>> {
    const {
      name,
      launch,
      timings,
      artifactFiles = {},
      memoryLimitBytes = MEMORY_SHARE * usableMemory(),
    } = this.#options
    const scratch = await ScratchFolder.create(this.#options.scratchFolder, name)
    // The message about a crash stays: it explains why what was computed is gone.
    this.#update({ state: 'starting', error: undefined })
    const session = new Session({
      ...this.#options,
      command: launch(this.#threads),
      engine: this.#engine,
      threads: this.#threads,
      artifactFiles,
      scratchFolder: scratch.path,
      memoryLimitBytes: typeof memoryLimitBytes === 'function' ? memoryLimitBytes() : memoryLimitBytes,
      timings: { ...DEFAULT_TIMINGS, ...timings },
      onHeartbeat: (heartbeat) => this.#update(heartbeat),
    })
    this.#session = session
    const cleared = session.ended
      .then(() => scratch.remove())
      .catch((error: unknown) => this.#options.logger.warn('scratch folder', { error }))
    return { session, scratch, cleared }
  }

  /** A session that had been ready has ended. */
  #lost(end: SessionEnd): void {
    this.#opening = undefined
    this.#running = undefined
    if (!this.#mayRestart(end) || !this.#isWanted) return
    this.#opening = this.#open()
    // Whoever needs the session asks for it; the status tells the others.
    this.#opening.catch((error: unknown) => {
      if (this.#failure) this.#options.logger.error('the session does not start again', { error })
    })
  }

  #mayRestart(end: SessionEnd): boolean {
    this.#session = undefined
    this.#running = undefined
    this.#update({ engine: undefined, residentBytes: 0, tensors: 0, busy: undefined })
    if (end.reason === 'stopped') {
      this.#update({ state: 'stopped' })
      return false
    }
    if (end.engines.length > 0) this.#update({ engines: end.engines })
    if (end.reason === 'refused') return this.#fail(end.error)
    this.#update({ state: 'crashed', message: end.error.message, error: toErrorReport(end.error) })
    if (this.#ceiling.record()) return true
    const { count, windowMs } = this.#ceiling.limit
    const what = `The compute worker ended ${count} times within ${windowMs / 1000} s and is not started again by itself`
    return this.#fail(
      new ConvScopeError(end.error.code, `${what}. The last time: ${end.error.message}`, {
        remedy: action('choose-engine'),
        details: end.error.details,
      }),
    )
  }

  #fail(error: ConvScopeError): false {
    this.#failure = error
    this.#update({ state: 'failed', message: error.message, error: toErrorReport(error) })
    return false
  }

  #workingState(): 'ready' | 'computing' {
    return this.#isComputing() ? 'computing' : 'ready'
  }

  #update(change: Partial<SessionStatus>): void {
    this.status.set({ ...this.status.value, ...change })
  }
}

/** What the machine has, or what the process may use of it (a container's limit). */
export function usableMemory(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem()
}
