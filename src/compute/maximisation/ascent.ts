/** A batch of pictures that climbs together: one layer, a setting and a unit for each picture. */
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs'
import { TRACE_QUANTITIES, type AscentSettings } from '../../shared/experiments/activation-maximisation.ts'
import type { Tfjs, TensorTree } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import { sizeOf } from '../network/graph.ts'
import {
  NEVER,
  percentileRank,
  type AscentControls,
  type AscentInputs,
  type AscentRegularisers,
  type AscentState,
} from './ascent-step.ts'
import type { AscentLayer, AscentUnit, UnitStep } from './ascent-layer.ts'
import { blurMatrix } from './gaussian-blur.ts'

/** One picture: what it climbs, how, and from where. */
export interface AscentStart {
  readonly unit: AscentUnit
  /** Rates as they are, whatever `scale` says. */
  readonly settings: AscentSettings
  /** `[height, width, channels]` in grey levels minus the mean. */
  readonly picture: Float32Array
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
  /** What depends on the settings alone, until they change. */
  readonly #made = new Map<string, { readonly key: string; readonly tensors: TensorTree }>()

  constructor(layer: AscentLayer, starts: readonly AscentStart[]) {
    this.#layer = layer
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
    const { tf } = this.#layer.engine
    const step = tf.scalar(this.#step)
    const inputs: AscentInputs = {
      state: this.#state,
      controls: this.#controlTensors(),
      regularisers: this.#regulariserTensors(),
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
      step.dispose()
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
    for (const { tensors } of this.#made.values()) disposeTensors(tensors)
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

  #controlTensors(): AscentControls {
    const active = this.#settings.map(({ iterations }) => (this.#step < iterations ? 1 : 0))
    const counted = this.#settings.map(({ iterations }) => (this.#step <= iterations ? 1 : 0))
    return this.#kept('controls', [this.#settings.map(({ policy }) => policy), active, counted], (tf) => ({
      desired: this.#column(({ policy }) =>
        policy.kind === 'constant' ? NEVER : policy.kind === 'progress' ? policy.desired : policy.early,
      ),
      late: this.#column(({ policy }) => (policy.kind === 'progress01' ? policy.late : 0)),
      progress01: this.#column(({ policy }) => (policy.kind === 'progress01' ? 1 : 0)),
      maxRate: this.#column(({ policy }) => (policy.kind === 'constant' ? policy.rate : policy.maxRate)),
      active: tf.tensor1d(active),
      counted: tf.tensor1d(counted),
    }))
  }

  #regulariserTensors(): AscentRegularisers {
    const [height, width] = this.#layer.grey.shape
    const sigmas = this.#settings.map(({ blurSigma, blurEvery }) =>
      blurEvery > 0 && this.#step % blurEvery === 0 ? blurSigma : 0,
    )
    const ranks = (percentiles: readonly number[]): Tensor1D =>
      this.#layer.engine.tf.tensor1d(percentiles.map((percentile) => percentileRank(percentile, height * width)))
    const inUse = <T extends TensorTree>(
      name: string,
      values: readonly number[],
      make: (values: readonly number[]) => T,
    ): T[] => (values.every((value) => value === 0) ? [] : [this.#kept(name, values, () => make(values))])
    return {
      decay: inUse(
        'decay',
        this.#settings.map(({ decay }) => decay),
        () => ({ part: this.#column(({ decay }) => decay), rest: this.#column(({ decay }) => 1 - decay) }),
      ),
      blur: inUse('blur', sigmas, () => ({
        rows: this.#blurMatrices(height, sigmas),
        columns: this.#blurMatrices(width, sigmas),
      })),
      norm: inUse(
        'norm',
        this.#settings.map(({ normPercentile }) => normPercentile),
        ranks,
      ),
      contribution: inUse(
        'contribution',
        this.#settings.map(({ contributionPercentile }) => contributionPercentile),
        ranks,
      ),
    }
  }

  #blurMatrices(size: number, sigmas: readonly number[]): Tensor3D {
    const values = new Float32Array(sigmas.length * size * size)
    for (const [index, sigma] of sigmas.entries()) values.set(blurMatrix(size, sigma), index * size * size)
    return this.#layer.engine.tf.tensor3d(values, [sigmas.length, size, size])
  }

  #column(of: (settings: AscentSettings) => number): Tensor1D {
    return this.#layer.engine.tf.tensor1d(this.#settings.map(of))
  }

  /** Tensors that depend on `key` alone: made anew where it changes. */
  #kept<T extends TensorTree>(name: string, key: unknown, make: (tf: Tfjs) => T): T {
    const text = JSON.stringify(key)
    const known = this.#made.get(name)
    if (known?.key === text) return known.tensors as T
    if (known) disposeTensors(known.tensors)
    const tensors = make(this.#layer.engine.tf)
    this.#made.set(name, { key: text, tensors })
    return tensors
  }
}
