/** What is shown of a network: geometry of every layer, computed by the worker. */
import * as z from 'zod'
import { Finding } from './finding.ts'
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
  /** Learned ones; running statistics of batch normalisation are not counted. */
  parameters: z.number().int().nonnegative(),
  /** Absent after a layer whose units see the whole input (dense, global pooling). */
  receptiveField: z.object({ rows: AxisField, columns: AxisField }).optional(),
})
export type LayerPage = z.infer<typeof LayerPage>

/** What an imported network was read from. */
export const NetworkOrigin = z.object({
  /** As users know it: 'Caffe', 'ONNX' … */
  format: z.string(),
  files: z.array(z.object({ name: z.string(), sha256: Sha256, bytes: z.number().int().nonnegative() })),
})
export type NetworkOrigin = z.infer<typeof NetworkOrigin>

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
  /** Imported ones only. */
  origin: NetworkOrigin.optional(),
  /** What the import noticed. */
  findings: z.array(Finding).optional(),
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

/** A network without its layers, for lists. */
export const NetworkSummary = NetworkRecord.omit({ spec: true })
export type NetworkSummary = z.infer<typeof NetworkSummary>

/** A published architecture that weights can be bound to. */
export const ArchitectureSummary = z.object({
  name: LibraryName,
  title: z.string(),
  source: z.string(),
  parameters: z.number().int().nonnegative(),
})
export type ArchitectureSummary = z.infer<typeof ArchitectureSummary>

/** What a network can be written as: with its layers and pipeline, the weights alone, or for other programs. */
export const ExportFormat = z.enum(['convscope', 'safetensors', 'onnx'])
export type ExportFormat = z.infer<typeof ExportFormat>

/** How the weights of one parameter are distributed; what is not finite is left out and counted. */
export const WeightHistogram = z.object({
  layer: LibraryName,
  parameter: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  count: z.number().int().nonnegative(),
  notFinite: z.number().int().nonnegative(),
  zeros: z.number().int().nonnegative(),
  /** The smallest and the largest; the bins divide what is between them evenly. */
  low: z.number(),
  high: z.number(),
  mean: z.number(),
  deviation: z.number().nonnegative(),
  bins: z.array(z.number().int().nonnegative()),
})
export type WeightHistogram = z.infer<typeof WeightHistogram>
