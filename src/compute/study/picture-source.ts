/** Pictures of a data set's split as a network takes them, in batches. */
import { NO_LABEL } from '../../shared/datasets.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { conversionTable } from '../training/batches.ts'
import { isUniform, type DatasetSplitData, type UniformSplitData } from '../data/dataset-split.ts'
import { inputShape, toNetwork } from '../experiments/network-input.ts'
import type { Network } from '../network/network.ts'

export class PictureSource {
  /** `[height, width, channels]` of the network's input. */
  readonly shape: readonly [number, number, number]
  /** Values of one picture. */
  readonly size: number
  readonly #data: DatasetSplitData
  readonly #network: Network
  readonly #table: Float32Array | undefined
  readonly #count: number

  /** @param count pictures from the start of the split; all when left out */
  constructor(data: DatasetSplitData, network: Network, count?: number) {
    this.#data = data
    this.#network = network
    this.#count = Math.min(count ?? data.count, data.count)
    this.shape = inputShape(network.spec)
    this.size = this.shape[0] * this.shape[1] * this.shape[2]
    if (this.#count === 0) {
      throw new ConvScopeError('invalid-input', `The data set ${data.record.name} has no pictures in this split`, {
        remedy: 'Choose another split.',
      })
    }
    this.#table = isDirect(data, network) ? conversionTable(network.spec.preprocessing, this.shape[2]) : undefined
  }

  get count(): number {
    return this.#count
  }

  get classes(): readonly string[] {
    return this.#data.record.classes
  }

  /** Class of a picture; null where it has none. */
  label(index: number): number | null {
    const label = this.#data.labels[index] ?? NO_LABEL
    return label === NO_LABEL ? null : label
  }

  /**
   * The pictures at `indices`, one behind another in `into` (zeros behind the last): `[into.length / size, height, width, channels]`.
   * @throws ConvScopeError 'invalid-input' for a picture that does not fit the network
   */
  async read(indices: readonly number[], into: Float32Array): Promise<void> {
    const one = async (index: number, place: number): Promise<void> => {
      const at = into.subarray(place * this.size, (place + 1) * this.size)
      if (this.#table && isUniform(this.#data)) convert(this.#data, index, this.#table, this.shape[2], at)
      else at.set(await this.#preprocessed(index))
    }
    // Encoded pictures are decoded several at a time.
    await Promise.all(indices.map(one))
    into.fill(0, indices.length * this.size)
  }

  async picture(index: number): Promise<Float32Array> {
    const values = new Float32Array(this.size)
    await this.read([index], values)
    return values
  }

  async #preprocessed(index: number): Promise<Float32Array> {
    try {
      return toNetwork(await this.#data.picture(index), this.#network.spec, this.shape)
    } catch (cause) {
      if (!(cause instanceof ConvScopeError)) throw cause
      throw new ConvScopeError(cause.code, `Picture ${index} of ${this.#data.record.name}: ${cause.message}`, {
        remedy: cause.remedy,
        cause,
      })
    }
  }
}

/** Whether bytes become values one by one. */
function isDirect(data: DatasetSplitData, { spec }: Network): boolean {
  const { resize, crop, channelOrder, meanImage } = spec.preprocessing
  const shape = inputShape(spec)
  const sameOrder = channelOrder === (shape[2] === 1 ? 'grey' : 'rgb')
  return isUniform(data) && data.shape.join() === shape.join() && !resize && !crop && !meanImage && sameOrder
}

function convert(
  { images }: UniformSplitData,
  index: number,
  table: Float32Array,
  channels: number,
  into: Float32Array,
): void {
  const from = index * into.length
  for (let place = 0; place < into.length; place++) {
    into[place] = table[(place % channels) * 256 + (images[from + place] ?? 0)] ?? 0
  }
}
