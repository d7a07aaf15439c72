import { eventIterator, oc } from '@orpc/contract'
import * as z from 'zod'
import { JobEvent, JobSummary } from '../jobs.ts'
import { Look } from '../runs.ts'
import { failures } from './failures.ts'

const RunId = z.object({ id: z.string() })

export const jobs = {
  /**
   * Puts a lasting run into the queue and returns at once. `document` is parsed as an experiment document. With `reuse` a finished run of the same
   * document on the same networks and data sets is returned where there is one.
   */
  start: oc
    .errors(failures)
    .input(z.object({ document: z.json(), reuse: z.boolean().default(false) }))
    .output(RunId),
  /** Computes a document for looking at, or answers from the history. */
  look: oc
    .errors(failures)
    .input(z.object({ document: z.json() }))
    .output(Look),
  /** Durable events after the sequence number of `lastEventId`, then live ones; ends after a terminal event. */
  watch: oc.errors(failures).input(RunId).output(eventIterator(JobEvent)),
  /** Running, waiting and last finished jobs; a new list whenever it changes. */
  overview: oc.errors(failures).output(eventIterator(z.array(JobSummary))),
  cancel: oc.errors(failures).input(RunId).output(z.void()),
  pause: oc.errors(failures).input(RunId).output(z.void()),
  resume: oc.errors(failures).input(RunId).output(z.void()),
  /**
   * Changes a setting of a running run; it takes effect with the next iteration and comes back as the event `adjusted`. With `ADVANCE_PATH` a
   * paused run does `value` iterations and rests again, and nothing comes back but what they show.
   */
  adjust: oc
    .errors(failures)
    .input(RunId.extend({ path: z.string().max(200), value: z.number() }))
    .output(z.void()),
}
