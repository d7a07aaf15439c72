/** One pass over a data set that reduces the outputs of several layers to tables; their size does not depend on the number of pictures. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { CompiledStep, Engine } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import { layerNamed } from '../network/graph.ts'
import type { Tensor, TensorFlow, Tensors } from '../network/layer.ts'
import type { Network } from '../network/network.ts'
import type { SafeTensor } from '../network/safetensors.ts'
import { walkUp } from '../network/walk.ts'
import { BatchAhead } from './batch-ahead.ts'
import { readPassState, writePassState, type PassState, type SavedTensors } from './pass-state.ts'
import type { PictureSource } from './picture-source.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** What is found about one layer; its constructor takes back what `tensors` gives. */
export interface PassTable {
  tensors(): Record<string, SafeTensor>
}

export interface Pass<T extends PassTable> {
  readonly layers: readonly string[]
  readonly batchSize: number
  /** Milliseconds between checkpoints; 5000 when left out. */
  readonly checkpointMs?: number
  /** What messages call a checkpoint of it. */
  readonly checkpointName: string
  /** A step's name, for messages. */
  readonly stepName: string
  /** Inside the step: `[batch, height, width, channels]` or `[batch, units]` → what is read back, `[batch, …]`. */
  readonly reduce: (tf: TensorFlow, output: Tensor) => Tensor
  readonly table: (layer: string, saved: SavedTensors | undefined) => T
  /** Takes what was read of `count` pictures from picture `start` on; yields where others may have a turn. */
  readonly record: (table: T, values: Float32Array, start: number, count: number) => Iterable<void>
  /** Called after the last batch that is full, with the pictures so far: from there a longer pass could go on. */
  readonly onWholeBatches?: (next: number, tables: ReadonlyMap<string, T>) => void
}

export type PassContext = Pick<ExperimentContext, 'engine' | 'signal'> & {
  readonly checkpoint?: Uint8Array | undefined
}

const EVENT_INTERVAL_MS = 250
const CHECKPOINT_INTERVAL_MS = 5000
/** Values of one batch at the widest layer (256 MB). */
const WIDEST_BATCH_FLOATS = 64 * 1024 * 1024

/** Pictures that go through the network together. */
export function boundedBatch(network: Network, wanted: number): number {
  const widest = Math.max(...network.layers.map(({ shape }) => sizeOf(shape)))
  return Math.max(1, Math.min(wanted, Math.floor(WIDEST_BATCH_FLOATS / widest)))
}

/**
 * Yields progress and checkpoints, and returns the tables by layer. Going on from a checkpoint gives the same tables, bit for bit.
 * @throws ConvScopeError 'not-found' for a layer that is not there, 'damaged' for a checkpoint of another pass
 */
export async function* passOver<T extends PassTable>(
  network: Network,
  source: PictureSource,
  pass: Pass<T>,
  context: PassContext,
): AsyncGenerator<ExperimentEvent, ReadonlyMap<string, T>, void> {
  const { engine, signal } = context
  const batchSize = boundedBatch(network, pass.batchSize)
  const saved = context.checkpoint && readPassState(context.checkpoint, pass.checkpointName)
  const tables = tablesOf(network, pass, saved)
  const step = passStep(engine, network, pass)
  const first = saved?.next ?? 0
  const batches = new BatchAhead(source, batchSize, first)
  const startedAt = performance.now()
  let lastEventAt = startedAt
  let lastCheckpointAt = startedAt
  /** The next batch is computed while the last one is recorded and the one after it is read. */
  const launch = async (): Promise<{ running: Promise<Tensors> }> => {
    const input = engine.tf.tensor4d(await batches.take(), [batchSize, ...source.shape])
    const running = step.run({ input })
    input.dispose()
    batches.prepare()
    // Whoever takes it gets the error.
    running.catch(() => undefined)
    return { running }
  }
  let ahead: Awaited<ReturnType<typeof launch>> | undefined
  try {
    if (first < source.count) ahead = await launch()
    for (let start = first; start < source.count; start += batchSize) {
      signal.throwIfAborted()
      const outputs = await ahead?.running
      ahead = undefined
      if (outputs === undefined) throw new RangeError('no batch was computed')
      if (start + batchSize < source.count) ahead = await launch()
      yield* record(outputs, tables, pass, batchSize, start, Math.min(batchSize, source.count - start))
      const done = Math.min(start + batchSize, source.count)
      if (done === start + batchSize && source.count - done < batchSize) pass.onWholeBatches?.(done, tables)
      const now = performance.now()
      if (now - lastCheckpointAt >= (pass.checkpointMs ?? CHECKPOINT_INTERVAL_MS) && done < source.count) {
        lastCheckpointAt = now
        yield { type: 'checkpoint', step: done, bytes: writePassState(done, tables) }
      }
      if (now - lastEventAt > EVENT_INTERVAL_MS || done === source.count) {
        lastEventAt = now
        yield progress(done, source.count, (done - first) / ((now - startedAt) / 1000))
      } else {
        yield { type: 'turn' }
      }
    }
  } finally {
    disposeTensors((await ahead?.running.catch(() => undefined)) ?? [])
    step.dispose()
    await batches.settle()
  }
  return tables
}

/** @throws ConvScopeError 'damaged' where what is saved does not fit */
function tablesOf<T extends PassTable>(
  network: Network,
  { layers, table, checkpointName }: Pass<T>,
  saved: PassState | undefined,
): Map<string, T> {
  for (const name of layers) layerNamed(network.graph, name)
  try {
    return new Map(
      layers.map((name) => {
        const own = saved?.layers.get(name)
        if (saved && !own) throw new RangeError(`it has nothing of ${name}`)
        return [name, table(name, own)]
      }),
    )
  } catch (cause) {
    if (!saved || !(cause instanceof RangeError)) throw cause
    throw new ConvScopeError('damaged', `${checkpointName} is of something else: ${cause.message}`, {
      remedy: 'Start it again.',
      cause,
    })
  }
}

function progress(done: number, total: number, imagesPerSecond: number): ExperimentEvent {
  const secondsLeft = (total - done) / imagesPerSecond
  return { type: 'step', done, total, unit: 'pictures', values: { imagesPerSecond }, secondsLeft }
}

function passStep<T extends PassTable>(
  { tf, compile }: Engine,
  { graph, weights }: Network,
  { layers, reduce, stepName }: Pass<T>,
): CompiledStep<{ input: Tensor }, Tensors> {
  const top = graph.layers.findLast(({ name }) => layers.includes(name))
  return compile<{ input: Tensor }, Tensors>(
    ({ input }) => {
      const { outputs } = walkUp(tf, graph, weights, input, {
        to: top?.name,
        keep: layers,
        mode: { training: false, saving: false },
      })
      return Object.fromEntries(layers.map((name) => [name, reduce(tf, outputs[name] ?? input)]))
    },
    { name: stepName },
  )
}

/** Reads and disposes. */
async function* record<T extends PassTable>(
  outputs: Tensors,
  tables: ReadonlyMap<string, T>,
  pass: Pass<T>,
  batchSize: number,
  start: number,
  count: number,
): AsyncGenerator<ExperimentEvent, void, void> {
  try {
    for (const [name, table] of tables) {
      const values = await outputs[name]?.data()
      if (!(values instanceof Float32Array)) throw new RangeError(`no values of ${name}`)
      const own = values.subarray(0, (values.length / batchSize) * count)
      const recording = pass.record(table, own, start, count)[Symbol.iterator]()
      while (!recording.next().done) yield { type: 'turn' }
    }
  } finally {
    disposeTensors(outputs)
  }
}
