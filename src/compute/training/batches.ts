/** Batches of labelled pictures: order, random shifts, conversion to network space. */
import type { Preprocessing } from '../../shared/network/spec.ts'
import { RandomStream } from '../random.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'

export interface Batch {
  /** `[batch, height, width, channels]` in network space. */
  readonly images: Float32Array
  readonly labels: Int32Array
}

/** Reads batches of pictures of a split. */
export class BatchReader {
  readonly #data: DatasetSplitData
  readonly #toNetwork: Float32Array
  readonly #batchSize: number

  constructor(data: DatasetSplitData, preprocessing: Preprocessing, batchSize: number) {
    this.#data = data
    this.#toNetwork = conversionTable(preprocessing, data.shape[2])
    this.#batchSize = batchSize
  }

  /**
   * The pictures at `indices`; fewer than the batch size leave zeros behind them. With `shifts`, each picture moves down and
   * right by a pair of it, black moving in.
   */
  read(indices: ArrayLike<number>, shifts?: Int32Array): Batch {
    const [height, width, channels] = this.#data.shape
    const size = height * width * channels
    const images = new Float32Array(this.#batchSize * size)
    const labels = new Int32Array(this.#batchSize)
    for (let place = 0; place < indices.length; place++) {
      const index = indices[place] ?? 0
      labels[place] = this.#data.labels[index] ?? 0
      const down = shifts?.[2 * place] ?? 0
      const right = shifts?.[2 * place + 1] ?? 0
      for (let row = 0; row < height; row++) {
        const sourceRow = row - down
        for (let column = 0; column < width; column++) {
          const sourceColumn = column - right
          const inside = sourceRow >= 0 && sourceRow < height && sourceColumn >= 0 && sourceColumn < width
          const source = index * size + (sourceRow * width + sourceColumn) * channels
          const target = place * size + (row * width + column) * channels
          for (let channel = 0; channel < channels; channel++) {
            const byte = inside ? (this.#data.images[source + channel] ?? 0) : 0
            images[target + channel] = this.#toNetwork[channel * 256 + byte] ?? 0
          }
        }
      }
    }
    return { images, labels }
  }
}

/** `(byte * scale - mean) / std` of every byte of every channel. */
function conversionTable(preprocessing: Preprocessing, channels: number): Float32Array {
  const { scale, mean, std } = preprocessing
  return Float32Array.from({ length: channels * 256 }, (_, index) => {
    const channel = Math.floor(index / 256)
    return ((index % 256) * scale - (mean[channel] ?? 0)) / (std[channel] ?? 1)
  })
}

/** The order of the pictures in one epoch (counted from 1): another one every epoch. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  return new RandomStream(seed, 'order', epoch).permutation(count)
}

/** Pairs [down, right] of a batch, each uniform in -`pixels` … `pixels`. */
export function randomShifts(seed: number, step: number, batchSize: number, pixels: number): Int32Array {
  const stream = new RandomStream(seed, 'shifts', step)
  return Int32Array.from({ length: 2 * batchSize }, () => stream.below(2 * pixels + 1) - pixels)
}
