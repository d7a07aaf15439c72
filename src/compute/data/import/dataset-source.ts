/** What every reader of data sets gives, and what it is given. */
import type { RefusedFile } from '../../../shared/datasets.ts'
import type { SourceFile } from '../../files/source-file.ts'

/** A file of a folder or of an archive. */
export interface TreeFile {
  /** Relative, with slashes. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** To be closed. @throws ConvScopeError 'disk', 'not-found' or 'damaged' that names it */
  open(): SourceFile
}

export interface FileTree {
  /** What messages call it: the name of the folder, archive or file that was given. */
  readonly title: string
  readonly files: readonly TreeFile[]
  /** Absolute; undefined for what is no folder of this machine. */
  readonly folder: string | undefined
}

/** Some pictures of one size, bytes `[count, height, width, channels]`, with their labels `[count]`, if there are. */
export interface PixelBatch {
  readonly images: Uint8Array
  readonly labels: Int32Array | undefined
}

export interface PixelSplit {
  readonly name: string
  /** `[height, width, channels]`. */
  readonly shape: readonly [number, number, number]
  /** One after the other. @throws ConvScopeError that names the file and the place */
  batches(): Iterable<PixelBatch>
}

export interface PictureSplit {
  readonly name: string
  readonly pictures: readonly { readonly file: TreeFile; readonly label: number }[]
}

/** A data set that was recognised, and has not been read yet. */
export type FoundDataset = {
  /** As users know it: 'CIFAR-10 (Python)', 'Folders of pictures' … */
  readonly format: string
  /** Undefined: as many numbers as the labels need. */
  readonly classes: readonly string[] | undefined
  /** The files that it is made of, or names as refused. */
  readonly uses: readonly TreeFile[]
} & (
  | { readonly kind: 'pixels'; readonly splits: readonly PixelSplit[] }
  | { readonly kind: 'pictures'; readonly splits: readonly PictureSplit[]; readonly refused: readonly RefusedFile[] }
)

/** Reads a file as a whole. @throws what opening and reading it throws */
export function readWhole(file: TreeFile): Uint8Array {
  const source = file.open()
  try {
    return source.read(0, source.size)
  } finally {
    source.close()
  }
}

/** The first bytes of a file, `length` at most. */
export function readHead(file: TreeFile, length: number): Uint8Array {
  const source = file.open()
  try {
    return source.read(0, Math.min(length, source.size))
  } finally {
    source.close()
  }
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
