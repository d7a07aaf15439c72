/** A compute session as the window's status bar and `doctor` show it. */
import * as z from 'zod'
import { EngineIdentity, EngineReport } from './engines.ts'
import { ErrorReport } from './errors.ts'

export const SessionState = z.enum(['stopped', 'starting', 'ready', 'computing', 'crashed', 'failed'])
export type SessionState = z.infer<typeof SessionState>

export const SessionStatus = z.object({
  state: SessionState,
  /** What it runs on, once it is ready. */
  engine: EngineIdentity.optional(),
  /** Every engine with the reason it was or was not taken. */
  engines: z.array(EngineReport),
  residentBytes: z.number().nonnegative(),
  tensors: z.number().int().nonnegative(),
  /** Id of what is being computed. */
  busy: z.string().optional(),
  /** What the state means for the user, where it needs words: a crash, a slower engine than wished for. */
  message: z.string().optional(),
  error: ErrorReport.optional(),
})
export type SessionStatus = z.infer<typeof SessionStatus>
