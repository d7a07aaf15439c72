/** Splits of labelled data sets, read from their artifacts. */
import type { DatasetRecord } from '../../shared/datasets.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { readIdx } from './idx.ts'

/** `images`: `[count, height, width, channels]` bytes 0…255; `labels`: class indices; both of one split. */
export interface DatasetSplitData {
  readonly record: DatasetRecord
  readonly count: number
  readonly shape: readonly [height: number, width: number, channels: number]
  readonly images: Uint8Array
  readonly labels: Uint8Array
}

/**
 * Pictures and labels of one split, checked against the record: counts, shape and labels below the number of classes.
 * @throws ConvScopeError 'not-found' for a split that the data set has not, 'damaged' where the files do not fit the record
 */
export async function loadDatasetSplit(
  record: DatasetRecord,
  split: 'train' | 'test',
  readArtifact: (sha256: string) => Promise<Uint8Array>,
): Promise<DatasetSplitData> {
  const entry = record.splits.find(({ name }) => name === split)
  if (!entry) {
    throw new ConvScopeError('not-found', `The data set ${record.name} has no split "${split}"`, {
      remedy: `It has: ${record.splits.map(({ name }) => name).join(', ')}.`,
    })
  }
  const [imageFile, labelFile] = await Promise.all([readArtifact(entry.images), readArtifact(entry.labels)])
  const images = readIdx(imageFile, { name: `The pictures of ${record.name} (${split})` })
  const labels = readIdx(labelFile, { name: `The labels of ${record.name} (${split})` })
  const [height, width, channels] = record.shape
  const expected =
    channels === 1 && images.shape.length === 3 ? [entry.count, height, width] : [entry.count, ...record.shape]
  if (!(images.values instanceof Uint8Array) || images.shape.join() !== expected.join()) {
    throw mismatch(
      record,
      split,
      `pictures of shape ${images.shape.join(' × ')} instead of ${expected.join(' × ')} bytes`,
    )
  }
  if (!(labels.values instanceof Uint8Array) || labels.shape.join() !== String(entry.count)) {
    throw mismatch(record, split, `labels of shape ${labels.shape.join(' × ')} instead of ${entry.count} bytes`)
  }
  const wrong = labels.values.findIndex((label) => label >= record.classes.length)
  if (wrong >= 0) {
    throw mismatch(
      record,
      split,
      `label ${labels.values[wrong]} at picture ${wrong}, but only ${record.classes.length} classes`,
    )
  }
  return { record, count: entry.count, shape: [height, width, channels], images: images.values, labels: labels.values }
}

/**
 * Picture `index` of a split, `[height, width, channels]` bytes.
 * @throws ConvScopeError 'invalid-input' for an index beyond the split
 */
export function pictureOf(data: DatasetSplitData, index: number): Uint8Array {
  if (!Number.isInteger(index) || index < 0 || index >= data.count) {
    throw new ConvScopeError(
      'invalid-input',
      `There is no picture ${index}: the split has pictures 0 to ${data.count - 1}`,
    )
  }
  const size = data.shape[0] * data.shape[1] * data.shape[2]
  return data.images.subarray(index * size, (index + 1) * size)
}

function mismatch(record: DatasetRecord, split: string, found: string): ConvScopeError {
  return new ConvScopeError('damaged', `The files of the data set ${record.name} (${split}) have ${found}`, {
    remedy: 'Import the data set again.',
  })
}
