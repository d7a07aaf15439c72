/** A classifier's training by L-BFGS: every iteration looks at all training pictures, in pieces. */
import { ConvScopeError } from '../../shared/errors.ts'
import type {
  Optimiser,
  TrainClassifierParams,
  TrainClassifierResult,
} from '../../shared/experiments/train-classifier.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { CompiledStep } from '../engines/engine.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import type { Graph } from '../network/graph.ts'
import { inputShape } from '../experiments/network-input.ts'
import type { BatchReader } from './batches.ts'
import type { HostTensors } from './checkpoint.ts'
import { logitsOf } from './classifier-logits.ts'
import { pieceStep, type PieceInputs, type PieceOutputs } from './classifier-step.ts'
import type { TrainingData } from './classifier-training.ts'
import { Evaluator } from './evaluation.ts'
import { largest, lbfgsIteration, type LbfgsPair, type LbfgsState } from './lbfgs.ts'
import { byRole, inLayerOrder } from './network-tensors.ts'
import { openReader } from './open-reader.ts'
import { uploadTensors } from './tensor-file.ts'
import type { TrainingProgress } from './training-progress.ts'
import { decayFactors } from './weight-decay.ts'
import { WeightVector } from './weight-vector.ts'
import type { Evaluated, Turns } from './wolfe-search.ts'

type Lbfgs = Extract<Optimiser, { kind: 'l-bfgs' }>

/** The objective at a point: `value` and gradient with weight decay, the others without. */
interface Measured extends Evaluated {
  /** Mean cross-entropy. */
  readonly loss: number
  readonly errorPercent: number
}

export class FullBatchTraining {
  readonly #params: TrainClassifierParams
  readonly #optimiser: Lbfgs
  readonly #context: ExperimentContext
  readonly #progress: TrainingProgress
  readonly #reader: BatchReader
  readonly #evaluator: Evaluator
  readonly #step: CompiledStep<PieceInputs, PieceOutputs>
  readonly #graph: Graph
  /** Weights that stay. */
  readonly #frozen: HostTensors
  readonly #vector: WeightVector
  /** By place in the vector, as `decayFactors` says. */
  readonly #decay: Float64Array
  readonly #shape: readonly [number, number, number]
  readonly #trainCount: number
  readonly #testCount: number
  readonly #pieceSize: number
  #state: LbfgsState<Measured> | undefined

  /** @throws ConvScopeError 'invalid-input' for what is random, which an objective cannot be */
  constructor(
    params: TrainClassifierParams,
    optimiser: Lbfgs,
    context: ExperimentContext,
    progress: TrainingProgress,
    { train, test }: TrainingData,
  ) {
    const { engine } = context
    const { graph, spec, start } = progress
    refuseRandomness(params, progress)
    this.#params = params
    this.#optimiser = optimiser
    this.#context = context
    this.#progress = progress
    this.#graph = graph
    this.#shape = inputShape(spec)
    this.#trainCount = Math.min(params.trainCount ?? train.count, train.count)
    this.#testCount = Math.min(params.testCount ?? test.count, test.count)
    this.#pieceSize = Math.min(params.batchSize, this.#trainCount)
    this.#reader = openReader(train, spec, this.#pieceSize)
    const { weights, frozen } = byRole(graph, start.weights, progress.frozen)
    this.#frozen = frozen
    this.#vector = new WeightVector(weights)
    this.#decay = this.#vector.factors(decayFactors(graph, params.weightDecay))
    const logits = logitsOf(engine, graph)
    this.#evaluator = new Evaluator(engine, logits, spec, test, this.#testCount)
    this.#step = engine.compile(pieceStep(engine.tf, logits), { name: 'full-batch training' })
  }

  /** One iteration. Where it cannot get any further, the training ends instead. */
  async *runEpoch(): AsyncGenerator<ExperimentEvent, void, void> {
    const startedAt = performance.now()
    const epoch = this.#progress.epoch + 1
    const before = (this.#state ??= yield* this.#begin())
    if (largest(before.evaluated.gradient) <= this.#optimiser.tolerance) return this.#progress.end('converged')
    const next = yield* lbfgsIteration(before, this.#optimiser.memory, (x) => this.#evaluate(x))
    if (!next) return this.#progress.end('stalled')
    this.#state = next
    const seconds = (performance.now() - startedAt) / 1000
    const weights = this.#allWeights(next.x)
    const { errorPercent } = yield* this.#evaluator.measureHost(weights, this.#context.signal)
    const { value, loss, errorPercent: trainErrorPercent } = next.evaluated
    const { epochs } = this.#params
    const gradient = largest(next.evaluated.gradient)
    yield {
      type: 'step',
      done: epoch,
      total: epochs,
      unit: 'iterations',
      values: { epoch, loss, trainErrorPercent, objective: value, gradient },
      secondsLeft: (epochs - epoch) * seconds,
    }
    yield* this.#progress.endEpoch({
      record: { epoch, trainLoss: loss, trainErrorPercent, testErrorPercent: errorPercent, seconds, objective: value },
      weights,
      optimiser: keptState(next),
      done: epoch,
      total: epochs,
      unit: 'iterations',
    })
  }

  result(): AsyncGenerator<ExperimentEvent, TrainClassifierResult, void> {
    return this.#progress.result({
      testCount: this.#testCount,
      epochImages: this.#trainCount,
      leftOut: 0,
      measure: (weights) => this.#evaluator.measureHost(weights, this.#context.signal),
    })
  }

  dispose(): void {
    this.#step.dispose()
    this.#evaluator.dispose()
  }

  /** With those that stay, in the order of the layers. */
  #allWeights(x: Float64Array): HostTensors {
    return inLayerOrder(this.#graph, { weights: this.#vector.tensors(x), statistics: {}, frozen: this.#frozen })
  }

  async *#begin(): Turns<LbfgsState<Measured>> {
    const { weights, optimiser } = this.#progress.start
    const x = Object.keys(optimiser).length > 0 ? vectorOf(optimiser, 'x') : this.#vector.of(weights)
    return { x, evaluated: yield* this.#evaluate(x), pairs: restoredPairs(optimiser) }
  }

  /** The mean cross-entropy of all training pictures and the weight decay, added up in float64 piece by piece. */
  async *#evaluate(x: Float64Array): Turns<Measured> {
    const { engine, signal } = this.#context
    const { tf } = engine
    const weights = uploadTensors(tf, Object.entries(this.#vector.tensors(x)))
    const frozen = uploadTensors(tf, Object.entries(this.#frozen))
    const gradient = new Float64Array(x.length)
    let [loss, errors] = [0, 0]
    try {
      for (let start = 0; start < this.#trainCount; start += this.#pieceSize) {
        signal.throwIfAborted()
        const count = Math.min(this.#pieceSize, this.#trainCount - start)
        const { images, labels } = await this.#reader.read(Array.from({ length: count }, (_, index) => start + index))
        const own = {
          images: tf.tensor4d(images, [this.#pieceSize, ...this.#shape]),
          labels: tf.tensor1d(labels, 'int32'),
          counted: tf.tensor1d(Float32Array.from({ length: this.#pieceSize }, (_, index) => (index < count ? 1 : 0))),
        }
        const sums = await this.#step.run({ weights, frozen, ...own })
        loss += (await sums.loss.data())[0] ?? NaN
        errors += (await sums.errors.data())[0] ?? NaN
        await this.#vector.add(gradient, sums.gradients, 1 / this.#trainCount)
        disposeTensors([own, sums])
        yield { type: 'turn' }
      }
    } finally {
      disposeTensors([weights, frozen])
    }
    loss /= this.#trainCount
    let value = loss
    for (const [place, weight] of x.entries()) {
      const factor = this.#decay[place] ?? 0
      value += 0.5 * factor * weight * weight
      gradient[place] = (gradient[place] ?? 0) + factor * weight
    }
    return { value, gradient, loss, errorPercent: (100 * errors) / this.#trainCount }
  }
}

/** With random pictures or units, or with pieces normalised by themselves, the objective would be another one at every look. */
function refuseRandomness(
  { augmentation, maximumFilterRms, schedule }: TrainClassifierParams,
  { spec }: TrainingProgress,
): void {
  const dropout = spec.layers.find((layer) => layer.type === 'dropout' && layer.rate > 0)
  const normalisation = spec.layers.find((layer) => layer.type === 'batch-norm')
  const random = [
    dropout && `dropout (${dropout.name})`,
    normalisation && `batch normalisation (${normalisation.name})`,
    (augmentation.flip || augmentation.shiftPixels > 0) && 'random changes of the pictures',
    maximumFilterRms !== undefined && 'filters that are scaled between the steps',
    schedule.kind !== 'constant' && 'a learning rate',
  ].find((what) => typeof what === 'string')
  if (random === undefined) return
  throw new ConvScopeError('invalid-input', `L-BFGS cannot be combined with ${random}`, {
    remedy: dropout ? 'Set dropout to 0, or choose another optimiser.' : 'Leave it out, or choose another optimiser.',
  })
}

/** Float64, so that a training that goes on does so with the same numbers. */
function keptState({ x, pairs }: LbfgsState<Measured>): HostTensors {
  const kept: HostTensors = { x: float64(x) }
  for (const [index, { s, y }] of pairs.entries()) {
    kept[`s${index}`] = float64(s)
    kept[`y${index}`] = float64(y)
  }
  return kept
}

function restoredPairs(kept: HostTensors): LbfgsPair[] {
  const count = Object.keys(kept).filter((name) => name.startsWith('s')).length
  return Array.from({ length: count }, (_, index) => ({
    s: vectorOf(kept, `s${index}`),
    y: vectorOf(kept, `y${index}`),
  }))
}

function float64(data: Float64Array): HostTensors[string] {
  return { dtype: 'F64', shape: [data.length], data }
}

function vectorOf(kept: HostTensors, name: string): Float64Array {
  const data = kept[name]?.data
  if (data instanceof Float64Array) return data
  throw new ConvScopeError('invalid-input', 'The training that is to go on had another optimiser', {
    remedy: 'Choose the same one, or train the network further without its optimiser: start from the network.',
  })
}
