/** Declared errors of every procedure: the report travels as data, so that the page can show reason, remedy and details. */
import { ErrorReport } from '../errors.ts'

export const failures = { FAILED: { data: ErrorReport } } as const
