/**
 * What the program can do, as the router, the command line and the shells call it: one object for each domain of the
 * contract, with the same names. Inputs have been parsed by the contract's schemas. Whatever a user may see as an error is
 * thrown as a `ConvScopeError`.
 */
import type { DoctorReport, Settings, SystemStatus } from '../../shared/contract/system.ts'
import type { DatasetRecord, SplitStatistics } from '../../shared/datasets.ts'
import type { DatasetImportRequest, DatasetImportResult } from '../../shared/contract/datasets.ts'
import type { ExperimentKindName } from '../../shared/experiments/index.ts'
import type { JobEvent, JobSummary } from '../../shared/jobs.ts'
import type {
  ExaminationRequest,
  LabelledPictures,
  NetworkChange,
  NetworkImportRequest,
  PictureInput,
} from '../../shared/contract/networks.ts'
import type { ProgressOr } from '../../shared/contract/progress.ts'
import type { Accuracy, Classification, Examination } from '../../shared/network/examination.ts'
import type { Preprocessing } from '../../shared/network/spec.ts'
import type {
  ArchitectureSummary,
  ExportFormat,
  NetworkPage,
  NetworkSummary,
  WeightHistogram,
} from '../../shared/network/page.ts'
import type { LiveFrame, LiveFrameRequest } from '../../shared/live.ts'
import type { Preset, RunMarks } from '../../shared/presets.ts'
import type { Look, RunRecord, RunState, RunSummary } from '../../shared/runs.ts'
import type { Json } from '../../shared/values.ts'

export interface StreamOptions {
  /** Aborted when the watcher goes away; the iterable then ends without an error. */
  signal?: AbortSignal
}

export interface CallOptions {
  /** Aborted when the answer is no longer wanted. */
  signal?: AbortSignal
}

export interface ResumableStreamOptions extends StreamOptions {
  /** Durable events with a greater sequence number are replayed first; 0 (the default) replays all. */
  afterSeq?: number
}

export type Shell = 'window' | 'page' | 'command'

export interface SystemService {
  about(): Promise<{ program: string; project: { name: string; folder: string }; shell: Shell }>
  /** The present status at once, then a new one whenever it changes. */
  status(options?: StreamOptions): AsyncIterable<SystemStatus>
  doctor(input: { full: boolean; speed?: boolean | undefined }): Promise<DoctorReport>
  settings(): Promise<Settings>
  changeSettings(change: Partial<Settings>): Promise<Settings>
  restartSession(): Promise<void>
  installEngine(): Promise<void>
}

export interface NetworksService {
  list(): Promise<NetworkSummary[]>
  page(input: { name: string }): Promise<NetworkPage>
  /** `values` are the bytes of an `.npy` file. */
  weights(input: { name: string; layer: string }): Promise<{ parameter: string; shape: number[]; values: Uint8Array }[]>
  histograms(input: { name: string }, options?: StreamOptions): AsyncIterable<ProgressOr<WeightHistogram[]>>
  architectures(): Promise<ArchitectureSummary[]>
  /** Leaving the stream cancels the import. */
  import(input: NetworkImportRequest, options?: StreamOptions): AsyncIterable<ProgressOr<NetworkSummary>>
  classify(
    input: { name: string; picture: PictureInput; preprocessing?: Preprocessing },
    options?: CallOptions,
  ): Promise<Classification>
  accuracy(input: LabelledPictures & { name: string }, options?: StreamOptions): AsyncIterable<ProgressOr<Accuracy>>
  examine(input: ExaminationRequest, options?: StreamOptions): AsyncIterable<ProgressOr<Examination>>
  export(
    input: { name: string; format: ExportFormat },
    options?: StreamOptions,
  ): AsyncIterable<ProgressOr<{ sha256: string; fileName: string }>>
  change(input: NetworkChange): Promise<NetworkSummary>
  rename(input: { name: string; to: string }): Promise<void>
  remove(input: { name: string }): Promise<void>
}

export interface DatasetPageRequest {
  name: string
  split: string
  offset: number
  count: number
  classIndex?: number
  side?: number
}

export interface DatasetPage {
  total: number
  indices: number[]
  labels: number[]
  /** `[height, width, channels]`. */
  shape: [number, number, number]
  /** `[count, height, width, channels]`, 0…255. */
  images: Uint8Array
}

export interface DatasetsService {
  list(): Promise<DatasetRecord[]>
  page(input: DatasetPageRequest): Promise<DatasetPage>
  counts(input: { name: string; split: string }): Promise<number[]>
  /** Ends with the result; leaving the stream cancels the import. */
  import(request: DatasetImportRequest, options?: StreamOptions): AsyncIterable<ProgressOr<DatasetImportResult>>
  /** Adds two halves of a split; the data set's hash changes with it. */
  halve(input: { name: string; split: string; halves: [string, string]; seed: number }): Promise<DatasetRecord>
  remove(input: { name: string }): Promise<void>
  /** Kept once it has been computed. */
  statistics(input: { name: string; split: string }, options?: CallOptions): Promise<SplitStatistics>
}

export interface JobsService {
  /** Returns as soon as the run is in the queue. */
  start(input: { document: Json; reuse?: boolean }): Promise<{ id: string }>
  /** Once its signal is aborted it rejects with 'cancelled', and what nobody else waits for is not computed any further. */
  look(input: { document: Json }, options?: CallOptions): Promise<Look>
  /** Ends after a terminal event. A watcher that goes away never ends the job. */
  watch(input: { id: string }, options?: ResumableStreamOptions): AsyncIterable<JobEvent>
  /** The present list at once, then a new one whenever it changes. */
  overview(options?: StreamOptions): AsyncIterable<JobSummary[]>
  cancel(input: { id: string }): Promise<void>
  pause(input: { id: string }): Promise<void>
  resume(input: { id: string }): Promise<void>
  /** Changes a setting of a running run, where its kind allows it; or lets a paused one do some iterations (`ADVANCE_PATH`). */
  adjust(input: { id: string; path: string; value: number }): Promise<void>
}

export interface RunsQuery {
  kind?: ExperimentKindName
  state?: RunState
  search?: string
  offset: number
  limit: number
}

export interface RunsService {
  list(input: RunsQuery): Promise<{ total: number; runs: RunSummary[]; problems: string[] }>
  show(input: { id: string }): Promise<RunRecord>
  keep(input: { documentHash: string }): Promise<{ id: string }>
  history(input: { limit: number }): Promise<(Omit<Look, 'outputs' | 'result'> & { usedAt: number })[]>
  rename(input: { id: string; title: string }): Promise<void>
  remove(input: { id: string }): Promise<void>
  restore(input: { id: string }): Promise<void>
  marks(input: { id: string }): Promise<RunMarks>
  mark(input: { id: string; marks: RunMarks }): Promise<void>
  /** `damaged`: names of the run's files that cannot be read and are left out. */
  export(input: { id: string }): Promise<{ sha256: string; fileName: string; damaged: string[] }>
}

export interface PresetsService {
  list(input: { kind: ExperimentKindName }): Promise<Preset[]>
  save(input: Preset): Promise<void>
  remove(input: { kind: ExperimentKindName; name: string }): Promise<void>
}

export interface LiveService {
  frame(input: LiveFrameRequest): Promise<LiveFrame>
}

export interface Services {
  system: SystemService
  networks: NetworksService
  datasets: DatasetsService
  jobs: JobsService
  runs: RunsService
  presets: PresetsService
  live: LiveService
}
