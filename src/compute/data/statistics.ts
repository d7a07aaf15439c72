/** A split in numbers, exact: from how often each byte occurs in each channel. */
import type { SplitStatistics } from '../../shared/datasets.ts'
import type { ExperimentEvent } from '../experiments/experiment.ts'
import { datasetCounts } from './dataset-page.ts'
import { isUniform, type DatasetSplitData } from './dataset-split.ts'

/** Pictures read at the same time, and between two places where it may be interrupted. */
const AT_ONCE = 32
const UNIFORM_AT_ONCE = 2000

/**
 * Reads every picture of a split once; yields its progress.
 * @throws what reading a picture throws
 */
export async function* splitStatistics(
  name: string,
  split: string,
  context: { dataset(name: string, split: string): Promise<DatasetSplitData>; readonly signal: AbortSignal },
): AsyncGenerator<ExperimentEvent, SplitStatistics, void> {
  const data = await context.dataset(name, split)
  const { classes, unlabelled } = datasetCounts(data)
  const levels: number[][] = []
  let smallest: [number, number] | null = null
  let largest: [number, number] | null = null
  const atOnce = isUniform(data) ? UNIFORM_AT_ONCE : AT_ONCE
  for (let first = 0; first < data.count; first += atOnce) {
    const indices = Array.from({ length: Math.min(atOnce, data.count - first) }, (_, place) => first + place)
    for (const { shape, data: pixels } of await Promise.all(indices.map((index) => data.picture(index)))) {
      const [height, width, channels] = shape
      count(pixels, channels, levels)
      if (!smallest || height * width < smallest[0] * smallest[1]) smallest = [height, width]
      if (!largest || height * width > largest[0] * largest[1]) largest = [height, width]
    }
    yield { type: 'step', done: first + indices.length, total: data.count, unit: 'pictures', values: {} }
  }
  return {
    split,
    count: data.count,
    classCounts: classes,
    unlabelled,
    mean: levels.map((histogram) => momentsOf(histogram).mean),
    standardDeviation: levels.map((histogram) => momentsOf(histogram).standardDeviation),
    smallest,
    largest,
  }
}

function count(pixels: Uint8Array, channels: number, levels: number[][]): void {
  while (levels.length < channels) levels.push(new Array<number>(256).fill(0))
  for (let channel = 0; channel < channels; channel++) {
    const histogram = levels[channel] ?? []
    for (let place = channel; place < pixels.length; place += channels) {
      const level = pixels[place] ?? 0
      histogram[level] = (histogram[level] ?? 0) + 1
    }
  }
}

/** Of all values, not of a sample: divided by their number. */
function momentsOf(histogram: readonly number[]): { mean: number; standardDeviation: number } {
  const total = histogram.reduce((sum, times) => sum + times, 0)
  const mean = histogram.reduce((sum, times, level) => sum + times * level, 0) / total
  const variance = histogram.reduce((sum, times, level) => sum + times * (level - mean) ** 2, 0) / total
  return { mean, standardDeviation: Math.sqrt(variance) }
}
