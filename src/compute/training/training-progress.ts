/** How far a training is: epochs and their measurements, checkpoints, snapshots, and at last its result. */
import { createHash } from 'node:crypto'
import { ConvScopeError } from '../../shared/errors.ts'
import {
  snapshotOutput,
  startName,
  type EpochRecord,
  type TrainClassifierParams,
  type TrainClassifierResult,
} from '../../shared/experiments/train-classifier.ts'
import { MEAN_IMAGE_TENSOR, type NetworkSpec } from '../../shared/network/spec.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import { initialWeights } from '../network/architectures/initial-weights.ts'
import { buildGraph, type Graph } from '../network/graph.ts'
import { meanImageOf } from '../network/mean-image.ts'
import { encodeSafetensors } from '../network/safetensors.ts'
import {
  readCheckpoint,
  writeCheckpoint,
  type HostTensors,
  type PretrainingState,
  type TrainingCheckpoint,
} from './checkpoint.ts'
import type { Evaluation } from './evaluation.ts'
import { learnedCount } from './network-tensors.ts'
import { encoderOf } from './sparse-autoencoder.ts'
import type { TrainingNetwork } from './training-network.ts'

const KEEP_INTERVAL_MS = 10_000

/** What an epoch leaves. */
export interface EpochEnd {
  readonly record: EpochRecord
  readonly weights: HostTensors
  readonly optimiser: HostTensors
  /** Of the whole training, for the event. */
  readonly done: number
  readonly total: number
  /** Iterations may be short: not every one of them is kept. */
  readonly unit: 'images' | 'iterations'
}

export interface TrainingEnd {
  readonly testCount: number
  /** Training pictures that an epoch looks at, and that it leaves out. */
  readonly epochImages: number
  readonly leftOut: number
  readonly measure: (weights: HostTensors) => AsyncGenerator<ExperimentEvent, Evaluation, void>
}

export class TrainingProgress {
  readonly spec: NetworkSpec
  readonly graph: Graph
  readonly #params: TrainClassifierParams
  readonly #context: ExperimentContext
  #start: TrainingCheckpoint
  readonly #records: EpochRecord[]
  /** Epochs of the run that this one continues. */
  readonly #inherited: number
  readonly #frozen: ReadonlySet<string>
  /** Of this run. */
  readonly #snapshots: Map<number, HostTensors>
  #latest: Pick<TrainingCheckpoint, 'weights' | 'optimiser'>
  #best: HostTensors | undefined
  #end: TrainClassifierResult['ended'] | undefined
  #keptAt = -Infinity

  private constructor(
    params: TrainClassifierParams,
    context: ExperimentContext,
    spec: NetworkSpec,
    start: TrainingCheckpoint,
    inherited: number,
  ) {
    this.spec = spec
    this.graph = buildGraph(spec)
    this.#start = start
    this.#frozen = new Set(params.pretraining ? [encoderOf(this.graph).name] : [])
    this.#params = params
    this.#context = context
    this.#records = [...start.records]
    this.#inherited = inherited
    this.#snapshots = new Map([...start.snapshots].filter(([epoch]) => epoch >= inherited))
    this.#latest = start
    this.#best = start.best
  }

  /** @throws ConvScopeError 'damaged' for a checkpoint, 'invalid-input' where the continued run was another training */
  static async open(
    params: TrainClassifierParams,
    context: ExperimentContext,
    { spec, weights }: TrainingNetwork,
  ): Promise<TrainingProgress> {
    const graph = buildGraph(spec)
    const continued =
      params.continues === undefined ? undefined : readCheckpoint(await context.artifact(params.continues))
    if (continued) requireSameTraining(continued, graph, params)
    const begin = (): TrainingCheckpoint => ({
      weights: weights ?? Object.fromEntries(initialWeights(graph, context.seed)),
      optimiser: {},
      records: [],
      snapshots: new Map(),
    })
    const start = context.checkpoint ? readCheckpoint(context.checkpoint) : (continued ?? begin())
    return new TrainingProgress(params, context, spec, start, continued?.records.length ?? 0)
  }

  /** Where this process begins: the checkpoint's, the continued run's, the network's, or random ones. */
  get start(): TrainingCheckpoint {
    return this.#start
  }

  /** Finished epochs. */
  get epoch(): number {
    return this.#records.length
  }

  get records(): readonly EpochRecord[] {
    return this.#records
  }

  /** Layers that were learned before and stay. */
  get frozen(): ReadonlySet<string> {
    return this.#frozen
  }

  get ended(): boolean {
    return this.epoch >= this.#params.epochs || this.#stoppedEarly || this.#end !== undefined
  }

  /** It cannot get any further: `converged` where the gradient is as small as was asked for, `stalled` at the precision of the numbers. */
  end(reason: 'converged' | 'stalled'): void {
    this.#end = reason
  }

  /** While the first layer is learned: where to go on from after an interruption. */
  keepPretraining(state: PretrainingState, step: number): ExperimentEvent {
    return { type: 'checkpoint', step, bytes: writeCheckpoint({ ...this.#start, pretraining: state }) }
  }

  /** Weights that were learned ahead take the place of those to begin with. */
  endPretraining(weights: HostTensors): void {
    const { pretraining: _, ...start } = this.#start
    this.#start = { ...start, weights: { ...start.weights, ...weights } }
    this.#latest = this.#start
  }

  /** Before the first epoch of this process. */
  async begin(): Promise<void> {
    if (this.epoch === this.#inherited) await this.#keepSnapshot()
    for (const [epoch, weights] of this.#snapshots) await this.#outputSnapshot(epoch, weights)
  }

  async *endEpoch({
    record,
    weights,
    optimiser,
    done,
    total,
    unit,
  }: EpochEnd): AsyncGenerator<ExperimentEvent, void, void> {
    this.#latest = { weights, optimiser }
    this.#records.push(record)
    if (this.#params.stopAfter !== undefined && this.#bestEpoch === record.epoch) this.#best = weights
    const { epoch, testErrorPercent, seconds } = record
    const secondsLeft = (this.#params.epochs - epoch) * seconds
    yield { type: 'step', done, total, unit, values: { epoch, testErrorPercent }, secondsLeft }
    yield { type: 'log', message: epochText(record, this.#params.epochs) }
    await this.#keepSnapshot()
    if (unit === 'iterations' && performance.now() - this.#keptAt < KEEP_INTERVAL_MS) return
    this.#keptAt = performance.now()
    // Kept while it goes on, so that a cancelled training leaves its last weights and can be continued.
    await this.#context.outputWeights('weights', this.#file(this.#chosen))
    await this.#context.outputJson('spec', this.spec)
    const state = this.#checkpoint()
    await this.#context.outputWeights('state', state)
    yield { type: 'checkpoint', step: done, bytes: state }
  }

  async *result(end: TrainingEnd): AsyncGenerator<ExperimentEvent, TrainClassifierResult, void> {
    const own = this.#records.slice(this.#inherited)
    const weights = this.#chosen
    const { confusion, mistakes, errorPercent } = yield* end.measure(weights)
    const file = this.#file(weights)
    const hash = createHash('sha256').update(file).digest('hex')
    const name = this.#params.name ?? `${startName(this.#params.start)}-${hash.slice(0, 8)}`
    await this.#context.outputWeights('weights', file)
    await this.#context.outputJson('spec', { ...this.spec, name })
    await this.#context.outputWeights('state', this.#checkpoint())
    const seconds = own.reduce((sum, record) => sum + record.seconds, 0)
    return {
      network: name,
      parameters: learnedCount(this.graph),
      epochs: this.#records,
      testErrorPercent: errorPercent,
      testCount: end.testCount,
      imagesPerSecond: (own.length * end.epochImages) / seconds,
      epoch: this.#params.stopAfter === undefined ? this.epoch : this.#bestEpoch,
      ended: this.#end ?? (this.#stoppedEarly && this.epoch < this.#params.epochs ? 'stopped-early' : 'all-epochs'),
      leftOutEachEpoch: end.leftOut,
      confusion,
      mistakes,
      snapshots: [...this.#snapshots.keys()].map((epoch) => ({ epoch, output: snapshotOutput(epoch) })),
    }
  }

  get #chosen(): HostTensors {
    return this.#best ?? this.#latest.weights
  }

  /** The first epoch with the smallest test error. */
  get #bestEpoch(): number {
    const best = this.#records.reduce((least, record) =>
      record.testErrorPercent < least.testErrorPercent ? record : least,
    )
    return best.epoch
  }

  get #stoppedEarly(): boolean {
    const { stopAfter } = this.#params
    return stopAfter !== undefined && this.epoch > 0 && this.epoch - this.#bestEpoch >= stopAfter
  }

  #checkpoint(): Uint8Array {
    return writeCheckpoint({ ...this.#latest, records: this.#records, best: this.#best, snapshots: this.#snapshots })
  }

  /** A weights file of the network. */
  #file(weights: HostTensors): Uint8Array {
    const image = meanImageOf(this.spec.preprocessing)
    if (image === undefined) return encodeSafetensors(weights)
    const mean = { dtype: 'F32', shape: [...this.graph.input.shape], data: image } as const
    return encodeSafetensors({ ...weights, [MEAN_IMAGE_TENSOR]: mean })
  }

  async #keepSnapshot(): Promise<void> {
    if (!this.#params.snapshots.includes(this.epoch)) return
    this.#snapshots.set(this.epoch, this.#latest.weights)
    await this.#outputSnapshot(this.epoch, this.#latest.weights)
  }

  async #outputSnapshot(epoch: number, weights: HostTensors): Promise<void> {
    await this.#context.outputWeights(snapshotOutput(epoch), this.#file(weights))
  }
}

function requireSameTraining(
  { weights, records }: TrainingCheckpoint,
  graph: Graph,
  { epochs }: TrainClassifierParams,
): void {
  const expected = graph.layers.flatMap((layer) =>
    layer.parameters.map(({ name, shape }) => `${layer.name}/${name} ${shape.join(' × ')}`),
  )
  const found = Object.entries(weights).map(([name, { shape }]) => `${name} ${shape.join(' × ')}`)
  const missing = expected.find((entry) => !found.includes(entry))
  if (missing !== undefined || found.length !== expected.length) {
    throw new ConvScopeError('invalid-input', 'The training that is to go on had another network', {
      remedy: missing === undefined ? 'Choose the same one.' : `Choose the same one: it has no ${missing}.`,
    })
  }
  if (records.length >= epochs) {
    throw new ConvScopeError('invalid-input', `The training that is to go on has ${records.length} epochs already`, {
      remedy: `Ask for more than ${records.length} epochs.`,
    })
  }
}

function epochText(record: EpochRecord, epochs: number): string {
  const percent = (value: number): string => `${value.toFixed(2)} %`
  const unit = record.objective === undefined ? 'Epoch' : 'Iteration'
  return `${unit} ${record.epoch} of ${epochs}: loss ${record.trainLoss.toFixed(4)}, training error ${percent(
    record.trainErrorPercent,
  )}, test error ${percent(record.testErrorPercent)}`
}
