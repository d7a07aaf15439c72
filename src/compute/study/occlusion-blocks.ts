/** Occluded copies of a picture through a network, where only the blocks that the square changes are computed again. */
import type { CompiledStep, Engine } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { NetworkInput } from '../experiments/network-input.ts'
import type { Tensor, TensorFlow, Tensors } from '../network/layer.ts'
import type { Network } from '../network/network.ts'
import { walkUp } from '../network/walk.ts'
import { layersOverEdge, poolCorrections, windowMasks } from '../network/windowed-batch.ts'
import { windowOf } from '../network/windowed-plan.ts'
import { windowedUp, type PoolCorrections, type WindowMasks } from '../network/windowed-walk.ts'
import { logitLayer } from './class-scores.ts'
import { readScores, scoresOf, type Scores, type ScoreTensors } from './occlusion-scores.ts'
import { cellSources, stageWindows, type OcclusionStage } from './occlusion-stages.ts'

/** Capturing costs about as much as two batches more. */
const WORTH_CAPTURING = 12

export interface BlockOptions {
  readonly layer: string
  readonly fill: readonly number[]
}

/** `places` are int32 `[batch * cells]`, see `cellSources`. */
type StageInputs = { places: Tensor; masks: WindowMasks; corrections: PoolCorrections }
type Inputs = { clean: Tensors; square: Tensor; stages: StageInputs[]; whole: Tensor }

export class OcclusionBlocks {
  readonly #engine: Pick<Engine, 'tf' | 'compile'>
  readonly #network: Network
  readonly #stages: readonly OcclusionStage[]
  readonly #batch: number
  readonly #overEdge: readonly (readonly string[])[]
  readonly #step: CompiledStep<Inputs, ScoreTensors>
  readonly #constant: { clean: Record<string, Tensor>; square: Tensor }

  constructor(
    engine: Pick<Engine, 'tf' | 'compile'>,
    network: Network,
    { values, shape }: NetworkInput,
    stages: readonly OcclusionStage[],
    { layer, fill }: BlockOptions,
    batch: number,
  ) {
    const { tf } = engine
    const batchCount = Math.ceil((stages[0]?.above.rows.length ?? 0) / batch)
    this.#engine = engine
    this.#network = network
    this.#stages = stages
    this.#batch = batch
    this.#overEdge = stages.map((stage) => layersOverEdge(stage.plan, unitsOf(stage, 0, stage.above.rows.length)))
    const picture = tf.tensor4d(values, [1, ...shape])
    const keep = stages.map(({ top }) => top.name)
    const activations = network.forward(picture, { to: keep.at(-1) ?? '', keep, backward: false })
    const [rows, columns] = stages[0]?.below.size ?? [1, 1]
    this.#constant = {
      clean: {
        ...Object.fromEntries(keep.map((name) => [name, tf.clone(activations.get(name))])),
        [network.graph.input.name]: picture,
      },
      square: tf.tidy(() => tf.tile(tf.tensor2d([...fill], [1, fill.length]), [batch * rows * columns, 1])),
    }
    activations.dispose()
    this.#step = engine.compile<Inputs, ScoreTensors>(blockStep(tf, network, stages, layer, batch), {
      name: 'occlusion in blocks',
      captureAfter: batchCount < WORTH_CAPTURING ? Infinity : 1,
    })
  }

  /** The positions from `start` on; behind the last one it is repeated. */
  async evaluate(start: number): Promise<Scores> {
    const own = {
      stages: this.#stages.map((stage, index) => this.#stageInputs(stage, this.#overEdge[index] ?? [], start)),
      whole: this.#wholePlaces(start),
    }
    const running = this.#step.run({ ...this.#constant, ...own })
    disposeTensors(own)
    return readScores(await running, this.#network)
  }

  dispose(): void {
    disposeTensors(this.#constant)
    this.#step.dispose()
  }

  #stageInputs(stage: OcclusionStage, overEdge: readonly string[], start: number): StageInputs {
    const { tf } = this.#engine
    const { range } = windowOf(stage.plan, stage.bottom.name)
    const units = unitsOf(stage, start, this.#batch)
    const all = stageWindows(stage)
    const windows = units.map(({ position }) => all[position] ?? { top: 0, left: 0 })
    const below = pick(stage.below, units)
    const places = cellSources(stage.bottom, below, windows, [range.rows.size, range.columns.size])
    return {
      places: tf.tensor1d(places, 'int32'),
      masks: windowMasks(tf, stage.plan, overEdge, units),
      corrections: poolCorrections(tf, stage.plan, overEdge, units),
    }
  }

  /** The blocks of the last stage in the whole map. */
  #wholePlaces(start: number): Tensor {
    const { tf } = this.#engine
    const last = this.#stages.at(-1)
    if (last === undefined) throw new RangeError('no stage')
    const [height = 1, width = 1] = last.top.shape
    const units = unitsOf(last, start, this.#batch)
    const windows = units.map(() => ({ top: 0, left: 0 }))
    return tf.tensor1d(cellSources(last.top, pick(last.above, units), windows, [height, width]), 'int32')
  }
}

function unitsOf({ above }: OcclusionStage, start: number, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const position = Math.min(start + index, above.rows.length - 1)
    return { position, picture: 0, channel: 0, row: above.rows[position] ?? 0, column: above.columns[position] ?? 0 }
  })
}

function pick(
  blocks: OcclusionStage['above'],
  units: readonly { readonly position: number }[],
): OcclusionStage['above'] {
  return {
    rows: units.map(({ position }) => blocks.rows[position] ?? 0),
    columns: units.map(({ position }) => blocks.columns[position] ?? 0),
    size: blocks.size,
  }
}

function blockStep(
  tf: TensorFlow,
  network: Network,
  stages: readonly OcclusionStage[],
  layer: string,
  batch: number,
): (inputs: Inputs) => ScoreTensors {
  const scores = logitLayer(network)
  const { graph, weights } = network
  return ({ clean, square, stages: inputs, whole }) => {
    let blocks = square
    for (const [index, { bottom, plan }] of stages.entries()) {
      const given = inputs[index]
      const map = clean[bottom.name]
      if (given === undefined || map === undefined) throw new RangeError(`stage ${index} has no inputs`)
      const { range } = windowOf(plan, bottom.name)
      const cut = gathered(tf, map, blocks, given.places, [batch, range.rows.size, range.columns.size])
      const mask = given.masks[bottom.name]
      const { masks, corrections } = given
      const input = mask === undefined ? cut : tf.mul(cut, tf.mul(mask.rows, mask.columns))
      const { output } = windowedUp({ tf, plan, weights, masks, corrections }, input, { saving: false })
      blocks = tf.reshape(output, [-1, output.shape[3] ?? 1])
    }
    const last = stages.at(-1)
    const map = last && clean[last.top.name]
    if (last === undefined || map === undefined) throw new RangeError('no stage')
    const [height = 1, width = 1] = last.top.shape
    const start = gathered(tf, map, blocks, whole, [batch, height, width])
    const { outputs } = walkUp(tf, graph, weights, start, {
      from: last.top.name,
      to: scores,
      keep: [layer],
      mode: { training: false, saving: false },
    })
    return scoresOf(tf, outputs[layer] ?? start, outputs[scores] ?? start)
  }
}

/** Cells of the clean map and of the blocks, `[cells, channels]`, at the places asked for. */
function gathered(
  tf: TensorFlow,
  map: Tensor,
  blocks: Tensor,
  places: Tensor,
  [batch, rows, columns]: readonly [number, number, number],
): Tensor {
  const channels = map.shape[3] ?? 1
  const cells = tf.concat([tf.reshape(map, [-1, channels]), blocks], 0)
  return tf.reshape(tf.gather(cells, places.as1D()), [batch, rows, columns, channels])
}
