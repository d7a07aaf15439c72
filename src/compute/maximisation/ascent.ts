/** A batch of pictures that climbs together: one layer, a setting and a unit for each picture. */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { TRACE_QUANTITIES, type AscentSettings } from '../../shared/experiments/activation-maximisation.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import { NEVER, type AscentInputs, type AscentState } from './ascent-step.ts'
import type { AscentLayer, AscentUnit, UnitStep } from './ascent-layer.ts'
import { SettingTensors } from './setting-tensors.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** One picture: what it climbs, how, and from where. */
export interface AscentStart {
  readonly unit: AscentUnit
  /** Rates as they are, whatever `scale` says. */
  readonly settings: AscentSettings
  /** `[height, width, channels]` in grey levels minus the mean. */
  readonly picture: Float32Array
  /** Number of the start, by which its transforms are drawn; 0 when left out. */
  readonly start?: number
  /** Pictures of one group differ from one another where diversity is asked for; a group of its own when left out. */
  readonly group?: string
}

/** The state as numbers: what a checkpoint and a snapshot hold. */
export interface AscentValues {
  readonly step: number
  readonly pictures: Float32Array
  readonly best: Float32Array
  readonly bestObjective: Float32Array
  readonly majority: Float32Array
  readonly majorityStep: Float32Array
  readonly status: Float32Array
}

type StateValues = Omit<AscentValues, 'step'>
const PICTURE_STATES = ['pictures', 'best', 'majority'] as const
const NUMBER_STATES = ['bestObjective', 'majorityStep', 'status'] as const

export class Ascent {
  readonly #layer: AscentLayer
  readonly #units: readonly AscentUnit[]
  readonly #unitStep: UnitStep
  #settings: readonly AscentSettings[]
  #state: AscentState
  #step = 0
  /** Rows not read yet. */
  #traces: Tensor2D[] = []
  readonly #tensors: SettingTensors
  readonly #seed: number
  readonly #starts: readonly number[]
  readonly #groups: readonly string[]

  /** @param seed of the transforms */
  constructor(layer: AscentLayer, starts: readonly AscentStart[], seed = 0) {
    this.#layer = layer
    this.#seed = seed
    this.#starts = starts.map(({ start = 0 }) => start)
    this.#groups = starts.map(({ group }, index) => group ?? String(index))
    this.#tensors = new SettingTensors(layer.engine, layer.grey.shape)
    this.#units = starts.map(({ unit }) => unit)
    this.#settings = starts.map(({ settings }) => settings)
    this.#unitStep = layer.stepFor(this.#units)
    const size = sizeOf(layer.grey.shape)
    const pictures = new Float32Array(starts.length * size)
    for (const [index, { picture }] of starts.entries()) pictures.set(picture, index * size)
    this.#state = this.#upload({
      pictures,
      best: pictures,
      bestObjective: new Float32Array(starts.length).fill(-NEVER),
      majority: new Float32Array(pictures.length),
      majorityStep: new Float32Array(starts.length).fill(-1),
      status: new Float32Array(starts.length),
    })
  }

  /** Iterations done. */
  get step(): number {
    return this.#step
  }

  get settings(): readonly AscentSettings[] {
    return this.#settings
  }

  /** From the next iteration on. Nothing is compiled again. */
  change(settings: readonly AscentSettings[]): void {
    this.#settings = settings
  }

  async iterate(): Promise<void> {
    const step = this.#layer.engine.tf.scalar(this.#step)
    const own = [this.#settings, this.#step] as const
    const drawn = { seed: this.#seed, starts: this.#starts, step: this.#step }
    const transforms = this.#tensors.transforms(this.#settings, drawn)
    const inputs: AscentInputs = {
      state: this.#state,
      controls: this.#tensors.controls(...own),
      regularisers: this.#tensors.regularisers(...own),
      direction: this.#tensors.direction(this.#settings, this.#layer.channelOrder),
      redirected: this.#tensors.redirected(...own),
      diversity: this.#tensors.diversity(this.#settings, this.#groups),
      transforms,
      ...this.#unitStep.inputs,
      step,
    }
    try {
      const { state, trace } = await this.#unitStep.step.run(inputs)
      disposeTensors(this.#state)
      this.#state = state
      this.#traces.push(trace)
      this.#step++
    } finally {
      disposeTensors([step, transforms])
    }
  }

  /** Rows of the iterations since the last call, one after another, each `[batch, 9]` (`TRACE_QUANTITIES`). */
  async takeTraces(): Promise<Float32Array> {
    if (this.#traces.length === 0) return new Float32Array(0)
    const rows = this.#traces.splice(0)
    const all = this.#layer.engine.tf.concat(rows, 0)
    disposeTensors(rows)
    try {
      return Float32Array.from(await all.data<'float32'>())
    } finally {
      all.dispose()
    }
  }

  /** Pictures as they are now, `[batch, height, width, channels]` in grey levels minus the mean. */
  async pictures(): Promise<Float32Array> {
    return Float32Array.from(await this.#state.pictures.data<'float32'>())
  }

  async status(): Promise<Float32Array> {
    return Float32Array.from(await this.#state.status.data<'float32'>())
  }

  async read(): Promise<AscentValues> {
    const values = {} as { -readonly [K in keyof StateValues]: Float32Array }
    for (const name of [...PICTURE_STATES, ...NUMBER_STATES]) {
      values[name] = Float32Array.from(await this.#state[name].data<'float32'>())
    }
    return { step: this.#step, ...values }
  }

  /** Goes on from what `read` gave, bit for bit. */
  restore({ step, ...values }: AscentValues): void {
    disposeTensors(this.#state)
    this.#state = this.#upload(values)
    this.#step = step
  }

  /** Gradient norms at the present pictures; nothing moves. */
  async gradientNorms(): Promise<Float32Array> {
    const before = await this.read()
    await this.iterate()
    const rows = await this.takeTraces()
    this.restore(before)
    const width = TRACE_QUANTITIES.length
    return Float32Array.from(this.#units, (_, index) => rows[index * width + 1] ?? 0)
  }

  dispose(): void {
    disposeTensors(this.#state)
    disposeTensors(this.#traces)
    disposeTensors(this.#unitStep.inputs)
    this.#tensors.dispose()
  }

  #upload(values: StateValues): AscentState {
    const { tf } = this.#layer.engine
    const shape: [number, number] = [this.#units.length, sizeOf(this.#layer.grey.shape)]
    // Copies: a tensor may share its memory with the array that it was made of.
    const picture = (name: (typeof PICTURE_STATES)[number]): Tensor2D => tf.tensor2d(values[name].slice(), shape)
    const number = (name: (typeof NUMBER_STATES)[number]): Tensor1D => tf.tensor1d(values[name].slice())
    return {
      pictures: picture('pictures'),
      best: picture('best'),
      bestObjective: number('bestObjective'),
      majority: picture('majority'),
      majorityStep: number('majorityStep'),
      status: number('status'),
    }
  }
}
