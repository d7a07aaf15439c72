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

export * from './worker-methods.ts'

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
