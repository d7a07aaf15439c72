/** Batches of pictures in memory that have the size of the input already: every byte becomes a value by a table. */
import type { UniformSplitData } from '../data/dataset-split.ts'
import type { Preprocessing } from '../../shared/network/spec.ts'
import { changeAt, conversionTable, type Batch, type BatchReader, type Change, type Changes } from './batches.ts'

export class DirectReader implements BatchReader {
  readonly #data: UniformSplitData
  readonly #toNetwork: Float32Array
  readonly #batchSize: number
  /** The network takes the channels of the pictures from last to first. */
  readonly #reversed: boolean

  /** @param preprocessing one that neither resizes nor crops nor subtracts a picture, for as many channels as the pictures have */
  constructor(data: UniformSplitData, preprocessing: Preprocessing, batchSize: number) {
    this.#data = data
    this.#toNetwork = conversionTable(preprocessing, data.shape[2])
    this.#batchSize = batchSize
    this.#reversed = preprocessing.channelOrder === 'bgr'
  }

  read(indices: ArrayLike<number>, changes: Changes = {}): Promise<Batch> {
    const [height, width, channels] = this.#data.shape
    const size = height * width * channels
    const images = new Float32Array(this.#batchSize * size)
    const labels = new Int32Array(this.#batchSize)
    for (let place = 0; place < indices.length; place++) {
      const index = indices[place] ?? 0
      labels[place] = this.#data.labels[index] ?? 0
      this.#copy(images.subarray(place * size, (place + 1) * size), index * size, changeAt(changes, place))
    }
    return Promise.resolve({ images, labels })
  }

  /** One picture, from the byte `start` on. */
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
