/** The error that a reader must end in. */
import { ConvScopeError } from '../../../shared/errors.ts'

/** @throws Error where the work succeeds or fails otherwise */
export async function refusal(work: Promise<unknown>): Promise<ConvScopeError> {
  const outcome: unknown = await work.then(
    () => 'a result',
    (reason: unknown) => reason,
  )
  if (outcome instanceof ConvScopeError) return outcome
  throw new Error('a ConvScopeError is expected', { cause: outcome })
}
