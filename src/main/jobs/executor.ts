/** What the job queue asks of whoever computes: implemented on top of the sessions. */
import type { EngineIdentity } from '../../shared/engines.ts'
import type { ExperimentDocument } from '../../shared/experiments/index.ts'
import type { DurableJobEvent, JobEvent } from '../../shared/jobs.ts'
import type { OutputRecord, Provenance } from '../../shared/runs.ts'
import type { Json } from '../../shared/values.ts'

type Unnumbered<T extends DurableJobEvent['type']> = Omit<Extract<DurableJobEvent, { type: T }>, 'seq' | 'at'>

/** What an execution tells while it runs: `started` once the session has begun with it, then the events of the experiment. */
export type ExecutionEvent =
  | Unnumbered<'started'>
  | Unnumbered<'step'>
  | Unnumbered<'log'>
  | Unnumbered<'adjusted'>
  | Extract<JobEvent, { type: 'preview' }>
  /** Everything needed to go on from here; already in the artifact store. */
  | {
      readonly type: 'checkpoint'
      readonly step: number
      readonly artifact: { readonly sha256: string; readonly bytes: number }
    }

export interface ExecutionRequest {
  /** The run's id, or a name of its own for a look. */
  readonly id: string
  readonly document: ExperimentDocument
  /** The artifact of the last checkpoint when a run goes on. */
  readonly checkpoint: string | undefined
  /** Whether the experiment also writes one picture a unit, frame … */
  readonly pictures: boolean
  /** Somebody waits for it in front of the screen: goes before jobs, between two steps of a running one. */
  readonly look: boolean
}

export interface ExecutionHooks {
  readonly onEvent: (event: ExecutionEvent) => void
  /** Aborted when the program closes: stop soon, no outcome is needed. A user's cancel comes by `Executor.cancel`. */
  readonly signal: AbortSignal
}

/** Outputs are in the project's artifact store, on the disk for good, before an outcome names them. */
export type ExecutionOutcome =
  | { readonly state: 'done'; readonly result: Json; readonly outputs: OutputRecord[]; readonly provenance: Provenance }
  /** Ended by `cancel`; with the outputs written so far. */
  | { readonly state: 'cancelled'; readonly outputs: OutputRecord[] }

export interface Executor {
  /** The engine the next look will run on; undefined while no session is ready. */
  engine(): EngineIdentity | undefined
  /**
   * Executes a document to its end. Besides one job, paused ones and any number of looks may be asked for at the same time;
   * the executor puts them in order. Rejects with a ConvScopeError: 'crash' and 'memory' when the worker ended, any other when the experiment failed.
   */
  execute(request: ExecutionRequest, hooks: ExecutionHooks): Promise<ExecutionOutcome>
  /** Take effect where the experiment yields; for an id that is not being executed they do nothing. */
  cancel(id: string): void
  pause(id: string): void
  resume(id: string): void
  /** Changes a setting; what took effect comes back as `adjusted`. */
  adjust(id: string, path: string, value: number): void
}
