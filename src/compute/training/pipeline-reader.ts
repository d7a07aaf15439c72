/** Batches of pictures that go through the whole of a network's pipeline: read, resized, cropped, normalised when they are needed. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import { inputShape } from '../experiments/network-input.ts'
import { normalise, resized } from '../network/preprocess.ts'
import type { FloatPicture } from '../network/resize.ts'
import { changeAt, type Batch, type BatchReader, type Change, type Changes } from './batches.ts'

/** Encoded pictures that are decoded at the same time. */
const AT_ONCE = 16

export class PipelineReader implements BatchReader {
  readonly #data: DatasetSplitData
  readonly #spec: NetworkSpec
  readonly #batchSize: number
  readonly #shape: readonly [number, number, number]

  constructor(data: DatasetSplitData, spec: NetworkSpec, batchSize: number) {
    this.#data = data
    this.#spec = spec
    this.#batchSize = batchSize
    this.#shape = inputShape(spec)
  }

  async read(indices: ArrayLike<number>, changes: Changes = {}): Promise<Batch> {
    const size = this.#shape[0] * this.#shape[1] * this.#shape[2]
    const images = new Float32Array(this.#batchSize * size)
    const labels = new Int32Array(this.#batchSize)
    for (let first = 0; first < indices.length; first += AT_ONCE) {
      const places = Array.from({ length: Math.min(AT_ONCE, indices.length - first) }, (_, place) => first + place)
      await Promise.all(
        places.map(async (place) => {
          const index = indices[place] ?? 0
          labels[place] = this.#data.labels[index] ?? 0
          images.set(await this.#one(index, changeAt(changes, place)), place * size)
        }),
      )
    }
    return { images, labels }
  }

  /** What is moved in is black before the pipeline's mean is subtracted; a mean picture stays where it is. */
  async #one(index: number, change: Change): Promise<Float32Array> {
    const { preprocessing, name } = this.#spec
    const [height, width] = this.#shape
    const before = resized(await this.#data.picture(index), preprocessing)
    const [oldHeight, oldWidth] = before.shape
    const fits = preprocessing.crop
      ? oldHeight >= height && oldWidth >= width
      : oldHeight === height && oldWidth === width
    if (!fits) {
      throw new ConvScopeError(
        'invalid-input',
        `Picture ${index} of ${this.#data.record.name} becomes ${oldHeight} × ${oldWidth}; ${name} takes ${height} × ${width}`,
        { remedy: 'Choose pictures of the size that the network takes, or let its preprocessing resize them.' },
      )
    }
    return normalise(window(before, height, width, change), preprocessing).data
  }
}

/** The middle of a picture, over which the picture is moved by so many pixels and then mirrored; black where nothing is. */
function window(
  { shape, data }: FloatPicture,
  height: number,
  width: number,
  { down, right, mirrored }: Change,
): FloatPicture {
  const [oldHeight, oldWidth, channels] = shape
  const top = Math.floor((oldHeight - height) / 2) - down
  const left = Math.floor((oldWidth - width) / 2) - right
  const moved = new Float32Array(height * width * channels)
  for (let row = 0; row < height; row++) {
    const sourceRow = top + row
    if (sourceRow < 0 || sourceRow >= oldHeight) continue
    for (let column = 0; column < width; column++) {
      const sourceColumn = left + (mirrored ? width - 1 - column : column)
      if (sourceColumn < 0 || sourceColumn >= oldWidth) continue
      const source = (sourceRow * oldWidth + sourceColumn) * channels
      const target = (row * width + column) * channels
      for (let channel = 0; channel < channels; channel++) moved[target + channel] = data[source + channel] ?? 0
    }
  }
  return { shape: [height, width, channels], data: moved }
}
