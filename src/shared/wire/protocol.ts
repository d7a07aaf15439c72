/**
 * Messages between main and a compute worker, MessagePack in length-prefixed frames on stdin and stdout.
 * The worker says `hello` first; main answers `start`; the worker answers `ready` or `failed-to-start`.
 */
import * as z from 'zod'
import { DatasetRecord } from '../datasets.ts'
import { EngineIdentity, EngineReport, EngineWish } from '../engines.ts'
import { ErrorReport } from '../errors.ts'
import { NetworkRecord } from '../network/page.ts'
import { OutputRecord } from '../runs.ts'
import { Bytes, Sha256 } from '../values.ts'

/** Rises with every change that an older peer cannot read. */
export const PROTOCOL_VERSION = 1

/** Library entries that a command needs, with their artifacts' hashes. */
export const Library = z.object({ networks: z.record(z.string(), NetworkRecord), datasets: z.record(z.string(), DatasetRecord) })
export type Library = z.infer<typeof Library>

const id = z.string().min(1).max(100)

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
  }),
  z.object({
    type: z.literal('run'),
    id,
    document: z.json(),
    library: Library,
    checkpoint: Bytes.optional(),
    pictures: z.boolean(),
  }),
  /** Short questions; see `WORKER_METHODS`. */
  z.object({ type: z.literal('call'), id, method: z.string(), params: z.json(), library: Library }),
  z.object({ type: z.enum(['cancel', 'pause', 'resume']), id }),
  z.object({ type: z.literal('stop') }),
])
export type ToWorker = z.infer<typeof ToWorker>

/** An output's bytes: in the frame up to 1 MB, otherwise a file in the scratch folder. */
export const OutputDelivery = z.object({ record: OutputRecord, bytes: Bytes.optional(), file: z.string().optional() })
export type OutputDelivery = z.infer<typeof OutputDelivery>

export const FromWorker = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), protocol: z.number().int(), program: z.string(), pid: z.number().int(), node: z.string() }),
  z.object({ type: z.literal('ready'), engine: EngineIdentity.optional(), engines: z.array(EngineReport) }),
  z.object({ type: z.literal('failed-to-start'), error: ErrorReport, engines: z.array(EngineReport) }),
  z.object({
    type: z.literal('heartbeat'),
    residentBytes: z.number(),
    tensors: z.number(),
    /** The id of what is being computed. */
    busy: id.optional(),
  }),
  /** An `ExperimentEvent` of the run `id`, parsed where it becomes a job event. */
  z.object({ type: z.literal('event'), id, event: z.unknown() }),
  z.object({ type: z.literal('result'), id, result: z.json(), outputs: z.array(OutputDelivery) }),
  z.object({ type: z.literal('failed'), id, error: ErrorReport }),
  /** Ended by `cancel`; outputs written so far are kept. */
  z.object({ type: z.literal('cancelled'), id, outputs: z.array(OutputDelivery) }),
])
export type FromWorker = z.infer<typeof FromWorker>

/** Methods of `call`, with parameters and answers. Small pictures and arrays come as outputs. */
export const WORKER_METHODS = {
  /** Geometry of a network: `{ network }` → `LayerPage[]`. */
  'network-page': 'layers and receptive fields of a network',
  /** `{ dataset, split, offset, count }` → `{ labels }` with the output array `images` `[count, h, w, c]` uint8. */
  'dataset-page': 'pictures and labels of a data set',
  /** `{}` → `{ matmulGflops, convolutionGflops }`. */
  measure: 'speed of the engine',
  /** `{}` → `{ reports: EngineReport[] }`. */
  engines: 'every engine with the reason it was or was not taken',
} as const
export type WorkerMethod = keyof typeof WORKER_METHODS
