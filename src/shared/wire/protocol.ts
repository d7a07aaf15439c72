/**
 * Messages between main and a compute worker, MessagePack in length-prefixed frames on stdin and stdout.
 * The worker says `hello` first; main answers `start`; the worker answers `ready` or `failed-to-start`.
 */
import * as z from 'zod'
import { DatasetOrigin, DatasetRecord, RefusedFile, SplitStatistics, ThumbnailSide } from '../datasets.ts'
import { EngineIdentity, EngineReport, EngineWish } from '../engines.ts'
import { ErrorReport } from '../errors.ts'
import { PictureReference } from '../experiments/document.ts'
import { Accuracy, Classification, Examination } from '../network/examination.ts'
import { Finding } from '../network/finding.ts'
import { ArchitectureSummary, LayerPage, NetworkOrigin, NetworkRecord, WeightHistogram } from '../network/page.ts'
import { NetworkSpec, Preprocessing } from '../network/spec.ts'
import { OutputRecord } from '../runs.ts'
import { Bytes, LibraryName, Sha256 } from '../values.ts'

/** Rises with every change that an older peer cannot read. */
export const PROTOCOL_VERSION = 1

/** Library entries that a command needs, with their artifacts' hashes. */
export const Library = z.object({
  networks: z.record(z.string(), NetworkRecord),
  datasets: z.record(z.string(), DatasetRecord),
})
export type Library = z.infer<typeof Library>

const id = z.string().min(1).max(100)

/** A 'look' is short: it is computed between two yields of a running job. Jobs are computed one after another. */
export const RunPriority = z.enum(['look', 'job'])
export type RunPriority = z.infer<typeof RunPriority>

export const ToWorker = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    protocol: z.number().int(),
    /** 'none': a session that only reads files from outside. */
    engine: z.union([EngineWish, z.literal('none')]),
    threads: z.number().int().positive().optional(),
    cacheFolder: z.string(),
    /** Folders `<folder>/<ab>/<sha256>` and single files by hash, looked at in this order. */
    artifactFolders: z.array(z.string()),
    artifactFiles: z.record(Sha256, z.string()),
    /** Where outputs above 1 MB are written for main to verify and rename; on the artifact store's file system. */
    scratchFolder: z.string(),
    heartbeatMs: z.number().int().positive().default(1000),
  }),
  z.object({
    type: z.literal('run'),
    id,
    document: z.json(),
    library: Library,
    /** The artifact that a run goes on from. */
    checkpoint: Sha256.optional(),
    pictures: z.boolean(),
    priority: RunPriority,
  }),
  /** A short question, computed like a look; see `WORKER_METHODS`. Answered by `result`, `failed` or `cancelled`. */
  z.object({ type: z.literal('call'), id, method: z.string(), params: z.json(), library: Library }),
  z.object({ type: z.literal('cancel'), id }),
  z.object({ type: z.literal('pause'), id }),
  /** The user changes a setting of a running experiment; see `adjusted`. */
  z.object({ type: z.literal('adjust'), id, path: z.string().max(200), value: z.number() }),
  z.object({ type: z.literal('resume'), id }),
  z.object({ type: z.literal('stop') }),
])
export type ToWorker = z.infer<typeof ToWorker>

/** An output's bytes: in the frame up to 1 MB, otherwise a file in the scratch folder. */
export const OutputDelivery = z.union([
  z.object({ record: OutputRecord, bytes: Bytes }),
  z.object({ record: OutputRecord, file: z.string() }),
])
export type OutputDelivery = z.infer<typeof OutputDelivery>

const step = z.object({
  type: z.literal('step'),
  done: z.number().nonnegative(),
  total: z.number().positive(),
  unit: z.string(),
  values: z.record(z.string(), z.number()),
  secondsLeft: z.number().nonnegative().optional(),
})
/** Longer log messages are cut, larger previews refused: both have to fit in a frame. */
export const LOG_MESSAGE_LENGTH = 20_000
export const PREVIEW_LIMIT_BYTES = 16 * 1024 * 1024

const log = z.object({ type: z.literal('log'), message: z.string().max(LOG_MESSAGE_LENGTH) })
/** 8-bit picture, `[height, width, channels]`. */
const preview = z
  .object({
    type: z.literal('preview'),
    name: z.string(),
    width: z.number().int().positive(),
    height: z.number().int().positive(),
    channels: z.union([z.literal(1), z.literal(3), z.literal(4)]),
    pixels: Bytes,
  })
  .refine(({ width, height, channels, pixels }) => pixels.length === width * height * channels, {
    message: 'the number of pixels is not width x height x channels',
  })
  .refine(({ pixels }) => pixels.length <= PREVIEW_LIMIT_BYTES, { message: 'a preview has 16 MiB at most' })

/** From iteration `step` on a setting has another value: part of the run's document from now on. */
const adjusted = z.object({
  type: z.literal('adjusted'),
  step: z.number().int().nonnegative(),
  path: z.string(),
  value: z.number(),
})

/** What a run reports on its way, as the worker sends it. */
export const WorkerEvent = z.discriminatedUnion('type', [
  step,
  log,
  preview,
  adjusted,
  z.object({ type: z.literal('checkpoint'), step: z.number().int().nonnegative(), delivery: OutputDelivery }),
])
export type WorkerEvent = z.infer<typeof WorkerEvent>

/** The same as main's services get it: a checkpoint is an artifact of the project by then. */
export type RunEvent =
  | z.infer<typeof step>
  | z.infer<typeof log>
  | z.infer<typeof preview>
  | z.infer<typeof adjusted>
  | { type: 'checkpoint'; step: number; artifact: OutputRecord }
  | { type: 'started' | 'paused' | 'resumed' }

export const FromWorker = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    protocol: z.number().int(),
    program: z.string(),
    pid: z.number().int(),
    node: z.string(),
  }),
  z.object({ type: z.literal('ready'), engine: EngineIdentity.optional(), engines: z.array(EngineReport) }),
  z.object({ type: z.literal('failed-to-start'), error: ErrorReport, engines: z.array(EngineReport) }),
  z.object({
    type: z.literal('heartbeat'),
    residentBytes: z.number(),
    tensors: z.number(),
    /** The id of what is being computed. */
    busy: id.optional(),
  }),
  /** The run is computed for the first time; is suspended; goes on. */
  z.object({ type: z.literal('started'), id }),
  z.object({ type: z.literal('paused'), id }),
  z.object({ type: z.literal('resumed'), id }),
  z.object({ type: z.literal('event'), id, event: WorkerEvent }),
  z.object({ type: z.literal('result'), id, result: z.json(), outputs: z.array(OutputDelivery) }),
  z.object({ type: z.literal('failed'), id, error: ErrorReport }),
  /** Ended by `cancel`; outputs written so far are kept. */
  z.object({ type: z.literal('cancelled'), id, outputs: z.array(OutputDelivery) }),
  /** The last words of a worker that meets a defect: it ends right after. */
  z.object({ type: z.literal('fatal'), error: ErrorReport }),
])
export type FromWorker = z.infer<typeof FromWorker>

const datasetSplit = { dataset: z.string(), split: LibraryName }

const NamedPath = z.object({ name: z.string(), path: z.string() })

/** Methods of `call`, with parameters and answers. Arrays come as outputs. `long` ones tell of their progress by `step` events. */
export const WORKER_METHODS = {
  /** Geometry of a network of the library. */
  'network-page': { params: z.object({ network: z.string() }), result: z.array(LayerPage) },
  /** Parameters of one layer; one output array each, under the parameter's name. */
  'network-weights': {
    params: z.object({ network: z.string(), layer: z.string() }),
    result: z.array(z.object({ parameter: z.string(), shape: z.array(z.number().int().nonnegative()) })),
  },
  /** One for each parameter of every layer; reads all weights. */
  'weight-histograms': { params: z.object({ network: z.string() }), result: z.array(WeightHistogram), long: true },
  /** Published architectures that weights can be bound to. */
  architectures: { params: z.object({}), result: z.array(ArchitectureSummary) },
  /** Reads a network from the files that make it up; with the output `weights` (safetensors). */
  'network-import': {
    params: z.object({
      files: z.array(z.object({ name: z.string(), path: z.string() })).min(1),
      name: LibraryName,
      /** A known architecture or the layers themselves, for files that hold only weights. */
      architecture: z.union([LibraryName, NetworkSpec]).optional(),
    }),
    result: z.object({ spec: NetworkSpec, origin: NetworkOrigin, findings: z.array(Finding) }),
    long: true,
  },
  /** The model doctor: what is odd about a network, and which preprocessing fits it on labelled pictures or a reference. */
  'network-examine': {
    long: true,
    params: z.object({
      network: z.string(),
      /** Evenly spread over the split. */
      pictures: z.object({ ...datasetSplit, count: z.number().int().min(1).max(10_000).default(100) }).optional(),
      reference: z
        .object({
          /** `.npz` with one array for each layer, or `.npy` of `layer`. */
          artifact: Sha256,
          layer: z.string().optional(),
          picture: PictureReference.optional(),
        })
        .optional(),
    }),
    result: Examination,
  },
  /** The most probable classes of a picture. */
  'network-classify': {
    params: z.object({
      network: z.string(),
      picture: PictureReference,
      /** In place of the network's own. */
      preprocessing: Preprocessing.optional(),
    }),
    result: Classification,
  },
  /** How often a network is right on a split. */
  'network-accuracy': {
    long: true,
    params: z.object({
      network: z.string(),
      ...datasetSplit,
      /** Evenly spread over the split; all when left out. */
      count: z.number().int().positive().optional(),
    }),
    result: Accuracy,
  },
  /** With the output array `images`, `[count, height, width, channels]` of bytes. `total` counts what there is of the class. */
  'dataset-page': {
    params: z.object({
      ...datasetSplit,
      offset: z.number().int().nonnegative(),
      count: z.number().int().min(1).max(1000),
      classIndex: z.number().int().min(-1).optional(),
      side: ThumbnailSide.optional(),
    }),
    result: z.object({
      total: z.number().int(),
      indices: z.array(z.number().int()),
      labels: z.array(z.number().int()),
      /** `[height, width, channels]` of the pictures of this page. */
      shape: z.tuple([z.number().int(), z.number().int(), z.number().int()]),
    }),
  },
  /** Pictures of each class. */
  'dataset-counts': { params: z.object(datasetSplit), result: z.array(z.number().int().nonnegative()) },
  /** Reads a data set from outside; with the artifacts of its splits as outputs, which the splits name. */
  'dataset-import': {
    params: z.object({
      sources: z.array(NamedPath).min(1),
      /** References to the pictures of a folder instead of copies. */
      inPlace: z.boolean(),
      /** Files with labels of pictures, and with the names of classes. */
      labels: NamedPath.optional(),
      classes: NamedPath.optional(),
    }),
    result: DatasetRecord.pick({ format: true, shape: true, classes: true, location: true }).extend({
      splits: z.array(
        z.object({
          name: LibraryName,
          count: z.number().int().nonnegative(),
          images: z.string(),
          labels: z.string().optional(),
          packed: z.string().optional(),
        }),
      ),
      origin: DatasetOrigin,
      refused: z.array(RefusedFile),
    }),
    long: true,
  },
  /** Mean and standard deviation of the pixels, sizes, classes; reads every picture. */
  'dataset-statistics': { long: true, params: z.object(datasetSplit), result: SplitStatistics },
  /** Measured speed of the session's engine. */
  measure: {
    params: z.object({}),
    result: z.object({
      matmulGflops: z.number().positive(),
      convolutionGflops: z.number().positive(),
      stepMs: z.number().positive(),
      compiledStepMs: z.number().positive().optional(),
    }),
  },
  /** Every engine with the reason it was or was not taken. */
  engines: { params: z.object({}), result: z.array(EngineReport) },
} as const
export type WorkerMethod = keyof typeof WORKER_METHODS

/** A question that may take longer than a look: looks go between its steps, it tells of its progress, and it can be cancelled. */
export function isLongMethod(method: string): boolean {
  const known: Readonly<Record<string, { readonly params: z.ZodType; readonly long?: boolean }>> = WORKER_METHODS
  return Object.hasOwn(known, method) && known[method]?.long === true
}
export type WorkerMethodParams<M extends WorkerMethod> = z.input<(typeof WORKER_METHODS)[M]['params']>
export type WorkerMethodResult<M extends WorkerMethod> = z.infer<(typeof WORKER_METHODS)[M]['result']>
