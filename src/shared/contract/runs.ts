import { oc } from '@orpc/contract'
import * as z from 'zod'
import { ExperimentKindName } from '../experiments/index.ts'
import { RunMarks } from '../presets.ts'
import { RunRecord, RunState, RunSummary, Look } from '../runs.ts'
import { Sha256, Timestamp } from '../values.ts'
import { failures } from './failures.ts'

const RunId = z.object({ id: z.string() })

export const runs = {
  /** Newest first; `search` looks in title, kind and document. `problems` are rows that could not be read. */
  list: oc
    .errors(failures)
    .input(
      z.object({
        kind: ExperimentKindName.optional(),
        state: RunState.optional(),
        search: z.string().max(200).optional(),
        offset: z.number().int().nonnegative().default(0),
        limit: z.number().int().min(1).max(500).default(100),
      }),
    )
    .output(z.object({ total: z.number().int(), runs: z.array(RunSummary), problems: z.array(z.string()) })),
  show: oc.errors(failures).input(RunId).output(RunRecord),
  /** Makes a lasting run of a look: executes its document again with pictures. */
  keep: oc
    .errors(failures)
    .input(z.object({ documentHash: Sha256 }))
    .output(RunId),
  /** What was looked at lately, newest first. */
  history: oc
    .errors(failures)
    .input(z.object({ limit: z.number().int().min(1).max(200).default(50) }))
    .output(z.array(Look.omit({ outputs: true, result: true }).extend({ usedAt: Timestamp }))),
  rename: oc
    .errors(failures)
    .input(z.object({ id: z.string(), title: z.string().min(1).max(200) }))
    .output(z.void()),
  /** Can be undone with `restore` until it is purged after 7 days. */
  remove: oc.errors(failures).input(RunId).output(z.void()),
  restore: oc.errors(failures).input(RunId).output(z.void()),
  /** What the user likes or rejects among the parts of a run (draws of a search). */
  marks: oc.errors(failures).input(RunId).output(RunMarks),
  mark: oc
    .errors(failures)
    .input(RunId.extend({ marks: RunMarks }))
    .output(z.void()),
  /** One `.zip` with `document.json`, `result.json`, `provenance.json` and every output, as an artifact to download. */
  export: oc
    .errors(failures)
    .input(RunId)
    // `damaged`: files of the run that cannot be read and are left out.
    .output(z.object({ sha256: Sha256, fileName: z.string(), damaged: z.array(z.string()) })),
}
