/** Pictures from all over a split as one page. */
import type { WrongExample } from '../../../shared/experiments/train-classifier.ts'
import type { ThumbnailPage } from '../../lib/thumbnails.ts'

/** Pictures asked for at the same time. */
const AT_ONCE = 8

/** The pictures of the mistakes in their order; `fetchOne` answers a page of one picture, all of the same shape. */
export async function fetchMistakes(
  mistakes: readonly WrongExample[],
  fetchOne: (index: number) => Promise<ThumbnailPage>,
): Promise<ThumbnailPage> {
  const pages: ThumbnailPage[] = []
  for (let start = 0; start < mistakes.length; start += AT_ONCE) {
    const part = mistakes.slice(start, start + AT_ONCE)
    pages.push(...(await Promise.all(part.map(({ index }) => fetchOne(index)))))
  }
  const shape = pages[0]?.shape ?? [1, 1, 1]
  const size = shape[0] * shape[1] * shape[2]
  const images = new Uint8Array(pages.length * size)
  for (const [place, page] of pages.entries()) images.set(page.images.subarray(0, size), place * size)
  return {
    total: mistakes.length,
    indices: mistakes.map(({ index }) => index),
    labels: mistakes.map(({ label }) => label),
    shape,
    images,
  }
}
