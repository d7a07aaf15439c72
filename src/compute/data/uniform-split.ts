/** Pictures of one size as one array, for whatever reads them again and again. */
import { ConvScopeError } from '../../shared/errors.ts'
import { isUniform, uniform, type DatasetSplitData, type UniformSplitData } from './dataset-split.ts'

/** Bytes of pixels that are decoded into memory. */
const LIMIT_BYTES = 2 ** 30
/** Files decoded at the same time. */
const AT_ONCE = 16

/** Whether `uniformSplit` can have it: pictures of one size, 1 GiB of pixels at most. */
export function fitsInMemory({ shape, count }: DatasetSplitData): boolean {
  return shape !== undefined && count * shape[0] * shape[1] * shape[2] <= LIMIT_BYTES
}

/**
 * The same split with all pixels in memory; encoded pictures are decoded now.
 * @throws ConvScopeError 'invalid-input' where the pictures differ in size, 'too-large' above 1 GiB of pixels, and what
 * reading a picture throws
 */
export async function uniformSplit(data: DatasetSplitData, signal?: AbortSignal): Promise<UniformSplitData> {
  if (isUniform(data)) return data
  const { record, shape, count, labels } = data
  if (!shape) {
    throw new ConvScopeError('invalid-input', `The pictures of ${record.name} differ in size`, {
      remedy: 'Choose a data set whose pictures have one size.',
    })
  }
  const size = shape[0] * shape[1] * shape[2]
  if (count * size > LIMIT_BYTES) {
    throw new ConvScopeError(
      'too-large',
      `The pixels of ${record.name} are ${count * size} bytes; ${LIMIT_BYTES} fit`,
      {
        remedy: 'Choose a smaller data set, or smaller pictures.',
      },
    )
  }
  const images = new Uint8Array(count * size)
  for (let first = 0; first < count; first += AT_ONCE) {
    signal?.throwIfAborted()
    const indices = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, place) => first + place)
    const pictures = await Promise.all(indices.map((index) => data.picture(index)))
    pictures.forEach((picture, place) => {
      if (picture.shape.join() !== shape.join()) {
        throw new ConvScopeError(
          'damaged',
          `Picture ${first + place} of ${record.name} is ${picture.shape.join(' × ')} instead of ${shape.join(' × ')}`,
          { remedy: 'Import the data set again.' },
        )
      }
      images.set(picture.data, (first + place) * size)
    })
  }
  return uniform(record, shape, images, labels)
}
