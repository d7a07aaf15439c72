/** What CIFAR-10 and CIFAR-100 (Krizhevsky 2009) are, in whichever of their two forms. */
import type { PixelBatch } from './dataset-source.ts'

/** `[height, width, channels]`. */
export const CIFAR_SHAPE = [32, 32, 3] as const
const PLANE = 1024
export const CIFAR_PICTURE_BYTES = 3 * PLANE
export const CIFAR_10_CLASSES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ')

/** From planes of red, green and blue, one picture after another with `step` bytes from each to the next, to `[count, 32, 32, 3]`. */
export function fromPlanes(bytes: Uint8Array, count: number, first: number, step: number): Uint8Array {
  const images = new Uint8Array(count * CIFAR_PICTURE_BYTES)
  for (let picture = 0; picture < count; picture++) {
    const source = first + picture * step
    const target = picture * CIFAR_PICTURE_BYTES
    for (let place = 0; place < PLANE; place++) {
      for (let channel = 0; channel < 3; channel++) {
        images[target + 3 * place + channel] = bytes[source + channel * PLANE + place] ?? 0
      }
    }
  }
  return images
}

/** `data_batch_1` … `data_batch_5` and `train` are training data, `test_batch` and `test` test data. */
export function cifarSplitOf(name: string): 'train' | 'test' | undefined {
  if (/^(data_batch(_\d+)?|train)(\.bin)?$/i.test(name)) return 'train'
  return /^(test_batch|test)(\.bin)?$/i.test(name) ? 'test' : undefined
}

/** Files that belong to one split, in the order of their numbers. */
export function inOrder<T extends { readonly path: string }>(files: readonly T[]): T[] {
  return [...files].sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }))
}

export type ReadBatch<T> = (file: T) => PixelBatch
