/** Every error a user may see: what is affected, why, and what to do about it. Crosses every process boundary as plain data. */
import * as z from 'zod'

export const ErrorCode = z.enum([
  'invalid-input', // a parameter, document or message does not fit its schema
  'not-found', // a named thing does not exist
  'conflict', // the thing is in a state that does not allow the action
  'damaged', // a file, artifact or frame is malformed or its hash differs
  'too-large', // a declared size is above a limit
  'unsupported', // understood, but not available here (engine, operator, version)
  'crash', // a compute worker ended in the middle of a job
  'memory', // a compute worker went above its memory limit
  'cancelled', // ended at the user's wish
  'disk', // the disk is full or not writable
  'disconnected', // the process that holds the project cannot be reached
  'internal', // a defect of the program
])
export type ErrorCode = z.infer<typeof ErrorCode>

export const ErrorReport = z.object({
  code: ErrorCode,
  /** One sentence that names the thing and the reason. */
  message: z.string(),
  /** One sentence that says what to do. */
  remedy: z.string().optional(),
  /** For "copy details": stack, offending values. */
  details: z.string().optional(),
})
export type ErrorReport = z.infer<typeof ErrorReport>

/** The one error class of the program. `message` names thing and reason, `remedy` says what to do. */
export class ConvScopeError extends Error {
  readonly code: ErrorCode
  readonly remedy: string | undefined
  readonly details: string | undefined

  constructor(code: ErrorCode, message: string, options: { remedy?: string; details?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ConvScopeError'
    this.code = code
    this.remedy = options.remedy
    this.details = options.details
  }

  static from(report: ErrorReport): ConvScopeError {
    return new ConvScopeError(report.code, report.message, { remedy: report.remedy, details: report.details })
  }
}

/** Any thrown value as a report; anything that is not a ConvScopeError is a defect and keeps its stack as details. */
export function toErrorReport(thrown: unknown): ErrorReport {
  if (thrown instanceof ConvScopeError) {
    return { code: thrown.code, message: thrown.message, remedy: thrown.remedy, details: thrown.details }
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return { code: 'internal', message: error.message, details: error.stack }
}
