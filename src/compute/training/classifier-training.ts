/** A classifier's training by batches as it goes on: epoch by epoch, with events, test errors and checkpoints. */
import type { Scalar } from '@tensorflow/tfjs'
import type {
  EpochRecord,
  TrainClassifierParams,
  TrainClassifierResult,
} from '../../shared/experiments/train-classifier.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { CompiledStep } from '../engines/engine.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import type { Graph } from '../network/graph.ts'
import { inputShape } from '../experiments/network-input.ts'
import { BatchSupply, type SuppliedBatch } from './batch-supply.ts'
import { epochOrder } from './batches.ts'
import type { HostTensors } from './checkpoint.ts'
import { logitsOf } from './classifier-logits.ts'
import {
  trainingStep,
  type NetworkTensors,
  type Regularisation,
  type TrainingInputs,
  type TrainingOutputs,
} from './classifier-step.ts'
import { Evaluator } from './evaluation.ts'
import { limitedKernels } from './filter-limit.ts'
import { learningRateAt } from './learning-rate.ts'
import { byRole, inLayerOrder } from './network-tensors.ts'
import { openReader } from './open-reader.ts'
import { keptState, restoredState, stepScalars, type BatchOptimiser, type OptimiserState } from './optimiser.ts'
import { downloadTensors, uploadTensors } from './tensor-file.ts'
import type { TrainingProgress } from './training-progress.ts'
import { decayFactors } from './weight-decay.ts'

const EVENT_INTERVAL_MS = 250

export interface TrainingData {
  readonly train: DatasetSplitData
  readonly test: DatasetSplitData
}

type Sums = { lossSum: Scalar; errorSum: Scalar }

export class ClassifierTraining {
  readonly #params: TrainClassifierParams
  readonly #optimiser: BatchOptimiser
  readonly #context: ExperimentContext
  readonly #progress: TrainingProgress
  readonly #graph: Graph
  readonly #supply: BatchSupply
  readonly #evaluator: Evaluator
  readonly #step: CompiledStep<TrainingInputs, TrainingOutputs>
  readonly #shape: readonly [number, number, number]
  readonly #trainCount: number
  readonly #testCount: number
  readonly #batchSize: number
  readonly #batches: number
  #network: NetworkTensors
  #state: OptimiserState

  constructor(
    params: TrainClassifierParams,
    optimiser: BatchOptimiser,
    context: ExperimentContext,
    progress: TrainingProgress,
    { train, test }: TrainingData,
  ) {
    const { engine } = context
    const { graph, spec, start } = progress
    this.#params = params
    this.#optimiser = optimiser
    this.#context = context
    this.#progress = progress
    this.#graph = graph
    this.#shape = inputShape(spec)
    this.#trainCount = Math.min(params.trainCount ?? train.count, train.count)
    this.#testCount = Math.min(params.testCount ?? test.count, test.count)
    this.#batchSize = Math.min(params.batchSize, this.#trainCount)
    this.#batches = Math.floor(this.#trainCount / this.#batchSize)
    const reader = openReader(train, spec, this.#batchSize)
    this.#supply = new BatchSupply(params, context.seed, graph, reader, this.#batchSize)
    const logits = logitsOf(engine, graph)
    const regularisation = regularisationOf(params, graph, progress.frozen)
    this.#evaluator = new Evaluator(engine, logits, spec, test, this.#testCount)
    this.#step = engine.compile(trainingStep(engine.tf, logits, optimiser, regularisation), {
      name: 'classifier training',
    })
    const { weights, statistics, frozen } = byRole(graph, start.weights, progress.frozen)
    const upload = (tensors: HostTensors) => uploadTensors(engine.tf, Object.entries(tensors))
    this.#network = { weights: upload(weights), statistics: upload(statistics), frozen: upload(frozen) }
    this.#state = restoredState(engine.tf, optimiser, this.#network.weights, start.optimiser)
  }

  async *runEpoch(): AsyncGenerator<ExperimentEvent, void, void> {
    const { engine, seed, signal } = this.#context
    const epoch = this.#progress.epoch + 1
    const order = epochOrder(seed, epoch, this.#trainCount)
    const startedAt = performance.now()
    let lastEventAt = startedAt
    const prepare = (batch: number): Promise<SuppliedBatch> =>
      this.#supply.prepare(
        order.subarray(batch * this.#batchSize, (batch + 1) * this.#batchSize),
        this.#stepOf(epoch, batch),
      )
    let next = prepare(0)
    let sums: Sums = { lossSum: engine.tf.scalar(0), errorSum: engine.tf.scalar(0) }
    try {
      for (let batch = 0; batch < this.#batches; batch++) {
        signal.throwIfAborted()
        const running = this.#trainOn(await next, epoch, batch, sums)
        // While the engine computes.
        next = batch + 1 < this.#batches ? prepare(batch + 1) : next
        sums = await running
        const now = performance.now()
        if (now - lastEventAt < EVENT_INTERVAL_MS && batch < this.#batches - 1) {
          yield { type: 'turn' }
          continue
        }
        lastEventAt = now
        yield await this.#stepEvent(epoch, batch, (now - startedAt) / 1000, sums)
      }
      const { trainLoss, trainErrorPercent } = await this.#means(sums, this.#batches)
      const seconds = (performance.now() - startedAt) / 1000
      const learningRate = this.#learningRate(epoch, this.#batches - 1)
      const { errorPercent } = yield* this.#evaluator.measure(inLayerOrder(this.#graph, this.#network), signal)
      yield* this.#progress.endEpoch({
        record: { epoch, trainLoss, trainErrorPercent, testErrorPercent: errorPercent, seconds, learningRate },
        weights: await downloadTensors(inLayerOrder(this.#graph, this.#network)),
        optimiser: await keptState(this.#state),
        done: epoch * this.#batches * this.#batchSize,
        total: this.#params.epochs * this.#batches * this.#batchSize,
        unit: 'images',
      })
    } finally {
      disposeTensors(sums)
    }
  }

  result(): AsyncGenerator<ExperimentEvent, TrainClassifierResult, void> {
    const epochImages = this.#batches * this.#batchSize
    return this.#progress.result({
      testCount: this.#testCount,
      epochImages,
      leftOut: this.#trainCount - epochImages,
      measure: (weights) => this.#evaluator.measureHost(weights, this.#context.signal),
    })
  }

  dispose(): void {
    disposeTensors([this.#network, this.#state])
    this.#step.dispose()
    this.#evaluator.dispose()
  }

  /** One update; takes over and replaces weights, state and sums. */
  async #trainOn({ images, labels, masks }: SuppliedBatch, epoch: number, batch: number, sums: Sums): Promise<Sums> {
    const { tf } = this.#context.engine
    const rate = this.#learningRate(epoch, batch)
    const { learningRate, firstCorrection, secondCorrection } = stepScalars(
      this.#optimiser,
      rate,
      this.#stepOf(epoch, batch),
    )
    const own: Pick<TrainingInputs, 'scalars' | 'images' | 'labels' | 'masks'> = {
      scalars: {
        learningRate: tf.scalar(learningRate),
        firstCorrection: tf.scalar(firstCorrection),
        secondCorrection: tf.scalar(secondCorrection),
      },
      images: tf.tensor4d(images, [this.#batchSize, ...this.#shape]),
      labels: tf.tensor1d(labels, 'int32'),
      masks: uploadTensors(tf, Object.entries(masks)),
    }
    const before = this.#network
    const running = this.#step.run({ ...before, state: this.#state, ...own, ...sums })
    // A call has taken its inputs when it returns; a cancelled one must not leave them behind.
    disposeTensors(own)
    const { weights, statistics, state, ...nextSums } = await running
    disposeTensors([before.weights, before.statistics, this.#state, sums])
    this.#network = { weights, statistics, frozen: before.frozen }
    this.#state = state
    return nextSums
  }

  /** Counted from 1 over the whole training. */
  #stepOf(epoch: number, batch: number): number {
    return (epoch - 1) * this.#batches + batch + 1
  }

  #learningRate(epoch: number, batch: number): number {
    const { epochs, schedule } = this.#params
    const place = { epoch, batch, batchesPerEpoch: this.#batches, epochs, records: this.#progress.records }
    return learningRateAt(this.#optimiser.learningRate, schedule, place)
  }

  async #means(
    { lossSum, errorSum }: Sums,
    batches: number,
  ): Promise<Pick<EpochRecord, 'trainLoss' | 'trainErrorPercent'>> {
    const [[loss = 0], [errors = 0]] = await Promise.all([lossSum.data(), errorSum.data()])
    return { trainLoss: loss / batches, trainErrorPercent: (100 * errors) / (batches * this.#batchSize) }
  }

  async #stepEvent(epoch: number, batch: number, seconds: number, sums: Sums): Promise<ExperimentEvent> {
    const batches = batch + 1
    const { trainLoss, trainErrorPercent } = await this.#means(sums, batches)
    const imagesPerSecond = (batches * this.#batchSize) / seconds
    const done = ((epoch - 1) * this.#batches + batches) * this.#batchSize
    const total = this.#params.epochs * this.#batches * this.#batchSize
    const learningRate = this.#learningRate(epoch, batch)
    return {
      type: 'step',
      done,
      total,
      unit: 'images',
      values: { epoch, loss: trainLoss, trainErrorPercent, imagesPerSecond, learningRate },
      secondsLeft: (total - done) / imagesPerSecond,
    }
  }
}

function regularisationOf(
  { weightDecay, maximumFilterRms }: TrainClassifierParams,
  graph: Graph,
  frozen: ReadonlySet<string>,
): Regularisation {
  const decay = byRole(graph, decayFactors(graph, weightDecay), frozen).weights
  if (maximumFilterRms === undefined) return { decay }
  return { decay, filterLimit: { kernels: limitedKernels(graph), maximumRms: maximumFilterRms } }
}
