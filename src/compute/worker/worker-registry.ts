/** What the engine thread is made of: engines, experiments, networks, data sets and short methods. Tests pass their own. */
import type { z } from 'zod'
import type { DatasetRecord } from '../../shared/datasets.ts'
import type { EngineReport } from '../../shared/engines.ts'
import type { NetworkRecord } from '../../shared/network/page.ts'
import type { ArrayValues } from '../../shared/npy.ts'
import type { ToWorker, WORKER_METHODS } from '../../shared/wire/protocol.ts'
import type { DatasetFiles, DatasetSplitData } from '../data/dataset-split.ts'
import type { Engine } from '../engines/engine.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import type { Network } from '../network/network.ts'
import type { RunContext } from './run-context.ts'
import type { Loaded } from './warm-cache.ts'

export type StartMessage = Extract<ToWorker, { type: 'start' }>
export type ArtifactReader = (sha256: string) => Promise<Uint8Array>
/** Where an artifact lies; its hash is not looked at. */
export type ArtifactFinder = (sha256: string) => Promise<string>

/** A question's answer; long ones are generators like experiments: where they yield, looks go between, and a cancel takes effect. */
export type MethodAnswer<R> = Promise<R> | AsyncGenerator<ExperimentEvent, R, void>

/** An experiment with its parameters filled in. */
export interface PreparedExperiment {
  readonly seed: number
  run(context: ExperimentContext): AsyncGenerator<ExperimentEvent, unknown, void>
}

export type Methods = {
  readonly [M in keyof typeof WORKER_METHODS]: (
    params: z.infer<(typeof WORKER_METHODS)[M]['params']>,
    context: RunContext,
  ) => MethodAnswer<z.infer<(typeof WORKER_METHODS)[M]['result']>>
}

export interface StartedEngine {
  readonly engine: Engine | undefined
  readonly reports: EngineReport[]
}

/** An engine could not be started; the reports say why for every one. */
export class EngineStartError extends Error {
  readonly reports: EngineReport[]

  constructor(cause: unknown, reports: EngineReport[]) {
    super('The engine did not start', { cause })
    this.name = 'EngineStartError'
    this.reports = reports
  }
}

export interface WorkerRegistry {
  /** No engine for 'none'. @throws EngineStartError where the one wished for does not start */
  startEngine(message: StartMessage): Promise<StartedEngine>
  /** @throws ConvScopeError 'invalid-input' or 'unsupported' for a document that cannot be run */
  prepare(document: unknown): PreparedExperiment
  loadNetwork(record: NetworkRecord, read: ArtifactReader, engine: Engine): Promise<Loaded<Network>>
  loadDataset(record: DatasetRecord, split: string, files: DatasetFiles): Promise<Loaded<DatasetSplitData>>
  readonly encode: OutputEncoders
  readonly methods: Methods
}

export interface OutputEncoders {
  /** Bytes of an `.npy` file. */
  array(shape: readonly number[], values: ArrayValues): Uint8Array
  /** Bytes of a `.png` file. */
  picture(width: number, height: number, channels: 1 | 3 | 4, pixels: Uint8Array): Promise<Uint8Array>
}
