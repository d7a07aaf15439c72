/** Projections computed only inside each unit's receptive field, many units a batch, as compiled steps. */
import type { BackwardRules } from '../../shared/network/rules.ts'
import type { CompiledStep, Engine } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import { recent } from './compiled-walks.ts'
import type { Tensor, Tensors } from './layer.ts'
import type { Activations, Network } from './network.ts'
import {
  cellPlaces,
  cutWindows,
  layersOverEdge,
  poolCorrections,
  poolsWithCorrection,
  windowMasks,
  type PlacedUnit,
} from './windowed-batch.ts'
import { startOf, windowOf, type WindowPlan, type WindowRange } from './windowed-plan.ts'
import {
  gatherSaved,
  needsSaved,
  windowedDown,
  windowedUp,
  type PoolCorrections,
  type WindowMasks,
} from './windowed-walk.ts'

export interface WindowedOptions {
  readonly plan: WindowPlan
  /** The layer in which the projection is expressed. */
  readonly to: string
  readonly rules: BackwardRules
}

export interface WindowedResult {
  /** `[units, rows, columns, channels]`: the window of every unit in the layer `to`; 0 outside that layer. */
  readonly windows: Float32Array
  readonly range: WindowRange
}

/** A unit with what starts its walk down. */
export interface SignalUnit extends PlacedUnit {
  readonly signal: number
}

type Common = { masks: WindowMasks; corrections: PoolCorrections }
type GatherInputs = Common & { saved: { [layer: string]: Tensors }; places: Tensors; signal: Tensor }
type PictureInputs = Common & { input: Tensor; channel: Tensor }
type PictureOutputs = { windows: Tensor; values: Tensor }

/** Values of all windows of one batch together at the widest layer (64 MB). */
const WIDEST_BATCH_FLOATS = 16 * 1024 * 1024
const LARGEST_BATCH = 128

export class WindowedProjections {
  readonly #engine: Engine
  readonly #network: Network
  readonly #gathering = new Map<string, CompiledStep<GatherInputs, Tensor>>()
  readonly #fromPicture = new Map<string, CompiledStep<PictureInputs, PictureOutputs>>()

  /** The network stays the caller's and must live longer. */
  constructor(engine: Engine, network: Network) {
    this.#engine = engine
    this.#network = network
  }

  /**
   * Down from units whose pictures have gone up already: what that walk saved is cut to the windows.
   * @param activations of a walk up over the pictures with what a walk down needs
   */
  async fromActivations(
    activations: Activations,
    units: readonly SignalUnit[],
    options: WindowedOptions,
  ): Promise<WindowedResult> {
    const { tf } = this.#engine
    const { plan, rules } = options
    const { layer, range } = windowOf(plan, plan.from)
    const needed = plan.layers.filter((window) => needsSaved(window.layer.spec, rules))
    const saved = Object.fromEntries(
      needed.map((window) => [window.layer.name, activations.saved[window.layer.name] ?? {}]),
    )
    return this.#inBatches(units, options, async (batch, common, key) => {
      const step = this.#gatherStep(key, options, batch.length)
      const channels = layer.shape[2] ?? 1
      const signal = new Float32Array(batch.length * range.rows.size * range.columns.size * channels)
      const middle = centre(range)
      for (const [index, unit] of batch.entries()) {
        signal[(index * range.rows.size * range.columns.size + middle) * channels + unit.channel] = unit.signal
      }
      const own = {
        ...common,
        places: Object.fromEntries(
          needed.map((window) => [window.layer.name, tf.tensor1d(cellPlaces(window, batch), 'int32')]),
        ),
        signal: tf.tensor4d(signal, [batch.length, range.rows.size, range.columns.size, channels]),
      }
      const running = step.run({ ...own, saved })
      disposeTensors(own)
      return running
    })
  }

  /**
   * Up from windows of pictures and down again. Pictures of which only few units are wanted need no whole walk up then.
   * @param pictures `[height, width, channels]` of the input layer, in network space
   * @param seed 'single': the unit's own activation goes down; 'one-hot': 1
   * @returns also the units' activations
   */
  async fromPictures(
    pictures: readonly Float32Array[],
    units: readonly PlacedUnit[],
    options: WindowedOptions & { readonly seed: 'single' | 'one-hot' },
  ): Promise<WindowedResult & { readonly values: Float32Array }> {
    const { tf } = this.#engine
    const { plan, seed } = options
    const { graph } = this.#network
    const input = windowOf(plan, graph.input.name)
    const [height = 1, width = 1, channels = 1] = graph.input.shape
    const values = new Float32Array(units.length)
    const topChannels = windowOf(plan, plan.from).layer.shape[2] ?? 1
    let done = 0
    const result = await this.#inBatches(units, options, async (batch, common, key, count) => {
      const step = this.#pictureStep(`${key} ${seed}`, options, batch.length)
      const { rows, columns } = input.range
      const windows = cutWindows(pictures, [height, width, channels], input.range, batch)
      const chosen = new Float32Array(batch.length * topChannels)
      for (const [index, { channel }] of batch.entries()) chosen[index * topChannels + channel] = 1
      const own = {
        ...common,
        input: tf.tensor4d(windows, [batch.length, rows.size, columns.size, channels]),
        channel: tf.tensor4d(chosen, [batch.length, 1, 1, topChannels]),
      }
      const running = step.run(own)
      disposeTensors(own)
      const outputs = await running
      values.set((await outputs.values.data()).subarray(0, count), done)
      done += count
      outputs.values.dispose()
      return outputs.windows
    })
    return { ...result, values }
  }

  dispose(): void {
    for (const step of [...this.#gathering.values(), ...this.#fromPicture.values()]) step.dispose()
    this.#gathering.clear()
    this.#fromPicture.clear()
  }

  async #inBatches<U extends PlacedUnit>(
    units: readonly U[],
    { plan, to, rules }: WindowedOptions,
    compute: (batch: readonly U[], common: Common, key: string, count: number) => Promise<Tensor>,
  ): Promise<WindowedResult> {
    const { tf } = this.#engine
    const { layer, range } = windowOf(plan, to)
    const size = range.rows.size * range.columns.size * (layer.shape[2] ?? 1)
    const windows = new Float32Array(units.length * size)
    const largest = Math.max(1, Math.min(LARGEST_BATCH, Math.floor(WIDEST_BATCH_FLOATS / widest(plan))))
    for (let start = 0; start < units.length; start += largest) {
      const count = Math.min(largest, units.length - start)
      const batch = filledUp(units.slice(start, start + count), Math.min(largest, 2 ** Math.ceil(Math.log2(count))))
      const overEdge = layersOverEdge(plan, batch)
      const common = {
        masks: windowMasks(tf, plan, overEdge, batch),
        corrections: poolCorrections(tf, plan, overEdge, batch),
      }
      const key = JSON.stringify([plan.from, to, rules, overEdge, poolsWithCorrection(plan, overEdge)])
      const result = await compute(batch, common, key, count)
      windows.set((await result.data()).subarray(0, count * size), start * size)
      result.dispose()
    }
    return { windows, range }
  }

  #gatherStep(key: string, { plan, to, rules }: WindowedOptions, units: number): CompiledStep<GatherInputs, Tensor> {
    const { tf } = this.#engine
    const { weights } = this.#network
    return recent(this.#gathering, `${key} ${units}`, () =>
      this.#engine.compile<GatherInputs, Tensor>(
        ({ saved, places, signal, masks, corrections }) => {
          const context = { tf, plan, weights, masks, corrections }
          return windowedDown(context, gatherSaved(context, saved, places, units), signal, { to, rules })
        },
        { name: `walk down from ${plan.from} inside windows`, captureAfter: 1 },
      ),
    )
  }

  #pictureStep(
    key: string,
    { plan, to, rules, seed }: WindowedOptions & { readonly seed: 'single' | 'one-hot' },
    units: number,
  ): CompiledStep<PictureInputs, PictureOutputs> {
    const { tf } = this.#engine
    const { weights } = this.#network
    const { range } = windowOf(plan, plan.from)
    const { rows, columns } = range
    const place = centre(range)
    const spot = new Float32Array(rows.size * columns.size)
    spot[place] = 1
    return recent(this.#fromPicture, `${key} ${units}`, () =>
      this.#engine.compile<PictureInputs, PictureOutputs>(
        ({ input, channel, masks, corrections }) => {
          const context = { tf, plan, weights, masks, corrections }
          const { output, saved } = windowedUp(context, input)
          const unit = tf.mul(tf.tensor4d(spot, [1, rows.size, columns.size, 1]), channel)
          const own = tf.mul(output, unit)
          const signal = seed === 'single' ? own : unit
          return { windows: windowedDown(context, saved, signal, { to, rules }), values: tf.sum(own, [1, 2, 3]) }
        },
        { name: `walk up to ${plan.from} and down inside windows`, captureAfter: 1 },
      ),
    )
  }
}

function widest(plan: WindowPlan): number {
  return Math.max(
    ...plan.layers.map(({ layer, range }) => range.rows.size * range.columns.size * (layer.shape[2] ?? 1)),
  )
}

/** The unit's own place in its (widened) window. */
function centre(range: WindowRange): number {
  const [top, left] = startOf(range, 0, 0)
  return -top * range.columns.size - left
}

/** Repeats the last unit, so that only few sizes of batches are captured. */
function filledUp<U>(units: readonly U[], size: number): U[] {
  const last = units.at(-1)
  return last === undefined ? [] : [...units, ...new Array<U>(size - units.length).fill(last)]
}

const projectionsOf = new WeakMap<Network, WindowedProjections>()

/** The windowed projections of a network, made when they are first asked for; they are disposed with the network. */
export function windowedProjections(engine: Engine, network: Network): WindowedProjections {
  const known = projectionsOf.get(network)
  if (known !== undefined) return known
  const made = new WindowedProjections(engine, network)
  projectionsOf.set(network, made)
  network.onDispose(() => made.dispose())
  return made
}
