/** What an import or the model doctor noticed about a network. */
import * as z from 'zod'
import { LibraryName } from '../values.ts'

/** 'note': worth knowing; 'warning': numbers may differ from the source's; 'error': the network, or part of it, cannot be used. */
export const FindingSeverity = z.enum(['note', 'warning', 'error'])
export type FindingSeverity = z.infer<typeof FindingSeverity>

export const Finding = z.strictObject({
  /** Stable, dash-case: what kind of finding it is, such as `unsupported-operator` or `dead-channels`. */
  code: z.string().regex(/^[a-z][a-z0-9-]*$/),
  severity: FindingSeverity,
  /** The layer it is about; absent for the network as a whole. */
  layer: LibraryName.optional(),
  /** One sentence that names the thing and the reason. */
  message: z.string(),
  /** One sentence that says what to do; absent where nothing has to be done. */
  remedy: z.string().optional(),
})
export type Finding = z.infer<typeof Finding>
