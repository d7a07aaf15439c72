/** What a grid of pictures shows of a split. */
import { NO_LABEL } from '../../shared/datasets.ts'
import type { DatasetSplitData } from './dataset-split.ts'

export interface PageRequest {
  readonly offset: number
  readonly count: number
  /** Restricts to a class, or with -1 to pictures without one; `offset` counts inside it. */
  readonly classIndex?: number | undefined
  /** Pictures larger than this, or of different sizes, come inside squares of so many pixels a side. */
  readonly side?: number | undefined
}

export interface Page {
  readonly total: number
  readonly indices: number[]
  readonly labels: number[]
  readonly shape: [height: number, width: number, channels: number]
  /** `[indices.length, height, width, channels]` bytes. */
  readonly images: Uint8Array
}

/** What pictures of different sizes are put into where nobody says. */
const DEFAULT_SIDE = 64
/** Files decoded at the same time. */
const AT_ONCE = 16

/** @throws ConvScopeError 'not-found' or 'damaged' that names the file of a picture that is gone or changed */
export async function datasetPage(
  data: DatasetSplitData,
  { offset, count, classIndex, side }: PageRequest,
): Promise<Page> {
  const { total, indices } = placesOf(data, offset, count, classIndex)
  const labels = indices.map((index) => data.labels[index] ?? NO_LABEL)
  const isWhole = data.shape !== undefined && (side === undefined || Math.max(data.shape[0], data.shape[1]) <= side)
  const channels = data.shape?.[2] ?? 3
  const square = side ?? DEFAULT_SIDE
  const shape: Page['shape'] = isWhole && data.shape ? [...data.shape] : [square, square, channels]
  const size = shape[0] * shape[1] * shape[2]
  const images = new Uint8Array(indices.length * size)
  for (let first = 0; first < indices.length; first += AT_ONCE) {
    const pictures = await Promise.all(
      indices
        .slice(first, first + AT_ONCE)
        .map(async (index) => (isWhole ? (await data.picture(index)).data : data.thumbnail(index, square))),
    )
    pictures.forEach((pixels, place) => images.set(pixels, (first + place) * size))
  }
  return { total, indices, labels, shape, images }
}

/** Pictures of each class, and those without one. */
export function datasetCounts({ record, labels }: DatasetSplitData): { classes: number[]; unlabelled: number } {
  const classes = record.classes.map(() => 0)
  let unlabelled = 0
  for (const label of labels) {
    if (label === NO_LABEL) unlabelled++
    else classes[label] = (classes[label] ?? 0) + 1
  }
  return { classes, unlabelled }
}

function placesOf(
  { labels, count: all }: DatasetSplitData,
  offset: number,
  count: number,
  classIndex: number | undefined,
): { total: number; indices: number[] } {
  if (classIndex === undefined) {
    const length = Math.max(0, Math.min(count, all - offset))
    return { total: all, indices: Array.from({ length }, (_, place) => offset + place) }
  }
  const indices: number[] = []
  let total = 0
  labels.forEach((label, index) => {
    if (label !== classIndex) return
    if (total >= offset && indices.length < count) indices.push(index)
    total++
  })
  return { total, indices }
}
