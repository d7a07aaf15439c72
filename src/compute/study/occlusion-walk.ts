/** Occluded copies of a picture through a network, in batches of one compiled step. */
import type { CompiledStep, Engine } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { ExperimentEvent } from '../experiments/experiment.ts'
import type { NetworkInput } from '../experiments/network-input.ts'
import type { Tensor } from '../network/layer.ts'
import type { Network } from '../network/network.ts'
import { walkUp } from '../network/walk.ts'
import { logitLayer } from './class-scores.ts'
import { OcclusionBlocks } from './occlusion-blocks.ts'
import type { OcclusionGrid } from './occlusion-grid.ts'
import { readScores, scoresOf, type Scores, type ScoreTensors } from './occlusion-scores.ts'
import { occlusionParts, type OcclusionPart } from './occlusion-parts.ts'

/** What is needed of an engine. */
type StepEngine = Pick<Engine, 'tf' | 'compile'>

export interface OcclusionOptions {
  /** The layer whose activation is summed. */
  readonly layer: string
  /** One a channel. */
  readonly fill: readonly number[]
  readonly batchSize: number
}

/** What the network says of the clean picture; empty and null where it has no classes. */
export interface CleanRecord {
  /** `[channels]`: summed activation of each channel of the layer. */
  readonly sums: Float32Array
  readonly logits: Float32Array
  readonly probabilities: Float32Array
  readonly predicted: number | null
}

/** One value a position, row by row; the last three are empty where the network has no classes. */
export interface OcclusionRecords {
  readonly activation: Float32Array
  readonly logit: Float32Array
  readonly probability: Float32Array
  readonly label: Int32Array
}

/** `rows` `[batch, height, 1, 1]` and `columns` `[batch, 1, width, 1]` are 1 inside the square. */
type Inputs = { picture: Tensor; fill: Tensor; rows: Tensor; columns: Tensor }

export class OcclusionWalk {
  readonly #engine: StepEngine
  readonly #network: Network
  readonly #input: NetworkInput
  readonly #batchSize: number
  readonly #step: CompiledStep<Inputs, ScoreTensors>
  readonly #options: OcclusionOptions
  readonly #constant: { picture: Tensor; fill: Tensor }

  constructor(engine: StepEngine, network: Network, input: NetworkInput, options: OcclusionOptions) {
    const { tf } = engine
    const { layer, fill, batchSize } = options
    this.#engine = engine
    this.#network = network
    this.#input = input
    this.#batchSize = batchSize
    this.#options = options
    this.#constant = {
      picture: tf.tensor4d(input.values, [1, ...input.shape]),
      fill: tf.tensor4d([...fill], [1, 1, 1, fill.length]),
    }
    this.#step = engine.compile<Inputs, ScoreTensors>(occludedStep(engine, network, layer), {
      name: 'occlusion',
      captureAfter: 1,
    })
  }

  async clean(): Promise<CleanRecord> {
    const [height, width] = this.#input.shape
    const { sums, logits, probabilities } = await this.#evaluate(1, new Float32Array(height), new Float32Array(width))
    const predicted =
      logits.length > 0 ? logits.indexOf(logits.reduce((most, value) => Math.max(most, value), -Infinity)) : null
    return { sums, logits, probabilities, predicted }
  }

  /** Yields progress; the grid's positions row by row. */
  async *run(
    grid: OcclusionGrid,
    channel: number,
    classIndex: number | null,
    signal: AbortSignal,
  ): AsyncGenerator<ExperimentEvent, OcclusionRecords, void> {
    const total = grid.rows.length * grid.columns.length
    const scored = classIndex === null ? 0 : total
    const records = {
      activation: new Float32Array(total),
      logit: new Float32Array(scored),
      probability: new Float32Array(scored),
      label: new Int32Array(scored),
    }
    let done = 0
    for (const part of occlusionParts(this.#network.graph, grid, this.#options.layer)) {
      for await (const { positions, scores } of this.#batches(part, signal)) {
        record(records, positions, scores, channel, classIndex)
        done += positions.length
        yield { type: 'step', done, total, unit: 'positions', values: {} }
      }
    }
    return records
  }

  /** Batches of one size; of the last one the first positions count. */
  async *#batches(
    { grid, positions, stages }: OcclusionPart,
    signal: AbortSignal,
  ): AsyncGenerator<{ positions: readonly number[]; scores: Scores }, void, void> {
    const batches = Math.ceil(positions.length / this.#batchSize)
    const size = Math.ceil(positions.length / batches)
    const inBlocks =
      stages.length > 0
        ? new OcclusionBlocks(this.#engine, this.#network, this.#input, stages, this.#options, size)
        : undefined
    try {
      for (let start = 0; start < positions.length; start += size) {
        signal.throwIfAborted()
        const scores = inBlocks ? await inBlocks.evaluate(start) : await this.#evaluateWhole(grid, start, size)
        yield { positions: positions.slice(start, start + size), scores }
      }
    } finally {
      inBlocks?.dispose()
    }
  }

  dispose(): void {
    disposeTensors(this.#constant)
    this.#step.dispose()
  }

  async #evaluateWhole(grid: OcclusionGrid, start: number, size: number): Promise<Scores> {
    const { rows, columns } = this.#masks(grid, start, size)
    return this.#evaluate(size, rows, columns)
  }

  /** Squares of the positions from `start`; behind the last one there are none. */
  #masks({ rows, columns, window, size }: OcclusionGrid, start: number, count: number) {
    const [height, width] = size
    const masks = { rows: new Float32Array(count * height), columns: new Float32Array(count * width) }
    for (let index = 0; index < Math.min(count, rows.length * columns.length - start); index++) {
      const top = rows[Math.floor((start + index) / columns.length)] ?? 0
      const left = columns[(start + index) % columns.length] ?? 0
      masks.rows.fill(1, index * height + top, index * height + Math.min(top + window[0], height))
      masks.columns.fill(1, index * width + left, index * width + Math.min(left + window[1], width))
    }
    return masks
  }

  async #evaluate(count: number, rows: Float32Array, columns: Float32Array): Promise<Scores> {
    const { tf } = this.#engine
    const [height, width] = this.#input.shape
    const own = {
      rows: tf.tensor4d(rows, [count, height, 1, 1]),
      columns: tf.tensor4d(columns, [count, 1, width, 1]),
    }
    const running = this.#step.run({ ...this.#constant, ...own })
    disposeTensors(own)
    const outputs = await running
    return readScores(outputs, this.#network)
  }
}

/** Takes the first scores of a batch, one a position. */
function record(
  records: OcclusionRecords,
  positions: readonly number[],
  { batch, sums, logits, probabilities }: Scores,
  channel: number,
  classIndex: number | null,
): void {
  const channels = sums.length / batch
  const classes = logits.length / batch
  for (const [index, position] of positions.entries()) {
    records.activation[position] = sums[index * channels + channel] ?? NaN
    if (classIndex === null) continue
    records.logit[position] = logits[index * classes + classIndex] ?? NaN
    records.probability[position] = probabilities[index * classes + classIndex] ?? NaN
    const own = logits.subarray(index * classes, (index + 1) * classes)
    records.label[position] = own.indexOf(own.reduce((most, value) => Math.max(most, value), -Infinity))
  }
}

function occludedStep({ tf }: StepEngine, network: Network, layer: string): (inputs: Inputs) => ScoreTensors {
  const scores = logitLayer(network)
  return ({ picture, fill, rows, columns }) => {
    const hidden = tf.mul(rows, columns)
    const occluded = tf.add(tf.mul(picture, tf.sub(1, hidden)), tf.mul(fill, hidden))
    const { outputs } = walkUp(tf, network.graph, network.weights, occluded, {
      to: scores,
      keep: [layer],
      mode: { training: false, saving: false },
    })
    return scoresOf(tf, outputs[layer] ?? occluded, outputs[scores] ?? occluded)
  }
}
