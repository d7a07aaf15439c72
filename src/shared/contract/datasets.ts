import { oc } from '@orpc/contract'
import * as z from 'zod'
import { DatasetRecord, SplitStatistics, ThumbnailSide } from '../datasets.ts'
import { Bytes, LibraryName } from '../values.ts'
import { failures } from './failures.ts'

const Split = LibraryName

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
}
