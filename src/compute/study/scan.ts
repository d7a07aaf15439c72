/** One pass over a data set that keeps the pictures with the largest activations of every channel of several layers. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import type { CompiledStep, Engine } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import { layerNamed, sizeOf } from '../network/graph.ts'
import type { Tensor, Tensors } from '../network/layer.ts'
import type { Network } from '../network/network.ts'
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from '../network/safetensors.ts'
import { walkUp } from '../network/walk.ts'
import type { PictureSource } from './picture-source.ts'
import { TopTable } from './top-table.ts'

export interface ScanOptions {
  readonly layers: readonly string[]
  /** Pictures kept a channel. */
  readonly count: number
  readonly batchSize: number
  /** Milliseconds between checkpoints; 5000 when left out. */
  readonly checkpointMs?: number
}

/** By layer. */
export type TopTables = ReadonlyMap<string, TopTable>

const EVENT_INTERVAL_MS = 250
const CHECKPOINT_INTERVAL_MS = 5000
/** Values of one batch at the widest layer (256 MB). */
const WIDEST_BATCH_FLOATS = 64 * 1024 * 1024
const SOURCE = 'The checkpoint of the scan'

/**
 * Yields progress and checkpoints, and returns the tables. Memory does not depend on the number of pictures. Going on from a checkpoint gives
 * the same tables, bit for bit.
 * @throws ConvScopeError 'not-found' for a layer that is not there, 'damaged' for a checkpoint of another scan
 */
export async function* scan(
  network: Network,
  source: PictureSource,
  options: ScanOptions,
  context: Pick<ExperimentContext, 'engine' | 'signal'> & { readonly checkpoint?: Uint8Array | undefined },
): AsyncGenerator<ExperimentEvent, TopTables, void> {
  const { engine, signal } = context
  const batchSize = boundedBatch(network, options.batchSize)
  const saved = context.checkpoint && readCheckpoint(context.checkpoint)
  const tables = new Map(
    options.layers.map((name) => {
      const channels = layerNamed(network.graph, name).shape.at(-1) ?? 1
      return [name, new TopTable(channels, options.count, source.classes.length, saved?.layers.get(name))]
    }),
  )
  const step = maximaStep(engine, network, options.layers)
  const batches = new BatchAhead(source, batchSize, saved?.next ?? 0)
  const startedAt = performance.now()
  const first = saved?.next ?? 0
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
      const maxima = await ahead?.running
      ahead = undefined
      if (maxima === undefined) throw new RangeError('no batch was computed')
      if (start + batchSize < source.count) ahead = await launch()
      await record(maxima, tables, source, start, Math.min(batchSize, source.count - start))
      const done = Math.min(start + batchSize, source.count)
      const now = performance.now()
      if (now - lastCheckpointAt >= (options.checkpointMs ?? CHECKPOINT_INTERVAL_MS) && done < source.count) {
        lastCheckpointAt = now
        yield { type: 'checkpoint', step: done, bytes: writeCheckpoint(done, tables) }
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

function progress(done: number, total: number, imagesPerSecond: number): ExperimentEvent {
  const secondsLeft = (total - done) / imagesPerSecond
  return { type: 'step', done, total, unit: 'pictures', values: { imagesPerSecond }, secondsLeft }
}

/** Batches in order, the next one read ahead into the other of two buffers. */
class BatchAhead {
  readonly #source: PictureSource
  readonly #batchSize: number
  readonly #buffers: Float32Array[]
  #start: number
  #turn = 0
  #reading: Promise<Float32Array>

  constructor(source: PictureSource, batchSize: number, start: number) {
    this.#source = source
    this.#batchSize = batchSize
    this.#start = start
    this.#buffers = [0, 1].map(() => new Float32Array(batchSize * source.size))
    this.#reading = this.#read()
  }

  take(): Promise<Float32Array> {
    return this.#reading
  }

  prepare(): void {
    this.#start += this.#batchSize
    this.#turn = 1 - this.#turn
    this.#reading = this.#read()
    // Whoever takes it gets the error; until then it is nobody's.
    this.#reading.catch(() => undefined)
  }

  async settle(): Promise<void> {
    await this.#reading.catch(() => undefined)
  }

  async #read(): Promise<Float32Array> {
    const buffer = this.#buffers[this.#turn] ?? new Float32Array(0)
    const count = Math.max(0, Math.min(this.#batchSize, this.#source.count - this.#start))
    await this.#source.read(
      Array.from({ length: count }, (_, index) => this.#start + index),
      buffer,
    )
    return buffer
  }
}

/** `[batch, height, width, channels]` → by layer `[batch, channels]`, the largest value anywhere in the picture. */
function maximaStep(
  { tf, compile }: Engine,
  { graph, weights }: Network,
  layers: readonly string[],
): CompiledStep<{ input: Tensor }, Tensors> {
  const top = graph.layers.findLast(({ name }) => layers.includes(name))
  return compile<{ input: Tensor }, Tensors>(
    ({ input }) => {
      const { outputs } = walkUp(tf, graph, weights, input, {
        to: top?.name,
        keep: layers,
        mode: { training: false, saving: false },
      })
      return Object.fromEntries(
        layers.map((name) => {
          const output = outputs[name] ?? input
          return [name, output.shape.length === 4 ? tf.max(tf.max(output, 1), 1) : output]
        }),
      )
    },
    { name: 'largest activations' },
  )
}

async function record(
  maxima: Tensors,
  tables: TopTables,
  source: PictureSource,
  start: number,
  count: number,
): Promise<void> {
  try {
    for (const [name, table] of tables) {
      const values = await maxima[name]?.data()
      if (!(values instanceof Float32Array)) throw new RangeError(`no values of ${name}`)
      for (let index = 0; index < count; index++) {
        const own = values.subarray(index * table.channels, (index + 1) * table.channels)
        table.offer(start + index, own, source.label(start + index))
      }
    }
  } finally {
    disposeTensors(maxima)
  }
}

function boundedBatch(network: Network, wanted: number): number {
  const widest = Math.max(...network.layers.map(({ shape }) => sizeOf(shape)))
  return Math.max(1, Math.min(wanted, Math.floor(WIDEST_BATCH_FLOATS / widest)))
}

const Head = z.object({ next: z.number().int().nonnegative(), layers: z.array(z.string()) })

function writeCheckpoint(next: number, tables: TopTables): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify({ next, layers: [...tables.keys()] }))
  const tensors: Record<string, SafeTensor> = { head: { dtype: 'U8', shape: [head.length], data: head } }
  for (const [layer, table] of tables) {
    for (const [name, tensor] of Object.entries(table.tensors())) tensors[`${layer}:${name}`] = tensor
  }
  return encodeSafetensors(tensors)
}

function readCheckpoint(bytes: Uint8Array): { next: number; layers: Map<string, Map<string, SafeTensor>> } {
  const file = decodeSafetensors(bytes, SOURCE)
  try {
    const { next, layers } = Head.parse(JSON.parse(new TextDecoder().decode(file.get('head')?.data)))
    const own = (layer: string): [string, Map<string, SafeTensor>] => [
      layer,
      new Map(
        [...file]
          .filter(([name]) => name.startsWith(`${layer}:`))
          .map(([name, tensor]) => [name.slice(layer.length + 1), tensor]),
      ),
    ]
    return { next, layers: new Map(layers.map(own)) }
  } catch (cause) {
    throw new ConvScopeError('damaged', `${SOURCE} cannot be read`, { remedy: 'Start the scan again.', cause })
  }
}
