/** What a session and its owner say to each other. */
import type { EngineIdentity, EngineReport, EngineWish } from '../../shared/engines.ts'
import type { ConvScopeError } from '../../shared/errors.ts'
import type { Json } from '../../shared/values.ts'
import type { Library, OutputDelivery, RunPriority, WorkerEvent } from '../../shared/wire/protocol.ts'
import type { Logger } from '../platform/logger.ts'
import type { LaunchCommand } from './launcher.ts'

/** 'none': a session that only reads files from outside. */
export type SessionEngine = EngineWish | 'none'

export interface SessionTimings {
  /** From the start of the process to its hello. */
  readonly helloMs: number
  /** From the hello to the engine being ready; the first calibration takes some seconds. */
  readonly readyMs: number
  readonly heartbeatMs: number
  /** Heartbeats missed in a row that mean the worker hangs. Computing does not delay them. */
  readonly missedHeartbeats: number
  /** After the polite stop: until SIGTERM, and from there to SIGKILL. */
  readonly stopMs: number
  readonly terminateMs: number
  /** How long a run may take to notice that it was cancelled before the worker is ended for it. */
  readonly cancelMs: number
}

export const DEFAULT_TIMINGS: SessionTimings = {
  helloMs: 20_000,
  readyMs: 180_000,
  heartbeatMs: 1000,
  missedHeartbeats: 20,
  stopMs: 4000,
  terminateMs: 1500,
  cancelMs: 15_000,
}

export interface SessionOptions {
  readonly command: LaunchCommand
  readonly engine: SessionEngine
  readonly threads?: number
  readonly cacheFolder: string
  readonly artifactFolders: readonly string[]
  readonly artifactFiles: Readonly<Record<string, string>>
  /** The session's own; outputs outside of it are refused. */
  readonly scratchFolder: string
  /** Resident bytes above which the worker is ended. */
  readonly memoryLimitBytes: number
  readonly timings: SessionTimings
  readonly logger: Logger
  readonly onHeartbeat: (heartbeat: Heartbeat) => void
}

export interface Heartbeat {
  readonly residentBytes: number
  readonly tensors: number
  readonly busy: string | undefined
}

export interface SessionReady {
  readonly engine: EngineIdentity | undefined
  readonly engines: EngineReport[]
}

/**
 * How a session ended. 'stopped': its owner wanted it. 'refused': the worker said that it cannot start (its engine does not).
 * 'crash': everything else: killed, above the memory limit, silent, talking nonsense.
 */
export interface SessionEnd {
  readonly reason: 'stopped' | 'refused' | 'crash'
  readonly error: ConvScopeError
  readonly engines: EngineReport[]
}

export interface SessionRun {
  readonly id: string
  readonly document: Json
  readonly library: Library
  readonly checkpoint?: string
  readonly pictures: boolean
  readonly priority: RunPriority
}

export interface RequestHandlers {
  readonly onEvent?: (event: WorkerEvent | { type: 'started' | 'paused' | 'resumed' }) => void
}

export interface Answer {
  readonly state: 'done' | 'cancelled'
  readonly result: Json
  readonly outputs: OutputDelivery[]
}
