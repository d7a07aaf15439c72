/** The questions that main asks a worker, with parameters and answers; they travel as `call` and `result`. */
import * as z from 'zod'
import { DatasetOrigin, DatasetRecord, RefusedFile, SplitStatistics, ThumbnailSide } from '../datasets.ts'
import { EngineReport } from '../engines.ts'
import { PictureReference } from '../experiments/document.ts'
import { DeconvnetResult } from '../experiments/deconvnet.ts'
import { EncodedFile, EncodedFrame, LiveView } from '../live.ts'
import { Accuracy, Classification, Examination } from '../network/examination.ts'
import { Finding } from '../network/finding.ts'
import { ArchitectureSummary, ExportFormat, LayerPage, NetworkOrigin, WeightHistogram } from '../network/page.ts'
import { NetworkSpec, Preprocessing } from '../network/spec.ts'
import { LibraryName, Sha256 } from '../values.ts'

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
  /** Writes a network as one file, the output `network`. */
  'network-export': {
    params: z.object({ network: z.string(), format: ExportFormat }),
    result: z.object({}),
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
  /** One frame of a live view; with the output arrays `projections`, `activations` and `input` of a deconvnet. */
  'live-frame': {
    params: z.object({ view: LiveView, frame: z.union([PictureReference, EncodedFrame, EncodedFile]) }),
    result: DeconvnetResult,
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
