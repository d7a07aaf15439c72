/** A layer whose units are maximised. */
import { GRADIENT_RULES } from '../../shared/network/rules.ts'
import type { CompiledStep, Engine, StepStatistics } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { Network } from '../network/network.ts'
import { layersOverEdge, poolsWithCorrection } from '../network/windowed-batch.ts'
import { worthwhileWindows, type WindowPlan } from '../network/windowed-plan.ts'
import { ascentField, type AscentField } from './ascent-field.ts'
import { ascentStep, type AscentInputs, type AscentOutputs, type NetworkRange } from './ascent-step.ts'
import type { AscentSeed } from './ascent-walk.ts'
import type { GreyLevels } from './grey-levels.ts'
import type { ChannelOrder } from './setting-tensors.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface AscentUnit {
  readonly channel: number
  /** `[row, column]`; null in a layer without places. */
  readonly position: readonly [number, number] | null
}

/** Forms of a layer's step that are kept: by the regularisers in use, and by the size of the batch. */
const MOST_FORMS = 32

/** What an ascent on some units computes with; `inputs` are its own, to dispose. */
export interface UnitStep {
  readonly step: CompiledStep<AscentInputs, AscentOutputs>
  readonly inputs: { readonly seed: AscentSeed; readonly field: readonly AscentField[] }
}

export interface AscentLayerOptions {
  /** Compute only inside the units' receptive fields where that saves something; else the whole layer always. */
  readonly windows?: boolean
  /** Whose features differ where diversity is asked for; see `diversityLayer`. */
  readonly diversityLayer?: string | undefined
}

/** The compiled steps of a layer serve any number of ascents, one after another. */
export class AscentLayer {
  readonly engine: Engine
  readonly network: Network
  readonly layer: string
  readonly grey: GreyLevels
  readonly channelOrder: ChannelOrder
  /** Absent where the network is computed for whole pictures. */
  readonly plan: WindowPlan | undefined
  readonly #range: NetworkRange
  readonly diversityLayer: string | undefined
  /** By the edges that fields reach over: one where the network is computed for whole pictures. */
  readonly #steps = new Map<string, CompiledStep<AscentInputs, AscentOutputs>>()

  constructor(
    engine: Engine,
    network: Network,
    layer: string,
    grey: GreyLevels,
    { windows = true, diversityLayer }: AscentLayerOptions = {},
  ) {
    this.engine = engine
    this.network = network
    this.layer = layer
    this.grey = grey
    this.channelOrder = network.spec.preprocessing.channelOrder
    this.diversityLayer = diversityLayer
    this.plan = windows ? worthwhileWindows(network.graph, layer, GRADIENT_RULES.unpool) : undefined
    const { tf } = engine
    const row: [number, number] = [1, grey.mean.length]
    this.#range = {
      lowest: tf.tensor2d(
        grey.mean.map((mean) => -mean),
        row,
      ),
      highest: tf.tensor2d(
        grey.mean.map((mean) => 255 - mean),
        row,
      ),
      toNetwork: tf.tensor2d(
        grey.mean.map((_, place) => grey.toNetwork[place % grey.shape[2]] ?? 1),
        row,
      ),
    }
  }

  /** @param units one for each picture */
  stepFor(units: readonly AscentUnit[]): UnitStep {
    const { plan, engine } = this
    const placed = units.map(({ channel, position }, picture) => {
      const [row, column] = position ?? [0, 0]
      return { picture, channel, row, column }
    })
    const overEdge = plan ? layersOverEdge(plan, placed) : []
    const key = plan ? JSON.stringify([overEdge, poolsWithCorrection(plan, overEdge)]) : ''
    const known = this.#steps.get(key)
    const step = known ?? this.#compile()
    if (!known) this.#steps.set(key, step)
    return {
      step,
      inputs: { seed: this.#seedOf(units), field: plan ? [ascentField(engine.tf, plan, placed, overEdge)] : [] },
    }
  }

  /** Of every compiled step. */
  stats(): StepStatistics[] {
    return [...this.#steps.values()].map((step) => step.stats())
  }

  /** Standard deviation of all activations of the layer on pictures `[count, height, width, channels]` in grey levels minus the mean. */
  async deviationOn(pictures: Float32Array): Promise<number> {
    const { tf } = this.engine
    const count = pictures.length / sizeOf(this.grey.shape)
    const input = tf.tidy(() => {
      const rows = tf.tensor2d(pictures, [count, sizeOf(this.grey.shape)])
      return tf.reshape(tf.mul(rows, this.#range.toNetwork), [count, ...this.grey.shape])
    })
    const activations = this.network.forward(input, { to: this.layer, backward: false })
    const variance = tf.tidy(() => tf.moments(activations.get(this.layer)).variance)
    try {
      return Math.sqrt((await variance.data())[0] ?? 0)
    } finally {
      variance.dispose()
      activations.dispose()
      input.dispose()
    }
  }

  dispose(): void {
    for (const step of this.#steps.values()) step.dispose()
    this.#steps.clear()
    disposeTensors({ ...this.#range })
  }

  #compile(): CompiledStep<AscentInputs, AscentOutputs> {
    const { engine, layer, plan, diversityLayer } = this
    const { graph, weights } = this.network
    return engine.compile(ascentStep(engine.tf, { graph, weights, layer, plan, diversityLayer }, this.#range), {
      name: `ascent on ${layer}`,
      maxVariants: MOST_FORMS,
    })
  }

  #seedOf(units: readonly AscentUnit[]): AscentSeed {
    const { tf } = this.engine
    const shape = this.network.shapes[this.layer] ?? []
    const channels = shape.at(-1) ?? 1
    const chosen = new Float32Array(units.length * channels)
    for (const [index, { channel }] of units.entries()) chosen[index * channels + channel] = 1
    const channel = tf.tensor2d(chosen, [units.length, channels])
    if (shape.length !== 3 || this.plan) return { channel, place: [] }
    const [height = 1, width = 1] = shape
    const places = new Float32Array(units.length * height * width)
    for (const [index, { position }] of units.entries()) {
      const [row, column] = position ?? [0, 0]
      places[(index * height + row) * width + column] = 1
    }
    return { channel, place: [tf.tensor4d(places, [units.length, height, width, 1])] }
  }
}
