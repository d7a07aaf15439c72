/** Batches of labelled pictures: order, random shifts, conversion to network space. */
import type { Preprocessing } from '../../shared/network/spec.ts'
import { RandomStream } from '../random.ts'
import type { UniformSplitData } from '../data/dataset-split.ts'

export interface Batch {
  /** `[batch, height, width, channels]` in network space. */
  readonly images: Float32Array
  readonly labels: Int32Array
}

/** Random changes of the pictures of a batch. */
export interface Changes {
  /** Pairs [down, right], one a picture; black moves in. */
  readonly shifts?: Int32Array | undefined
  /** 1 for a picture that is mirrored, left for right. */
  readonly flips?: Uint8Array | undefined
}

interface Change {
  readonly down: number
  readonly right: number
  readonly mirrored: boolean
}

/** Reads batches of pictures of a split. */
export class BatchReader {
  readonly #data: UniformSplitData
  readonly #toNetwork: Float32Array
  readonly #batchSize: number
  /** The network takes the channels of the pictures from last to first. */
  readonly #reversed: boolean

  constructor(data: UniformSplitData, preprocessing: Preprocessing, batchSize: number) {
    this.#data = data
    this.#toNetwork = conversionTable(preprocessing, data.shape[2])
    this.#batchSize = batchSize
    this.#reversed = preprocessing.channelOrder === 'bgr'
  }

  /** The pictures at `indices`; fewer than the batch size leave zeros behind them. */
  read(indices: ArrayLike<number>, changes: Changes = {}): Batch {
    const [height, width, channels] = this.#data.shape
    const size = height * width * channels
    const images = new Float32Array(this.#batchSize * size)
    const labels = new Int32Array(this.#batchSize)
    for (let place = 0; place < indices.length; place++) {
      const index = indices[place] ?? 0
      labels[place] = this.#data.labels[index] ?? 0
      const down = changes.shifts?.[2 * place] ?? 0
      const right = changes.shifts?.[2 * place + 1] ?? 0
      const mirrored = changes.flips?.[place] === 1
      this.#copy(images.subarray(place * size, (place + 1) * size), index * size, { down, right, mirrored })
    }
    return { images, labels }
  }

  /** One picture, from the byte `start` on. The picture moves first and is mirrored then. */
  #copy(to: Float32Array, start: number, { down, right, mirrored }: Change): void {
    const [height, width, channels] = this.#data.shape
    const bytes = this.#data.images
    const table = this.#toNetwork
    const reversed = this.#reversed
    for (let row = 0; row < height; row++) {
      const rowStart = row - down >= 0 && row - down < height ? start + (row - down) * width * channels : -1
      for (let column = 0; column < width; column++) {
        const sourceColumn = (mirrored ? width - 1 - column : column) - right
        const source =
          sourceColumn >= 0 && sourceColumn < width && rowStart >= 0 ? rowStart + sourceColumn * channels : -1
        const target = (row * width + column) * channels
        for (let channel = 0; channel < channels; channel++) {
          const byte = source >= 0 ? (bytes[source + (reversed ? channels - 1 - channel : channel)] ?? 0) : 0
          to[target + channel] = table[channel * 256 + byte] ?? 0
        }
      }
    }
  }
}

/** `(byte * scale - mean) / std` of every byte of every channel. */
export function conversionTable(preprocessing: Preprocessing, channels: number): Float32Array {
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

/** 1 or 0 for each picture of a batch, each with probability one half. */
export function randomFlips(seed: number, step: number, batchSize: number): Uint8Array {
  const stream = new RandomStream(seed, 'flips', step)
  return Uint8Array.from({ length: batchSize }, () => stream.below(2))
}
