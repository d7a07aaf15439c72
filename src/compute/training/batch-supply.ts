/** What the steps of an epoch take, made ready one step ahead. */
import type { TrainClassifierParams } from '../../shared/experiments/train-classifier.ts'
import type { Graph } from '../network/graph.ts'
import { RandomStream } from '../random.ts'
import { randomFlips, randomShifts, type Batch, type BatchReader, type Changes } from './batches.ts'
import type { HostTensors } from './checkpoint.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface SuppliedBatch extends Batch {
  /** By dropout layer, `[batch, ...shape]`. */
  readonly masks: HostTensors
}

export class BatchSupply {
  readonly #augmentation: TrainClassifierParams['augmentation']
  readonly #seed: number
  readonly #graph: Graph
  readonly #reader: BatchReader
  readonly #batchSize: number

  constructor(
    { augmentation }: TrainClassifierParams,
    seed: number,
    graph: Graph,
    reader: BatchReader,
    batchSize: number,
  ) {
    this.#augmentation = augmentation
    this.#seed = seed
    this.#graph = graph
    this.#reader = reader
    this.#batchSize = batchSize
  }

  /**
   * The batch of step `step` (counted from 1 over the whole training). A failure shows where the Promise is awaited, not before: it may
   * be one step ahead of a training that ends.
   */
  prepare(indices: Uint32Array, step: number): Promise<SuppliedBatch> {
    const batch = this.#prepared(indices, step)
    batch.catch(() => undefined)
    return batch
  }

  async #prepared(indices: Uint32Array, step: number): Promise<SuppliedBatch> {
    return { ...(await this.#reader.read(indices, this.#changes(step))), masks: this.#masks(step) }
  }

  #changes(step: number): Changes {
    const { shiftPixels, flip } = this.#augmentation
    return {
      shifts: shiftPixels > 0 ? randomShifts(this.#seed, step, this.#batchSize, shiftPixels) : undefined,
      flips: flip ? randomFlips(this.#seed, step, this.#batchSize) : undefined,
    }
  }

  #masks(step: number): HostTensors {
    const masks: HostTensors = {}
    for (const [index, layer] of this.#graph.layers.entries()) {
      if (layer.spec.type !== 'dropout' || layer.spec.rate === 0) continue
      const shape = [this.#batchSize, ...layer.shape]
      const count = sizeOf(shape)
      const data = new RandomStream(this.#seed, 'dropout', step, index).dropoutMask(count, layer.spec.rate)
      masks[layer.name] = { dtype: 'F32', shape, data }
    }
    return masks
  }
}
