/**
 * What an experiment is to the worker: an async generator from parameters and a context to events and, last, its result.
 * It yields often, after every few hundredths of a second of computing: only there looks go between, and cancel and pause take
 * effect.
 */
import type { Engine } from '../engines/engine.ts'
import type { Network } from '../network/network.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import type { CsvTable } from '../../shared/csv.ts'
import type { NetworkRecord } from '../../shared/network/page.ts'

export type { DatasetSplitData }

export type ExperimentEvent =
  | { type: 'step'; done: number; total: number; unit: string; values: Record<string, number>; secondsLeft?: number }
  | { type: 'log'; message: string }
  | { type: 'preview'; name: string; width: number; height: number; channels: 1 | 3 | 4; pixels: Uint8Array }
  /** Everything needed to go on from here, as bytes that the experiment itself reads back. */
  | { type: 'checkpoint'; step: number; bytes: Uint8Array }
  /** A change that the user made meanwhile took effect from iteration `step` on; it becomes part of the run's document. */
  | { type: 'adjusted'; step: number; path: string; value: number }
  /** Nothing to tell: only a place where it may be interrupted. */
  | { type: 'turn' }
  /** It has done the iterations that it was asked for by an adjustment of `ADVANCE_PATH`: it rests again where it is paused. */
  | { type: 'rest' }

/** A setting of a running experiment that gets another value, such as `decay`. */
export interface Adjustment {
  readonly path: string
  readonly value: number
}

/** What was computed before, by a key of everything that it depends on. Any entry may be gone at any time. */
export interface ResultCache {
  get(key: string): Promise<Uint8Array | undefined>
  put(key: string, value: Uint8Array): Promise<void>
  remove(key: string): Promise<void>
}

export interface ExperimentContext {
  readonly engine: Engine
  readonly seed: number
  readonly signal: AbortSignal
  /** Bytes of the last checkpoint when a run goes on after a pause, a kill or a restart. */
  readonly checkpoint: Uint8Array | undefined
  /** Also write pictures (lasting runs); looks go without. */
  readonly pictures: boolean
  /** What the user changed since the last call, in order; see `adjusted`. */
  takeAdjustments(): readonly Adjustment[]
  /**
   * Gives what tells where it is, for a pause between two of its events: called at most once a pause, and only while it waits at a `yield`.
   * Without it, a pause shows what was told last.
   */
  onPause(show: (() => Promise<ExperimentEvent[]>) | undefined): void
  /** Warm: loaded once a session. */
  network(name: string): Promise<{ network: Network; record: NetworkRecord }>
  dataset(name: string, split: string): Promise<DatasetSplitData>
  /** Bytes of an artifact, hash checked. */
  artifact(sha256: string): Promise<Uint8Array>
  /** Shared by the runs of all projects. */
  readonly cache: ResultCache
  /** Keeps a C-order array as an output (`.npy`). */
  outputArray(
    name: string,
    shape: readonly number[],
    values: Float32Array | Int32Array | Uint8Array | Float64Array,
  ): Promise<void>
  /** Keeps an 8-bit picture as an output (`.png`). */
  outputPicture(name: string, width: number, height: number, channels: 1 | 3 | 4, pixels: Uint8Array): Promise<void>
  outputWeights(name: string, safetensors: Uint8Array): Promise<void>
  outputJson(name: string, value: unknown): Promise<void>
  /** Keeps numbers for other programs as an output (`.csv`). */
  outputTable(name: string, table: CsvTable): Promise<void>
}

export type Experiment<Params, Result> = (
  params: Params,
  context: ExperimentContext,
) => AsyncGenerator<ExperimentEvent, Result, void>
