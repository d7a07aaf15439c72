/** Runs: experiments that were executed, with what is needed to do them again. */
import * as z from 'zod'
import { EngineIdentity } from './engines.ts'
import { ErrorReport } from './errors.ts'
import { ExperimentKindName } from './experiments/index.ts'
import { Sha256, Timestamp } from './values.ts'

/** A file that a run wrote, content-addressed. Arrays are `.npy`, pictures `.png`, weights `.safetensors`, tables `.csv`. */
export const OutputRecord = z.object({
  /** Flat name without extension, e.g. `projections` or `projection-003`. */
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/),
  kind: z.enum(['array', 'picture', 'weights', 'json', 'table', 'bytes']),
  sha256: Sha256,
  bytes: z.number().int().nonnegative(),
  /** Arrays only. */
  shape: z.array(z.number().int().nonnegative()).optional(),
  dtype: z.enum(['float32', 'int32', 'uint8', 'float64']).optional(),
})
export type OutputRecord = z.infer<typeof OutputRecord>

export const OUTPUT_EXTENSIONS = {
  array: 'npy',
  picture: 'png',
  weights: 'safetensors',
  json: 'json',
  table: 'csv',
  bytes: 'bin',
} as const

export const Provenance = z.object({
  program: z.string(), // "ConvScope 0.1.0"
  documentHash: Sha256,
  /** Library name → SHA-256 at the time of the run. */
  networks: z.record(z.string(), Sha256),
  datasets: z.record(z.string(), Sha256),
  engine: EngineIdentity,
  platform: z.string(), // "linux x64, Node 24.21.0"
  startedAt: Timestamp,
  finishedAt: Timestamp,
})
export type Provenance = z.infer<typeof Provenance>

export const RunState = z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled'])
export type RunState = z.infer<typeof RunState>

/** Also the name of files: no path. */
const RunId = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i)

/** A lasting run. `document` and `result` are parsed by their kind's schema where they are used. */
export const RunRecord = z.object({
  id: RunId,
  kind: ExperimentKindName,
  title: z.string(),
  document: z.json(),
  documentHash: Sha256,
  state: RunState,
  result: z.json().optional(),
  outputs: z.array(OutputRecord),
  provenance: Provenance.optional(),
  error: ErrorReport.optional(),
  createdAt: Timestamp,
  finishedAt: Timestamp.optional(),
  /** Set while the run can still be brought back (undo). */
  deletedAt: Timestamp.optional(),
})
export type RunRecord = z.infer<typeof RunRecord>

/** A row of a list: without result and outputs. */
export const RunSummary = RunRecord.omit({ document: true, result: true, outputs: true, provenance: true })
export type RunSummary = z.infer<typeof RunSummary>

/** A projection made while browsing: addressed by its document's hash, kept in a bounded, prunable history. */
export const Look = z.object({
  documentHash: Sha256,
  document: z.json(),
  result: z.json(),
  outputs: z.array(OutputRecord),
  provenance: Provenance,
  /** Answered from the history. */
  cached: z.boolean(),
})
export type Look = z.infer<typeof Look>
