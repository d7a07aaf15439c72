/** What a step computes with because of the settings: made when they change, and kept until then. */
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs'
import type { AscentSettings } from '../../shared/experiments/ascent-settings.ts'
import type { Engine, TensorTree } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import { colourMatrix, squaredAmplitudes, type AscentDirection } from './ascent-direction.ts'
import { diversityPairs } from './ascent-diversity.ts'
import { NEVER, percentileRank, type AscentControls, type AscentRegularisers } from './ascent-step.ts'
import {
  drawTransform,
  isTransformed,
  transformTensors,
  UNCHANGED,
  type AscentTransforms,
} from './ascent-transforms.ts'
import { hartleyMatrix } from './frequencies.ts'
import { blurMatrix } from './gaussian-blur.ts'

export type ChannelOrder = 'rgb' | 'bgr' | 'grey'

export class SettingTensors {
  readonly #engine: Engine
  readonly #shape: readonly [number, number, number]
  readonly #made = new Map<string, { readonly key: string; readonly tensors: TensorTree }>()

  /** @param shape `[height, width, channels]` of the pictures */
  constructor(engine: Engine, shape: readonly [number, number, number]) {
    this.#engine = engine
    this.#shape = shape
  }

  controls(settings: readonly AscentSettings[], step: number): AscentControls {
    const active = settings.map(({ iterations }) => (step < iterations ? 1 : 0))
    const counted = settings.map(({ iterations }) => (step <= iterations ? 1 : 0))
    const policies = settings.map(({ policy }) => policy)
    return this.#kept('controls', [policies, active, counted], () => ({
      desired: this.#column(
        policies.map((policy) =>
          policy.kind === 'constant' ? NEVER : policy.kind === 'progress' ? policy.desired : policy.early,
        ),
      ),
      late: this.#column(policies.map((policy) => (policy.kind === 'progress01' ? policy.late : 0))),
      progress01: this.#column(policies.map((policy) => (policy.kind === 'progress01' ? 1 : 0))),
      maxRate: this.#column(policies.map((policy) => (policy.kind === 'constant' ? policy.rate : policy.maxRate))),
      active: this.#column(active),
      counted: this.#column(counted),
    }))
  }

  regularisers(settings: readonly AscentSettings[], step: number): AscentRegularisers {
    const [height, width] = this.#shape
    const ranks = (percentiles: readonly number[]): Tensor1D =>
      this.#column(percentiles.map((percentile) => percentileRank(percentile, height * width)))
    const decays = settings.map(({ decay }) => decay)
    const sigmas = settings.map(({ blurSigma, blurEvery }) => (blurEvery > 0 && step % blurEvery === 0 ? blurSigma : 0))
    return {
      decay: this.#inUse('decay', decays, () => ({
        part: this.#column(decays),
        rest: this.#column(decays.map((decay) => 1 - decay)),
      })),
      blur: this.#inUse('blur', sigmas, () => ({
        rows: this.#blurMatrices(height, sigmas),
        columns: this.#blurMatrices(width, sigmas),
      })),
      norm: this.#inUse(
        'norm',
        settings.map(({ normPercentile }) => normPercentile),
        ranks,
      ),
      contribution: this.#inUse(
        'contribution',
        settings.map(({ contributionPercentile }) => contributionPercentile),
        ranks,
      ),
    }
  }

  direction(settings: readonly AscentSettings[], order: ChannelOrder): AscentDirection {
    const { tf } = this.#engine
    const [height, width, channels] = this.#shape
    const powers = settings.map(({ fourierPower }) => fourierPower)
    const colours = settings.map(({ decorrelatedColour }) => (decorrelatedColour ? 1 : 0))
    return {
      fourier: this.#inUse('fourier', powers, () => ({
        rows: tf.tensor2d(hartleyMatrix(height), [height, height]),
        columns: tf.tensor2d(hartleyMatrix(width), [width, width]),
        powers: tf.tensor4d(squaredAmplitudes(height, width, powers), [powers.length, 1, width, height]),
      })),
      colour: this.#inUse('colour', colours, () =>
        tf.tensor3d(
          colours.flatMap((isOn) => colourMatrix(isOn > 0, channels, order)),
          [colours.length, channels, channels],
        ),
      ),
    }
  }

  /** Drawn anew for every iteration: the caller's to dispose. @param starts the number of each picture's start */
  transforms(
    settings: readonly AscentSettings[],
    { seed, starts, step }: { readonly seed: number; readonly starts: readonly number[]; readonly step: number },
  ): AscentTransforms[] {
    if (!settings.some(isTransformed)) return []
    const [height, width] = this.#shape
    // The last picture is looked at as it is.
    const drawn = settings.map((own, index) =>
      isTransformed(own) && step < own.iterations ? drawTransform(own, seed, starts[index] ?? 0, step) : UNCHANGED,
    )
    return [transformTensors(this.#engine.tf, height, width, drawn)]
  }

  /** 1 for pictures whose rectifiers redirect the gradient in this iteration. */
  redirected(settings: readonly AscentSettings[], step: number): Tensor1D[] {
    const wanted = settings.map(({ redirectedIterations }) => (step < redirectedIterations ? 1 : 0))
    return this.#inUse('redirected', wanted, () => this.#column(wanted))
  }

  /** @param groups of the pictures that differ from one another */
  diversity(settings: readonly AscentSettings[], groups: readonly string[]): Tensor2D[] {
    const weights = settings.map(({ diversityWeight }) => diversityWeight)
    return this.#inUse('diversity', weights, () =>
      this.#engine.tf.tensor2d(diversityPairs(groups, weights), [groups.length, groups.length]),
    )
  }

  dispose(): void {
    for (const { tensors } of this.#made.values()) disposeTensors(tensors)
    this.#made.clear()
  }

  #blurMatrices(size: number, sigmas: readonly number[]): Tensor3D {
    const values = new Float32Array(sigmas.length * size * size)
    for (const [index, sigma] of sigmas.entries()) values.set(blurMatrix(size, sigma), index * size * size)
    return this.#engine.tf.tensor3d(values, [sigmas.length, size, size])
  }

  #column(values: readonly number[]): Tensor1D {
    return this.#engine.tf.tensor1d([...values])
  }

  /** Nothing where every value is 0. */
  #inUse<T extends TensorTree>(name: string, values: readonly number[], make: (values: readonly number[]) => T): T[] {
    return values.every((value) => value === 0) ? [] : [this.#kept(name, values, () => make(values))]
  }

  #kept<T extends TensorTree>(name: string, key: unknown, make: () => T): T {
    const text = JSON.stringify(key)
    const known = this.#made.get(name)
    if (known?.key === text) return known.tensors as T
    if (known) disposeTensors(known.tensors)
    const tensors = make()
    this.#made.set(name, { key: text, tensors })
    return tensors
  }
}
