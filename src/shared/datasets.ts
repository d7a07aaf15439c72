/** Labelled picture collections of the library. */
import * as z from 'zod'
import { LibraryName, Sha256, Timestamp } from './values.ts'

/** Part of a data set: pictures `[count, height, width, channels]` of bytes, with one label a picture. */
export const DatasetSplit = z.object({
  name: z.enum(['train', 'test']),
  count: z.number().int().nonnegative(),
  /** Artifact of the pictures and of the labels, in `format`. */
  images: Sha256,
  labels: Sha256,
})
export type DatasetSplit = z.infer<typeof DatasetSplit>

export const DatasetRecord = z.object({
  name: LibraryName,
  title: z.string(),
  format: z.enum(['idx']),
  /** `[height, width, channels]`; values 0…255. */
  shape: z.tuple([z.number().int().positive(), z.number().int().positive(), z.number().int().positive()]),
  classes: z.array(z.string()),
  splits: z.array(DatasetSplit),
  source: z.enum(['built-in', 'imported']),
  /** Where the data is from and under which terms. */
  attribution: z.string(),
  /** SHA-256 of the canonical JSON of format, shape, classes and splits: what a run records. */
  hash: Sha256,
  addedAt: Timestamp,
})
export type DatasetRecord = z.infer<typeof DatasetRecord>
