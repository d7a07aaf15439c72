/** What is shown of a network: geometry of every layer, computed by the worker. */
import * as z from 'zod'
import { NetworkSpec } from './spec.ts'
import { LibraryName, Sha256, Timestamp } from '../values.ts'

/** Along one axis, for the unit at output index i: it sees input rows `offset + i * stride` … `+ size - 1` (before clipping). */
export const AxisField = z.object({
  size: z.number().int().positive(),
  stride: z.number().positive(),
  offset: z.number(),
})
export type AxisField = z.infer<typeof AxisField>

export const LayerPage = z.object({
  name: LibraryName,
  type: z.string(),
  inputs: z.array(LibraryName),
  /** `[height, width, channels]` or `[units]`. */
  shape: z.array(z.number().int().positive()),
  parameters: z.number().int().nonnegative(),
  /** Absent after a layer whose units see the whole input (dense, global pooling). */
  receptiveField: z.object({ rows: AxisField, columns: AxisField }).optional(),
})
export type LayerPage = z.infer<typeof LayerPage>

export const NetworkRecord = z.object({
  name: LibraryName,
  title: z.string(),
  spec: NetworkSpec,
  /** Artifact of the safetensors file. */
  weights: Sha256,
  source: z.enum(['built-in', 'imported', 'trained']),
  /** The run that trained it, if one did. */
  runId: z.string().optional(),
  /** Measured test error in per cent with the data set it was measured on, if known. */
  testError: z.object({ percent: z.number(), dataset: LibraryName, count: z.number().int() }).optional(),
  /** SHA-256 of the canonical JSON of `{ spec, weights }`: what a run records. */
  hash: Sha256,
  addedAt: Timestamp,
})
export type NetworkRecord = z.infer<typeof NetworkRecord>

export const NetworkPage = z.object({
  network: NetworkRecord,
  layers: z.array(LayerPage),
  parameters: z.number().int().nonnegative(),
})
export type NetworkPage = z.infer<typeof NetworkPage>
