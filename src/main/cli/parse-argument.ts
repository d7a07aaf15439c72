import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'

/** @throws ConvScopeError 'invalid-input' that says what does not fit, and where */
export function parseArgument<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  remedy?: string,
): z.infer<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const place = issue && issue.path.length > 0 ? ` at ${issue.path.join('.')}` : ''
  const shown = typeof value === 'string' ? ` "${value.slice(0, 100)}"` : ''
  throw new ConvScopeError('invalid-input', `${what}${shown} does not fit${place}: ${issue?.message ?? 'not valid'}`, {
    remedy,
    details: z.prettifyError(parsed.error),
  })
}
