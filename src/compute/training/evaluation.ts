/** What a classifier makes of the pictures of a split: errors, confusion matrix, and the mistakes of which it is surest. */
import { LISTED_MISTAKES, type WrongExample } from '../../shared/experiments/train-classifier.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { CompiledStep, Engine } from '../engines/engine.ts'
import type { ExperimentEvent } from '../experiments/experiment.ts'
import { inputShape } from '../experiments/network-input.ts'
import type { BatchReader } from './batches.ts'
import type { HostTensors } from './checkpoint.ts'
import { evaluationStep, type EvaluationInputs, type Logits, type Prediction } from './classifier-step.ts'
import { openReader } from './open-reader.ts'
import type { Tensors } from './optimiser.ts'
import { uploadTensors } from './tensor-file.ts'

/** Looks wait for a batch to end, and large pictures take memory: so many pictures, and values of pictures, at most. */
const LARGEST_BATCH = 200
const LARGEST_VALUES = 2 ** 22

export interface Evaluation {
  readonly errorPercent: number
  /** Pictures by `[label][predicted class]`. */
  readonly confusion: number[][]
  /** By falling confidence. */
  readonly mistakes: WrongExample[]
}

/** Measures on the first `count` pictures of a split. */
export class Evaluator {
  readonly #engine: Engine
  readonly #data: DatasetSplitData
  readonly #count: number
  readonly #batch: number
  readonly #reader: BatchReader
  readonly #shape: readonly [number, number, number]
  readonly #step: CompiledStep<EvaluationInputs, Prediction>

  constructor(engine: Engine, logits: Logits, spec: NetworkSpec, data: DatasetSplitData, count: number) {
    this.#engine = engine
    this.#data = data
    this.#count = count
    this.#shape = inputShape(spec)
    const values = this.#shape[0] * this.#shape[1] * this.#shape[2]
    this.#batch = Math.min(LARGEST_BATCH, count, Math.max(Math.floor(LARGEST_VALUES / values), 1))
    this.#reader = openReader(data, spec, this.#batch)
    this.#step = engine.compile(evaluationStep(engine.tf, logits), { name: 'classifier evaluation' })
  }

  async *measure(weights: Tensors, signal: AbortSignal): AsyncGenerator<ExperimentEvent, Evaluation, void> {
    const { tf } = this.#engine
    const { classes } = this.#data.record
    const confusion = classes.map(() => classes.map(() => 0))
    const mistakes: WrongExample[] = []
    for (let start = 0; start < this.#count; start += this.#batch) {
      signal.throwIfAborted()
      const count = Math.min(this.#batch, this.#count - start)
      const { images } = await this.#reader.read(Array.from({ length: count }, (_, index) => start + index))
      const own = { images: tf.tensor4d(images, [this.#batch, ...this.#shape]) }
      const result = await this.#step.run({ weights, ...own })
      const [predicted, confidence] = await Promise.all([result.predicted.data(), result.confidence.data()])
      disposeTensors([own, result])
      for (let place = 0; place < count; place++) {
        const label = this.#data.labels[start + place] ?? 0
        const taken = predicted[place] ?? 0
        const row = confusion[label]
        if (row) row[taken] = (row[taken] ?? 0) + 1
        if (taken !== label)
          mistakes.push({ index: start + place, label, predicted: taken, confidence: confidence[place] ?? 0 })
      }
      yield { type: 'turn' }
    }
    const errorPercent = (100 * mistakes.length) / this.#count
    mistakes.sort((a, b) => b.confidence - a.confidence || a.index - b.index)
    return { errorPercent, confusion, mistakes: mistakes.slice(0, LISTED_MISTAKES) }
  }

  /** The same for weights that are not on the engine. */
  async *measureHost(weights: HostTensors, signal: AbortSignal): AsyncGenerator<ExperimentEvent, Evaluation, void> {
    const tensors = uploadTensors(this.#engine.tf, Object.entries(weights))
    try {
      return yield* this.measure(tensors, signal)
    } finally {
      disposeTensors(tensors)
    }
  }

  dispose(): void {
    this.#step.dispose()
  }
}
