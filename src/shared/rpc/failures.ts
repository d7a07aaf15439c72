/** From what oRPC throws to the one error class of the program. */
import { ORPCError } from '@orpc/client'
import * as z from 'zod'
import { action } from '../actions.ts'
import { ConvScopeError, ErrorReport } from '../errors.ts'

export const disconnected = (): ConvScopeError =>
  new ConvScopeError('disconnected', 'The connection to ConvScope was lost before it answered', {
    remedy: 'Look whether the action was done, and repeat it if not.',
  })

export const closedForGood = (): ConvScopeError =>
  new ConvScopeError('disconnected', 'The connection to ConvScope is closed', {
    remedy: action('reconnect'),
  })

const InputIssues = z.object({
  issues: z.array(
    z.object({
      message: z.string(),
      path: z.array(z.union([z.string(), z.number(), z.object({ key: z.union([z.string(), z.number()]) })])).optional(),
    }),
  ),
})

/** Any error of a call as a ConvScopeError. */
export function toConvScopeError(thrown: unknown): ConvScopeError {
  if (thrown instanceof ConvScopeError) return thrown
  if (thrown instanceof ORPCError) {
    const report = ErrorReport.safeParse(thrown.data)
    if (thrown.code === 'FAILED' && report.success) return ConvScopeError.from(report.data)
    const refused = InputIssues.safeParse(thrown.data)
    if (thrown.code === 'BAD_REQUEST' && refused.success) return refusedInput(refused.data)
    return new ConvScopeError('internal', `ConvScope could not answer: ${thrown.message}`, {
      remedy: 'Reload the page; if it happens again, copy the details into a report.',
      details: `${thrown.code} ${JSON.stringify(thrown.data) ?? ''}`.trim(),
      cause: thrown,
    })
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return new ConvScopeError('internal', `ConvScope gave an answer that cannot be read: ${error.message}`, {
    remedy: 'Reload the page; if it happens again, copy the details into a report.',
    details: error.stack,
    cause: thrown,
  })
}

function refusedInput({ issues }: z.infer<typeof InputIssues>): ConvScopeError {
  const sentences = issues.map(({ message, path }) => {
    const place = (path ?? []).map((part) => (typeof part === 'object' ? part.key : part)).join('.')
    return place === '' ? message : `${place}: ${message}`
  })
  return new ConvScopeError('invalid-input', `The request was refused: ${sentences[0] ?? 'unknown'}`, {
    remedy: 'Correct that value and try again.',
    details: sentences.join('\n'),
  })
}
