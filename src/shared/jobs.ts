/** Jobs: runs being executed. Durable events have a sequence number and are replayed to whoever watches; previews are not. */
import * as z from 'zod'
import { ErrorReport } from './errors.ts'
import { RunSummary } from './runs.ts'
import { Bytes, Timestamp } from './values.ts'

/** Given to `jobs.adjust` for a paused run, lets it do so many iterations and rest again: 1 … 10,000. */
export const ADVANCE_PATH = 'advance'
export const Iterations = z.number().int().min(1).max(10_000)

const durable = { seq: z.number().int().positive(), at: Timestamp }

export const JobEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('queued'), ...durable }),
  z.object({ type: z.literal('started'), ...durable, engine: z.string() }),
  /** `done` of `total` in `unit`; `values` are the numbers to draw as curves. */
  z.object({
    type: z.literal('step'),
    ...durable,
    done: z.number().nonnegative(),
    total: z.number().positive(),
    unit: z.string(),
    values: z.record(z.string(), z.number()),
    secondsLeft: z.number().nonnegative().optional(),
  }),
  z.object({ type: z.literal('log'), ...durable, message: z.string() }),
  z.object({ type: z.literal('checkpoint'), ...durable, step: z.number().int().nonnegative() }),
  z.object({ type: z.literal('paused'), ...durable }),
  /** A setting changed while it ran, from iteration `step` on; the run's document holds it too. */
  z.object({
    type: z.literal('adjusted'),
    ...durable,
    step: z.number().int().nonnegative(),
    path: z.string(),
    value: z.number(),
  }),
  z.object({ type: z.literal('resumed'), ...durable }),
  z.object({ type: z.literal('done'), ...durable }),
  z.object({ type: z.literal('failed'), ...durable, error: ErrorReport }),
  z.object({ type: z.literal('cancelled'), ...durable }),
  /** Not durable: the latest wins. 8-bit picture, `[height, width, channels]`. */
  z.object({
    type: z.literal('preview'),
    name: z.string(),
    width: z.number().int().positive(),
    height: z.number().int().positive(),
    channels: z.union([z.literal(1), z.literal(3), z.literal(4)]),
    pixels: Bytes,
  }),
])
export type JobEvent = z.infer<typeof JobEvent>
export type DurableJobEvent = Exclude<JobEvent, { type: 'preview' }>

export const TERMINAL_EVENTS = ['done', 'failed', 'cancelled'] as const

/** A row of the job drawer. */
export const JobSummary = z.object({
  run: RunSummary,
  progress: z
    .object({ done: z.number(), total: z.number(), unit: z.string(), secondsLeft: z.number().optional() })
    .optional(),
})
export type JobSummary = z.infer<typeof JobSummary>
