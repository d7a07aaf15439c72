/** Splits of data sets, read from their artifacts or from the files that they refer to. */
import type { DatasetRecord, DatasetSplit } from '../../shared/datasets.ts'
import { NO_LABEL } from '../../shared/datasets.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { suggestNames } from '../../shared/nearest-names.ts'
import { decodeNpy } from '../../shared/npy.ts'
import { shrink, type BytePicture } from './decode-picture.ts'
import { openEncodedPictures, type EncodedPictures } from './encoded-pictures.ts'
import { halfIndices } from './halves.ts'
import { readIdx } from './idx.ts'

/** One split, whatever form its pictures are kept in. */
export interface DatasetSplitData {
  readonly record: DatasetRecord
  readonly count: number
  /** `[height, width, channels]` of every picture; undefined where sizes differ. */
  readonly shape: readonly [height: number, width: number, channels: number] | undefined
  /** Class of each picture; -1 where it has none. */
  readonly labels: Int32Array
  /** Bytes that it keeps in memory. */
  readonly residentBytes: number
  /**
   * A picture with its own shape; encoded ones are read and decoded now.
   * @throws ConvScopeError 'invalid-input' for an index beyond the split; 'not-found' or 'damaged' for a file that is gone or changed
   */
  picture(index: number): Promise<BytePicture>
  /** The picture inside a square of `side` pixels on black: `[side, side, channels]`. */
  thumbnail(index: number, side: number): Promise<Uint8Array>
}

/** A split whose pictures are all in memory: `images` are bytes `[count, height, width, channels]`. */
export interface UniformSplitData extends DatasetSplitData {
  readonly shape: readonly [height: number, width: number, channels: number]
  readonly images: Uint8Array
}

/** How a data set's artifacts are got at. */
export interface DatasetFiles {
  /** The bytes, hash checked. */
  readonly read: (sha256: string) => Promise<Uint8Array>
  /** Where the file lies, for large ones that are read in pieces. */
  readonly find: (sha256: string) => Promise<string>
}

/**
 * One split, checked against the record: counts, shape and labels below the number of classes.
 * @throws ConvScopeError 'not-found' for a split that the data set has not, 'damaged' where the files do not fit the record
 */
export async function loadDatasetSplit(
  record: DatasetRecord,
  split: string,
  files: DatasetFiles,
): Promise<DatasetSplitData> {
  const entry = record.splits.find(({ name }) => name === split)
  if (!entry) {
    throw new ConvScopeError('not-found', `The data set ${record.name} has no split "${split}"`, {
      remedy: suggestNames(
        split,
        record.splits.map(({ name }) => name),
        'Its splits are',
      ),
    })
  }
  const { half } = entry
  if (!half) return record.format === 'pictures' ? encodedSplit(record, entry, files) : pixelSplit(record, entry, files)
  const whole = await loadDatasetSplit(record, wholeOf(record, entry, half.of), files)
  return selected(whole, halfIndices(whole.count, half.seed, half.index), entry)
}

/** The split that a half was drawn from. A half of a half would be endless where a project from outside says so. */
function wholeOf(record: DatasetRecord, { name }: DatasetSplit, of: string): string {
  if (record.splits.some((candidate) => candidate.name === of && !candidate.half)) return of
  throw mismatch(record, name, `no split "${of}" of which it could be a half`)
}

export function isUniform(data: DatasetSplitData): data is UniformSplitData {
  return 'images' in data
}

async function pixelSplit(
  record: DatasetRecord,
  entry: DatasetSplit,
  { read }: DatasetFiles,
): Promise<UniformSplitData> {
  const { shape } = record
  if (!shape) throw mismatch(record, entry.name, 'no shape of their pictures')
  const [imageFile, labelFile] = await Promise.all([
    read(entry.images),
    entry.labels === undefined ? undefined : read(entry.labels),
  ])
  const parse =
    record.format === 'idx' ? readIdx : (bytes: Uint8Array, { name }: { name: string }) => decodeNpy(bytes, name)
  const images = parse(imageFile, { name: `The file of pictures of ${record.name} (${entry.name})` })
  const isFlatGrey = shape[2] === 1 && images.shape.length === 3
  const expected = isFlatGrey ? [entry.count, shape[0], shape[1]] : [entry.count, ...shape]
  if (!(images.values instanceof Uint8Array) || images.shape.join() !== expected.join()) {
    const found = `pictures of shape ${images.shape.join(' × ')} instead of ${expected.join(' × ')} bytes`
    throw mismatch(record, entry.name, found)
  }
  const labels = labelFile
    ? parse(labelFile, { name: `The file of labels of ${record.name} (${entry.name})` })
    : { shape: [entry.count], values: new Int32Array(entry.count).fill(NO_LABEL) }
  const { values } = labels
  if (!(values instanceof Uint8Array || values instanceof Int32Array) || labels.shape.join() !== String(entry.count)) {
    throw mismatch(record, entry.name, `labels of shape ${labels.shape.join(' × ')} instead of ${entry.count} bytes`)
  }
  return uniform(record, shape, images.values, checkedLabels(record, entry.name, Int32Array.from(values)))
}

async function encodedSplit(
  record: DatasetRecord,
  entry: DatasetSplit,
  files: DatasetFiles,
): Promise<DatasetSplitData> {
  const encoded = await openEncodedPictures(record, entry, files)
  if (encoded.count !== entry.count) {
    throw mismatch(record, entry.name, `${encoded.count} pictures instead of ${entry.count}`)
  }
  const labels = checkedLabels(record, entry.name, encoded.labels)
  return withChecks({ record, count: entry.count, shape: record.shape ?? undefined, labels, encoded })
}

function withChecks({
  encoded,
  ...rest
}: Pick<DatasetSplitData, 'record' | 'count' | 'shape' | 'labels'> & { encoded: EncodedPictures }): DatasetSplitData {
  return {
    ...rest,
    residentBytes: encoded.residentBytes,
    picture: async (index) => encoded.picture(checkedIndex(rest.count, index)),
    thumbnail: async (index, side) => (await encoded.picture(checkedIndex(rest.count, index), side)).data,
  }
}

/** A split whose pixels are in memory. `images`: bytes `[count, height, width, channels]`; `labels`: `[count]`. */
export function uniform(
  record: DatasetRecord,
  shape: readonly [height: number, width: number, channels: number],
  images: Uint8Array,
  labels: Int32Array,
): UniformSplitData {
  const size = shape[0] * shape[1] * shape[2]
  const count = labels.length
  const picture = async (index: number): Promise<BytePicture> => {
    const start = checkedIndex(count, index) * size
    return { shape, data: images.subarray(start, start + size) }
  }
  return {
    record,
    count,
    shape,
    images,
    labels,
    residentBytes: images.length + labels.byteLength,
    picture,
    thumbnail: async (index, side) => shrink(await picture(index), side),
  }
}

/** The pictures of `whole` at `indices`, as a split of their own. */
function selected(whole: DatasetSplitData, indices: Uint32Array, { name, count }: DatasetSplit): DatasetSplitData {
  const { record, shape } = whole
  if (indices.length !== count) throw mismatch(record, name, `${indices.length} pictures instead of ${count}`)
  const labels = Int32Array.from(indices, (index) => whole.labels[index] ?? NO_LABEL)
  if (isUniform(whole)) {
    const size = whole.shape[0] * whole.shape[1] * whole.shape[2]
    const images = new Uint8Array(indices.length * size)
    indices.forEach((index, place) => images.set(whole.images.subarray(index * size, (index + 1) * size), place * size))
    return uniform(record, whole.shape, images, labels)
  }
  const inWhole = (index: number): number => indices[checkedIndex(count, index)] ?? 0
  return {
    record,
    count,
    shape,
    labels,
    residentBytes: whole.residentBytes + indices.byteLength + labels.byteLength,
    picture: async (index) => whole.picture(inWhole(index)),
    thumbnail: async (index, side) => whole.thumbnail(inWhole(index), side),
  }
}

function checkedIndex(count: number, index: number): number {
  if (Number.isInteger(index) && index >= 0 && index < count) return index
  const what = count === 0 ? 'the split is empty' : `the split has pictures 0 to ${count - 1}`
  throw new ConvScopeError('invalid-input', `There is no picture ${index}: ${what}`)
}

function checkedLabels(record: DatasetRecord, split: string, labels: Int32Array): Int32Array {
  const wrong = labels.findIndex((label) => label < NO_LABEL || label >= record.classes.length)
  if (wrong < 0) return labels
  const found = `label ${labels[wrong]} at picture ${wrong}, but only ${record.classes.length} classes`
  throw mismatch(record, split, found)
}

function mismatch(record: DatasetRecord, split: string, found: string): ConvScopeError {
  return new ConvScopeError('damaged', `The files of the data set ${record.name} (${split}) have ${found}`, {
    remedy: 'Import the data set again.',
  })
}
