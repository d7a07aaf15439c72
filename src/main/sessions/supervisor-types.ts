/** What a supervisor is given and what it answers. */
import type { EngineIdentity } from '../../shared/engines.ts'
import type { OutputRecord } from '../../shared/runs.ts'
import type { Json } from '../../shared/values.ts'
import type { Library, RunEvent } from '../../shared/wire/protocol.ts'
import type { Logger } from '../platform/logger.ts'
import type { LaunchCommand } from './launcher.ts'
import type { KeepOutput } from './output-intake.ts'
import type { RestartLimit } from './restart-ceiling.ts'
import type { SessionEngine, SessionRun, SessionTimings } from './session-types.ts'

export interface SupervisorOptions {
  /** Part of the scratch folders' names and of the log: 'compute', 'files'. */
  readonly name: string
  /** The command line of a worker with so many threads; see `localLaunch`. */
  readonly launch: (threads: number | undefined) => LaunchCommand
  readonly engine: SessionEngine
  readonly threads?: number
  readonly cacheFolder: string
  readonly artifactFolders: readonly string[]
  /** Single artifacts outside of the folders, by hash: what ships with the program. */
  readonly artifactFiles?: Readonly<Record<string, string>>
  /** On the artifact store's file system. */
  readonly scratchFolder: string
  readonly keepOutput: KeepOutput
  readonly logger: Logger
  /** Asked for at every start of the worker. Four fifths of the machine's memory when left out. */
  readonly memoryLimitBytes?: number | (() => number)
  readonly restarts?: RestartLimit
  readonly timings?: Partial<SessionTimings>
}

export type RunRequest = Omit<SessionRun, 'document'> & { readonly document: unknown }
export interface RunHandlers {
  /** In order. What it throws cancels the run, which then rejects with it. */
  readonly onEvent?: (event: RunEvent) => void | Promise<void>
  readonly signal?: AbortSignal
}
/** What is told of a long question. */
export type ErrandProgress = Pick<Extract<RunEvent, { type: 'step' }>, 'done' | 'total' | 'unit' | 'secondsLeft'>
export interface ErrandHandlers {
  readonly library?: Library
  readonly onProgress?: (progress: ErrandProgress) => void
  readonly signal?: AbortSignal
}
export interface RunAnswer {
  readonly result: Json
  readonly outputs: OutputRecord[]
  /** Undefined in a session without engine. */
  readonly engine: EngineIdentity | undefined
}
