import { oc } from '@orpc/contract'
import * as z from 'zod'
import { DatasetRecord, RefusedFile, SplitStatistics, ThumbnailSide } from '../datasets.ts'
import { Bytes, LibraryName, Seed } from '../values.ts'
import { failures } from './failures.ts'
import { ImportFile } from './networks.ts'
import { progressThen } from './progress.ts'

const Split = LibraryName

export const DatasetImportRequest = z.object({
  /** A folder, an archive, or the files that belong together. */
  files: z.array(ImportFile).min(1).max(1000),
  /** Of the data set in the library. */
  name: LibraryName,
  title: z.string().trim().min(1).max(200).optional(),
  /** The pictures of a folder stay where they are; the library keeps their hashes. */
  inPlace: z.boolean().default(false),
  /** A file with lines of a picture and its class. */
  labels: ImportFile.optional(),
  /** A file with a class name a line. */
  classes: ImportFile.optional(),
})
export type DatasetImportRequest = z.infer<typeof DatasetImportRequest>

export const DatasetImportResult = z.object({
  record: DatasetRecord,
  /** Pictures that were left out: the first hundred by name; all are counted in the record's origin. */
  refused: z.array(RefusedFile),
})
export type DatasetImportResult = z.infer<typeof DatasetImportResult>

export const datasets = {
  list: oc.errors(failures).output(z.array(DatasetRecord)),
  /** Pictures `offset` … `offset + count - 1` of a split; `classIndex` restricts to one class (offset counts inside it). */
  page: oc
    .errors(failures)
    .input(
      z.object({
        name: LibraryName,
        split: Split,
        offset: z.number().int().nonnegative(),
        count: z.number().int().min(1).max(1000),
        /** -1: pictures without a label. */
        classIndex: z.number().int().min(-1).optional(),
        side: ThumbnailSide.optional(),
      }),
    )
    .output(
      z.object({
        /** Pictures in the split, or in the class. */
        total: z.number().int().nonnegative(),
        indices: z.array(z.number().int().nonnegative()),
        /** -1: none. */
        labels: z.array(z.number().int().min(-1)),
        /** `[height, width, channels]`. */
        shape: z.tuple([z.number(), z.number(), z.number()]),
        /** `[count, height, width, channels]`, 0…255. */
        images: Bytes,
      }),
    ),
  /** Pictures a class, per split. */
  counts: oc
    .errors(failures)
    .input(z.object({ name: LibraryName, split: Split }))
    .output(z.array(z.number().int().nonnegative())),
  /** Reads every picture at the first time, which takes a while where they are files. */
  statistics: oc
    .errors(failures)
    .input(z.object({ name: LibraryName, split: Split }))
    .output(SplitStatistics),
  /** Reads a data set into the library. */
  import: oc.errors(failures).input(DatasetImportRequest).output(progressThen(DatasetImportResult)),
  /** Adds two random halves of a split as splits of their own. */
  halve: oc
    .errors(failures)
    .input(z.object({ name: LibraryName, split: Split, halves: z.tuple([Split, Split]), seed: Seed }))
    .output(DatasetRecord),
  remove: oc
    .errors(failures)
    .input(z.object({ name: LibraryName }))
    .output(z.void()),
}
