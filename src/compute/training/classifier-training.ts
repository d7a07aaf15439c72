/** A classifier's training as it goes on: epoch by epoch, with events, test errors and checkpoints. */
import { createHash } from 'node:crypto'
import type { Scalar } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../shared/errors.ts'
import type {
  EpochRecord,
  TrainClassifierParams,
  TrainClassifierResult,
} from '../../shared/experiments/train-classifier.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { CompiledStep } from '../engines/engine.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import { initialWeights } from '../network/architectures/initial-weights.ts'
import { buildGraph, type Graph } from '../network/graph.ts'
import { encodeSafetensors } from '../network/safetensors.ts'
import { RandomStream } from '../random.ts'
import { BatchReader, epochOrder, randomShifts } from './batches.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { logitsOf } from './classifier-logits.ts'
import {
  evaluationStep,
  trainingStep,
  type EvaluationInputs,
  type TrainingInputs,
  type TrainingOutputs,
} from './classifier-step.ts'
import { initialState, stepScalars, type OptimiserState, type Tensors } from './optimiser.ts'
import { downloadTensors, uploadTensors } from './tensor-file.ts'

const EVENT_INTERVAL_MS = 250
/** Looks wait for a batch to end. */
const LARGEST_EVALUATION_BATCH = 200

export interface TrainingData {
  readonly train: DatasetSplitData
  readonly test: DatasetSplitData
}

export class ClassifierTraining {
  readonly #params: TrainClassifierParams
  readonly #context: ExperimentContext
  readonly #spec: NetworkSpec
  readonly #graph: Graph
  readonly #reader: BatchReader
  readonly #testReader: BatchReader
  readonly #step: CompiledStep<TrainingInputs, TrainingOutputs>
  readonly #evaluation: CompiledStep<EvaluationInputs, { errors: Scalar }>
  readonly #shape: readonly [number, number, number]
  readonly #trainCount: number
  readonly #testCount: number
  readonly #batchSize: number
  readonly #evaluationBatch: number
  readonly #batches: number
  #weights: Tensors
  #state: OptimiserState
  #records: EpochRecord[] = []
  epoch = 0

  constructor(
    spec: NetworkSpec,
    params: TrainClassifierParams,
    context: ExperimentContext,
    { train, test }: TrainingData,
  ) {
    const { engine } = context
    this.#params = params
    this.#context = context
    this.#spec = spec
    this.#graph = buildGraph(this.#spec)
    this.#shape = train.shape
    this.#trainCount = Math.min(params.trainCount ?? train.count, train.count)
    this.#testCount = Math.min(params.testCount ?? test.count, test.count)
    this.#batchSize = Math.min(params.batchSize, this.#trainCount)
    this.#batches = Math.floor(this.#trainCount / this.#batchSize)
    this.#reader = new BatchReader(train, this.#spec.preprocessing, this.#batchSize)
    this.#evaluationBatch = Math.min(LARGEST_EVALUATION_BATCH, this.#testCount)
    this.#testReader = new BatchReader(test, this.#spec.preprocessing, this.#evaluationBatch)
    const logits = logitsOf(engine, this.#graph)
    this.#step = engine.compile(trainingStep(engine.tf, logits, params.optimiser), { name: 'classifier training' })
    this.#evaluation = engine.compile(evaluationStep(engine.tf, logits), { name: 'classifier evaluation' })
    if (context.checkpoint) {
      const saved = readCheckpoint(engine.tf, context.checkpoint)
      this.#weights = saved.weights
      this.#state = saved.state
      this.#records = saved.records
      this.epoch = saved.records.length
    } else {
      this.#weights = uploadTensors(engine.tf, initialWeights(this.#graph, context.seed))
      this.#state = initialState(engine.tf, params.optimiser, this.#weights)
    }
  }

  async *runEpoch(): AsyncGenerator<ExperimentEvent, void, void> {
    const { tf } = this.#context.engine
    const epoch = this.epoch + 1
    const order = epochOrder(this.#context.seed, epoch, this.#trainCount)
    const startedAt = performance.now()
    let lastEventAt = startedAt
    let sums = { lossSum: tf.scalar(0), errorSum: tf.scalar(0) }
    try {
      for (let batch = 0; batch < this.#batches; batch++) {
        this.#context.signal.throwIfAborted()
        sums = await this.#trainOn(
          order.subarray(batch * this.#batchSize, (batch + 1) * this.#batchSize),
          epoch,
          batch,
          sums,
        )
        const now = performance.now()
        if (now - lastEventAt < EVENT_INTERVAL_MS && batch < this.#batches - 1) {
          yield { type: 'turn' }
          continue
        }
        lastEventAt = now
        yield await this.#stepEvent(epoch, batch + 1, (now - startedAt) / 1000, sums)
      }
      const { loss, errorPercent } = await this.#means(sums, this.#batches)
      const seconds = (performance.now() - startedAt) / 1000
      const testErrorPercent = yield* this.#testError()
      this.#records.push({ epoch, trainLoss: loss, trainErrorPercent: errorPercent, testErrorPercent, seconds })
    } finally {
      disposeTensors(sums)
    }
    this.epoch = epoch
    yield* this.#epochEvents()
  }

  async result(): Promise<TrainClassifierResult> {
    const last = this.#records.at(-1)
    if (!last) throw new ConvScopeError('damaged', 'The checkpoint of this training has no epochs')
    const weights = await downloadTensors(this.#weights)
    const file = encodeSafetensors(weights)
    const name = this.#params.name ?? `${this.#params.architecture}-${contentHash(file).slice(0, 8)}`
    await this.#context.outputWeights('weights', file)
    await this.#context.outputJson('spec', { ...this.#spec, name })
    const seconds = this.#records.reduce((sum, record) => sum + record.seconds, 0)
    return {
      network: name,
      parameters: Object.values(weights).reduce((sum, { data }) => sum + data.length, 0),
      epochs: this.#records,
      testErrorPercent: last.testErrorPercent,
      testCount: this.#testCount,
      imagesPerSecond: (this.#records.length * this.#batches * this.#batchSize) / seconds,
    }
  }

  dispose(): void {
    disposeTensors([this.#weights, this.#state])
    this.#step.dispose()
    this.#evaluation.dispose()
  }

  /** One update; takes over and replaces weights, state and sums. */
  async #trainOn(
    indices: Uint32Array,
    epoch: number,
    batch: number,
    sums: { lossSum: Scalar; errorSum: Scalar },
  ): Promise<{ lossSum: Scalar; errorSum: Scalar }> {
    const { engine, seed } = this.#context
    const { tf } = engine
    const step = (epoch - 1) * this.#batches + batch + 1
    const { shiftPixels, optimiser } = this.#params
    const shifts = shiftPixels > 0 ? randomShifts(seed, step, this.#batchSize, shiftPixels) : undefined
    const { images, labels } = this.#reader.read(indices, shifts)
    const { learningRate, firstCorrection, secondCorrection } = stepScalars(optimiser, this.#learningRate(epoch), step)
    const inputs: TrainingInputs = {
      weights: this.#weights,
      state: this.#state,
      scalars: {
        learningRate: tf.scalar(learningRate),
        firstCorrection: tf.scalar(firstCorrection),
        secondCorrection: tf.scalar(secondCorrection),
      },
      images: tf.tensor4d(images, [this.#batchSize, ...this.#shape]),
      labels: tf.tensor1d(labels, 'int32'),
      masks: this.#masks(step),
      ...sums,
    }
    const { weights, state, ...nextSums } = await this.#step.run(inputs)
    disposeTensors(inputs)
    this.#weights = weights
    this.#state = state
    return nextSums
  }

  #masks(step: number): Tensors {
    const masks: Tensors = {}
    for (const [index, layer] of this.#graph.layers.entries()) {
      if (layer.spec.type !== 'dropout') continue
      const shape = [this.#batchSize, ...layer.shape]
      const count = shape.reduce((product, extent) => product * extent, 1)
      const values = new RandomStream(this.#context.seed, 'dropout', step, index).dropoutMask(count, layer.spec.rate)
      masks[layer.name] = this.#context.engine.tf.tensor(values, shape)
    }
    return masks
  }

  #learningRate(epoch: number): number {
    const { optimiser, schedule } = this.#params
    return optimiser.learningRate * schedule.factor ** schedule.epochs.filter((start) => start <= epoch).length
  }

  async *#testError(): AsyncGenerator<ExperimentEvent, number, void> {
    const { tf } = this.#context.engine
    const size = this.#evaluationBatch
    let wrong = 0
    for (let start = 0; start < this.#testCount; start += size) {
      this.#context.signal.throwIfAborted()
      const count = Math.min(size, this.#testCount - start)
      const { images, labels } = this.#testReader.read(Array.from({ length: count }, (_, index) => start + index))
      const own = {
        images: tf.tensor4d(images, [size, ...this.#shape]),
        labels: tf.tensor1d(labels, 'int32'),
        counted: tf.tensor1d(Float32Array.from({ length: size }, (_, index) => (index < count ? 1 : 0))),
      }
      const { errors } = await this.#evaluation.run({ weights: this.#weights, ...own })
      wrong += (await errors.data())[0] ?? 0
      disposeTensors([own, errors])
      yield { type: 'turn' }
    }
    return (100 * wrong) / this.#testCount
  }

  async #means(
    sums: { lossSum: Scalar; errorSum: Scalar },
    batches: number,
  ): Promise<{ loss: number; errorPercent: number }> {
    const [loss = 0] = await sums.lossSum.data()
    const [errors = 0] = await sums.errorSum.data()
    return { loss: loss / batches, errorPercent: (100 * errors) / (batches * this.#batchSize) }
  }

  async #stepEvent(
    epoch: number,
    batches: number,
    seconds: number,
    sums: { lossSum: Scalar; errorSum: Scalar },
  ): Promise<ExperimentEvent> {
    const { loss, errorPercent } = await this.#means(sums, batches)
    const imagesPerSecond = (batches * this.#batchSize) / seconds
    const perEpoch = this.#batches * this.#batchSize
    const done = (epoch - 1) * perEpoch + batches * this.#batchSize
    const total = this.#params.epochs * perEpoch
    return {
      type: 'step',
      done,
      total,
      unit: 'images',
      values: {
        epoch,
        loss,
        trainErrorPercent: errorPercent,
        imagesPerSecond,
        learningRate: this.#learningRate(epoch),
      },
      secondsLeft: (total - done) / imagesPerSecond,
    }
  }

  async *#epochEvents(): AsyncGenerator<ExperimentEvent, void, void> {
    const record = this.#records.at(-1)
    if (!record) return
    const perEpoch = this.#batches * this.#batchSize
    const done = record.epoch * perEpoch
    yield {
      type: 'step',
      done,
      total: this.#params.epochs * perEpoch,
      unit: 'images',
      values: { epoch: record.epoch, testErrorPercent: record.testErrorPercent },
      secondsLeft: (this.#params.epochs - record.epoch) * record.seconds,
    }
    yield { type: 'log', message: epochText(record, this.#params.epochs) }
    // Kept at every epoch, so that a cancelled training leaves its last weights.
    await this.#context.outputWeights('weights', encodeSafetensors(await downloadTensors(this.#weights)))
    await this.#context.outputJson('spec', this.#spec)
    const bytes = await writeCheckpoint({ weights: this.#weights, state: this.#state, records: this.#records })
    yield { type: 'checkpoint', step: done, bytes }
  }
}

function epochText(record: EpochRecord, epochs: number): string {
  const percent = (value: number): string => `${value.toFixed(2)} %`
  return `Epoch ${record.epoch} of ${epochs}: loss ${record.trainLoss.toFixed(4)}, training error ${percent(
    record.trainErrorPercent,
  )}, test error ${percent(record.testErrorPercent)}`
}

function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
