/** What the job queue asks of whoever computes: implemented on top of the sessions. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import type { EngineIdentity } from '../../shared/engines.ts'
import type { ExperimentDocument } from '../../shared/experiments/index.ts'
import type { OutputRecord, Provenance } from '../../shared/runs.ts'
import { Bytes, type Json } from '../../shared/values.ts'

/** Values that JSON and curves cannot hold (NaN, infinity of a diverging training) are left out of a step. */
const FiniteValues = z
  .record(z.string(), z.unknown())
  .transform((values) => Object.fromEntries(Object.entries(values).filter(isFiniteNumber)))

function isFiniteNumber(entry: [string, unknown]): entry is [string, number] {
  return typeof entry[1] === 'number' && Number.isFinite(entry[1])
}

/** What an execution tells while it runs: `started` once, then the events of the experiment. */
export const ExecutionEvent = z.discriminatedUnion('type', [
  /** The session has begun with it; `engine` is shown to people. */
  z.object({ type: z.literal('started'), engine: z.string() }),
  z.object({
    type: z.literal('step'),
    done: z.number().nonnegative(),
    total: z.number().positive(),
    unit: z.string(),
    values: FiniteValues,
    secondsLeft: z.number().nonnegative().optional(),
  }),
  z.object({ type: z.literal('log'), message: z.string() }),
  z.object({
    type: z.literal('preview'),
    name: z.string(),
    width: z.number().int().positive(),
    height: z.number().int().positive(),
    channels: z.union([z.literal(1), z.literal(3), z.literal(4)]),
    pixels: Bytes,
  }),
  z.object({ type: z.literal('checkpoint'), step: z.number().int().nonnegative(), bytes: Bytes }),
])
export type ExecutionEvent = z.infer<typeof ExecutionEvent>

/** @throws ConvScopeError 'damaged' where a worker sent something that is not an event */
export function parseExecutionEvent(value: unknown): ExecutionEvent {
  const parsed = ExecutionEvent.safeParse(value)
  if (parsed.success) return parsed.data
  throw new ConvScopeError('damaged', 'The compute worker sent a malformed event', {
    details: z.prettifyError(parsed.error),
  })
}

export interface ExecutionRequest {
  /** The run's id, or a name of its own for a look. */
  readonly id: string
  readonly document: ExperimentDocument
  /** Bytes of the last checkpoint when a run goes on. */
  readonly checkpoint: Uint8Array | undefined
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
   * Executes a document to its end. At most one job at a time is asked for, and any number of looks beside it; the
   * executor puts them in order. Rejects with a ConvScopeError: 'crash' and 'memory' when the worker ended, any other when the experiment failed.
   */
  execute(request: ExecutionRequest, hooks: ExecutionHooks): Promise<ExecutionOutcome>
  /** Take effect where the experiment yields; for an id that is not being executed they do nothing. */
  cancel(id: string): void
  pause(id: string): void
  resume(id: string): void
}
