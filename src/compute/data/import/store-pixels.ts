/** Pictures that are arrays already, into one array of bytes a split. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { encodeNpy, encodeNpyHeader } from '../../../shared/npy.ts'
import type { FoundDataset, PixelSplit } from './dataset-source.ts'
import { outputNames, Refusals, type ImportContext, type StoredDataset, type StoredSplit } from './dataset-output.ts'
import { PiecewiseFile, type WrittenFile } from './piecewise-file.ts'

/** What an `.npy` of four dimensions begins with. */
export const PIXEL_HEADER_BYTES = 128

/** @throws ConvScopeError that names file and place; 'cancelled' */
export async function storePixels(
  { splits }: Extract<FoundDataset, { kind: 'pixels' }>,
  context: ImportContext,
): Promise<StoredDataset> {
  const shape = splits[0]?.shape
  const other = splits.find((split) => split.shape.join() !== shape?.join())
  if (!shape || other) {
    throw new ConvScopeError(
      'invalid-input',
      `The pictures of ${splits[0]?.name ?? 'the data set'} are ${shape?.join(' × ') ?? ''}, those of ${other?.name ?? ''} ${other?.shape.join(' × ') ?? ''}`,
      { remedy: 'Import them as two data sets.' },
    )
  }
  const stored: StoredSplit[] = []
  let largestLabel = -1
  for (const [place, split] of splits.entries()) {
    const { labels, count } = await storeImages(split, place, splits.length, context)
    const names = outputNames(place)
    for (const label of labels ?? []) largestLabel = Math.max(largestLabel, label)
    if (labels) await storeLabels(names.labels, labels, context)
    stored.push({ name: split.name, count, images: names.images, ...(labels ? { labels: names.labels } : {}) })
  }
  return { format: 'pixels', shape: [...shape], splits: stored, largestLabel, refused: new Refusals() }
}

async function storeImages(
  split: PixelSplit,
  place: number,
  splits: number,
  context: ImportContext,
): Promise<{ labels: Int32Array | undefined; count: number }> {
  const size = split.shape[0] * split.shape[1] * split.shape[2]
  const labels: Int32Array[] = []
  let count = 0
  await context.outputFile({ name: outputNames(place).images, kind: 'array' }, async (path) => {
    const file = await PiecewiseFile.create(path, PIXEL_HEADER_BYTES)
    return finishing(file, async () => {
      for (const batch of split.batches()) {
        context.progress(place, splits, 'splits')
        await file.append(batch.images)
        count += batch.images.length / size
        if (batch.labels) labels.push(batch.labels)
      }
      return encodeNpyHeader([count, ...split.shape], '|u1')
    })
  })
  const all = Int32Array.from({ length: labels.reduce((sum, { length }) => sum + length, 0) })
  let first = 0
  for (const part of labels) {
    all.set(part, first)
    first += part.length
  }
  if (labels.length > 0 && all.length !== count) {
    throw new ConvScopeError('damaged', `The split ${split.name} has ${count} pictures and ${all.length} labels`, {
      remedy: 'Copy or download the files again.',
    })
  }
  context.progress(place + 1, splits, 'splits')
  return { labels: labels.length > 0 ? all : undefined, count }
}

/** Does the work, closes the file with the beginning that comes of it, and leaves nothing behind where it fails. */
export async function finishing(file: PiecewiseFile, work: () => Promise<Uint8Array>): Promise<WrittenFile> {
  try {
    return await file.finish(await work())
  } catch (error) {
    await file.discard()
    throw error
  }
}

export async function storeLabels(name: string, labels: Int32Array, context: ImportContext): Promise<void> {
  const bytes = encodeNpy([labels.length], labels)
  await context.outputFile({ name, kind: 'array' }, async (path) => {
    const file = await PiecewiseFile.create(path)
    return finishing(file, async () => {
      await file.append(bytes)
      return new Uint8Array()
    })
  })
}
