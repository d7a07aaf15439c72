/** Streams of things that take a while: how far they are, and at last what came of them. Closing the stream cancels. */
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'

export const Progress = z.object({
  type: z.literal('progress'),
  done: z.number().nonnegative(),
  total: z.number().positive(),
  /** What `done` and `total` count, such as '%' or 'pictures'. */
  unit: z.string(),
  secondsLeft: z.number().nonnegative().optional(),
})
export type Progress = z.infer<typeof Progress>

/** What a stream of progress yields; the last event is the one with the result. */
export type ProgressOr<T> = Progress | { type: 'done'; result: T }

/** The contract's output of such a stream. */
export function progressThen<S extends z.ZodType>(result: S) {
  return eventIterator(z.discriminatedUnion('type', [Progress, z.object({ type: z.literal('done'), result })]))
}
