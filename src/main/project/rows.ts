/** Rows are untrusted: every one is parsed with the shared schema, and those that do not fit are told beside the good ones. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Row } from './database.ts'

export interface Listing<T> {
  readonly items: T[]
  /** One sentence for each row that could not be read. */
  readonly problems: string[]
}

/** A column of JSON text of the thing `what`. @throws ConvScopeError 'damaged' */
export function jsonColumn(row: Row, column: string, what: string): unknown {
  const text = row[column]
  if (text === null || text === undefined) return undefined
  try {
    return JSON.parse(String(text))
  } catch {
    throw new ConvScopeError('damaged', `${what} cannot be read: the column "${column}" is not JSON`)
  }
}

/** @throws ConvScopeError 'damaged' that names the thing and the first field that does not fit */
export function parseRow<S extends z.ZodType>(schema: S, value: unknown, what: string): z.infer<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new ConvScopeError(
    'damaged',
    `${what} cannot be read: ${issue?.path.join('.') || 'row'}: ${issue?.message ?? ''}`,
    {
      remedy: 'Remove it, or restore the project from a copy.',
      details: z.prettifyError(parsed.error),
    },
  )
}

/** Reads all rows; a bad one becomes a problem. */
export function readRows<T>(rows: readonly Row[], read: (row: Row) => T, name: (row: Row) => string): Listing<T> {
  const items: T[] = []
  const problems: string[] = []
  for (const row of rows) {
    try {
      items.push(read(row))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      problems.push(reason.startsWith(name(row)) ? reason : `${name(row)}: ${reason}`)
    }
  }
  return { items, problems }
}

/** Absent members as SQL's null, values as JSON text. */
export function toJsonColumn(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

/** SQL's null as an absent member. */
export function optional<T>(value: T | null): T | undefined {
  return value ?? undefined
}
