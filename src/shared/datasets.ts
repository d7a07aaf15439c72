/** Labelled picture collections of the library. */
import * as z from 'zod'
import { LibraryName, Seed, Sha256, Timestamp } from './values.ts'

/** A picture's label where it has none. */
export const NO_LABEL = -1

/**
 * Part of a data set: pictures with one label each. Where a half of another split is meant, the artifacts are the whole
 * split's, and `half` tells which of its pictures belong here.
 */
export const DatasetSplit = z.object({
  /** Usually `train` and `test`. */
  name: LibraryName,
  count: z.number().int().nonnegative(),
  /** Artifact of the pictures, as `DatasetFormat` says. */
  images: Sha256,
  /** Artifact of the labels; absent where there are none, or where `images` holds them. */
  labels: Sha256.optional(),
  /** 'pictures' that were copied in: the artifact with the bytes of their files. Absent for files that stay where they are. */
  packed: Sha256.optional(),
  /** Drawn at random from the split `of`: the first (0) or second (1) half of a permutation, in the order of the split. */
  half: z.object({ of: LibraryName, seed: Seed, index: z.union([z.literal(0), z.literal(1)]) }).optional(),
})
export type DatasetSplit = z.infer<typeof DatasetSplit>

/**
 * - `idx`: pictures and labels in IDX files;
 * - `pixels`: pictures as `.npy` of bytes `[count, height, width, channels]`, labels as `.npy` of int32 `[count]`;
 * - `pictures`: encoded files (JPEG, PNG …) decoded when they are looked at; `images` is an index of them.
 */
export const DatasetFormat = z.enum(['idx', 'pixels', 'pictures'])
export type DatasetFormat = z.infer<typeof DatasetFormat>

const Extent = z.number().int().positive()

/** What a data set was imported from. */
export const DatasetOrigin = z.object({
  /** As users know it: 'CIFAR-10 (Python)', 'Folders of pictures' … */
  format: z.string(),
  /** Names of the files and folders that were given. */
  files: z.array(z.string()),
  /** Pictures that were left out because they could not be read. */
  refused: z.number().int().nonnegative(),
})
export type DatasetOrigin = z.infer<typeof DatasetOrigin>

export const DatasetRecord = z.object({
  name: LibraryName,
  title: z.string(),
  format: DatasetFormat,
  /** `[height, width, channels]` of every picture, values 0…255; null where sizes differ. */
  shape: z.tuple([Extent, Extent, Extent]).nullable(),
  /** Empty for pictures without labels. */
  classes: z.array(z.string()),
  splits: z.array(DatasetSplit),
  source: z.enum(['built-in', 'imported']),
  /** Where the data is from and under which terms. */
  attribution: z.string(),
  /** Absolute folder of pictures that stay where they are; their hashes are in the index. */
  location: z.string().optional(),
  origin: DatasetOrigin.optional(),
  /** SHA-256 of the canonical JSON of format, shape, classes and splits: what a run records. */
  hash: Sha256,
  addedAt: Timestamp,
})
export type DatasetRecord = z.infer<typeof DatasetRecord>

/** Pictures larger than this, or of different sizes, are sent inside squares of so many pixels a side. */
export const ThumbnailSide = z.number().int().min(8).max(512)

/** One split in numbers. */
export const SplitStatistics = z.object({
  split: LibraryName,
  count: z.number().int().nonnegative(),
  /** Pictures of each class. */
  classCounts: z.array(z.number().int().nonnegative()),
  unlabelled: z.number().int().nonnegative(),
  /** Over all pixels of all pictures, a channel each, 0…255; empty for an empty split. */
  mean: z.array(z.number()),
  standardDeviation: z.array(z.number()),
  /** Smallest and largest `[height, width]`. */
  smallest: z.tuple([Extent, Extent]).nullable(),
  largest: z.tuple([Extent, Extent]).nullable(),
})
export type SplitStatistics = z.infer<typeof SplitStatistics>

/** A file that was left out of an import, and why. */
export const RefusedFile = z.object({ name: z.string(), reason: z.string() })
export type RefusedFile = z.infer<typeof RefusedFile>
/** How many of them are told by name. */
export const LISTED_REFUSALS = 100

/** How many pictures of a split of `count` are in one of its halves. */
export function halfCount(count: number, index: 0 | 1): number {
  return index === 0 ? Math.ceil(count / 2) : Math.floor(count / 2)
}

/** A name of the library made from that of a file or folder: `My pictures.zip` → `my-pictures`. */
export function suggestDatasetName(given: string): string {
  const name = given
    .replace(/\.gz$/i, '')
    .replace(/\.(zip|tgz|tar|npz|bin|pkl)$/i, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64)
  return LibraryName.safeParse(name).success ? name : 'pictures'
}
