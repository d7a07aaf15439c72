/**
 * One iteration of regularised activation maximisation for a batch of pictures (Yosinski et al. 2015, section 3; order of operations of
 * optimize/gradient_optimizer.py of the Deep Visualization Toolbox): clip, ascend, decay, blur, small norm, small contribution. Pictures are
 * rows of numbers: what is one number a picture or one a place of all pictures is spread along rows and columns, which costs least.
 */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import type { Step, Tfjs } from '../engines/engine.ts'
import { directed, type AscentDirection } from './ascent-direction.ts'
import { diversityGradient } from './ascent-diversity.ts'
import type { AscentField } from './ascent-field.ts'
import { transformed, transformedBack, type AscentTransforms } from './ascent-transforms.ts'
import { ascendInside, ascendWhole, type AscentSeed, type AscentTarget } from './ascent-walk.ts'
import { blurred, keptFrom, type BlurMatrices } from './picture-regularisers.ts'

/** Larger than any activation, smaller than infinity: 0 times it stays 0. */
export const NEVER = 3e38

/** The state of an item, in `AscentState.status`. */
export const STATUS = { running: 0, zeroGradient: 1, diverged: 2 } as const

/**
 * Everything that changes from iteration to iteration; one entry a picture on the first axis. Pictures are `[batch, height * width * channels]` in
 * grey levels minus the mean.
 */
export type AscentState = {
  readonly pictures: Tensor2D
  /** The clipped picture with the largest activation so far, and that activation. */
  readonly best: Tensor2D
  readonly bestObjective: Tensor1D
  /**
   * The clipped picture with which the unit first was the largest of its layer, in a layer with places the largest of all channels at its own
   * place; and the iteration, −1 before.
   */
  readonly majority: Tensor2D
  readonly majorityStep: Tensor1D
  readonly status: Tensor1D
}

/** Settings of one iteration, one value a picture. */
export type AscentControls = {
  /** Desired progress; `NEVER` for a constant rate. For `progress01` the early one. */
  readonly desired: Tensor1D
  readonly late: Tensor1D
  /** 1 where the policy is `progress01`, else 0. */
  readonly progress01: Tensor1D
  readonly maxRate: Tensor1D
  /** 1 while the item has iterations left, else 0. */
  readonly active: Tensor1D
  /** 1 while its picture may still become the best one: once more than `active`, so that the last picture is looked at too. */
  readonly counted: Tensor1D
}

/** The regularisers that are in use for some picture; each member is empty where none uses it. */
export type AscentRegularisers = {
  /** The decay θ of each picture and 1 − θ. */
  readonly decay: readonly { readonly part: Tensor1D; readonly rest: Tensor1D }[]
  /** In iterations that blur. */
  readonly blur: readonly BlurMatrices[]
  /** Of each picture the rank of the smallest norm that stays; see `percentileRank`. */
  readonly norm: readonly Tensor1D[]
  readonly contribution: readonly Tensor1D[]
}

export type AscentInputs = {
  readonly state: AscentState
  readonly controls: AscentControls
  readonly regularisers: AscentRegularisers
  readonly direction: AscentDirection
  /** Transforms of the picture before the network looks at it; or nothing. */
  readonly transforms: readonly AscentTransforms[]
  /** 1 for pictures whose rectifiers redirect gradients, else 0; or nothing. */
  readonly redirected: readonly Tensor1D[]
  /** Weights of pairs of pictures, `[batch, batch]`; see `diversityGradient`; or nothing. */
  readonly diversity: readonly Tensor2D[]
  readonly seed: AscentSeed
  /** One for a step that computes inside the units' receptive fields, else nothing. */
  readonly field: readonly AscentField[]
  /** The number of the iteration. */
  readonly step: Tensor
}

export type AscentOutputs = {
  readonly state: AscentState
  /** `[batch, 9]`: see `TRACE_QUANTITIES`. */
  readonly trace: Tensor2D
}

/** `[1, height * width * channels]`: the picture's limits in grey levels minus the mean, and network values of one grey level. */
export interface NetworkRange {
  readonly lowest: Tensor2D
  readonly highest: Tensor2D
  readonly toNetwork: Tensor2D
}

/** One form is captured for each set of regularisers in use. A change of a setting is a change of values. */
export function ascentStep(
  tf: Tfjs,
  target: AscentTarget,
  { lowest, highest, toNetwork }: NetworkRange,
): Step<AscentInputs, AscentOutputs> {
  const [height = 1, width = 1, channels = 1] = target.graph.input.shape
  return ({ state, controls, regularisers, direction, seed, step, ...rest }) => {
    const batch = state.pictures.shape[0]
    const shape: [number, number, number, number] = [batch, height, width, channels]
    const clipped: Tensor2D = tf.minimum(tf.maximum(state.pictures, lowest), highest)
    const { objective, largest, gradient } = looked(tf, target, tf.mul(clipped, toNetwork), shape, { seed, ...rest })
    const slope: Tensor2D = tf.mul(gradient, toNetwork)
    const squared = sums(tf, tf.square(slope))
    const way = directed(tf, slope, shape, direction)
    // What a step of rate 1 raises what climbs by.
    const gain = way === slope ? squared : sums(tf, tf.mul(slope, way))

    const late = tf.minimum(controls.desired, tf.mul(controls.late, tf.sub(1, objective)))
    const desired = tf.where(tf.greater(controls.progress01, 0), late, controls.desired)
    const hasSlope = tf.greater(gain, 0)
    const rate = tf.where(
      hasSlope,
      tf.minimum(controls.maxRate, tf.div(desired, tf.where(hasSlope, gain, tf.onesLike(gain)))),
      tf.zerosLike(squared),
    ) as Tensor1D

    const ascended: Tensor2D = tf.add(clipped, tf.mul(way, each(rate)))
    const [decay] = regularisers.decay
    const decayed: Tensor2D = decay === undefined ? ascended : tf.mul(ascended, each(decay.rest))
    const [blur] = regularisers.blur
    const smooth = blur === undefined ? decayed : blurred(tf, decayed, shape, blur)
    const [normRank] = regularisers.norm
    const large = normRank === undefined ? smooth : keptFrom(tf, { pictures: smooth, rank: normRank }, shape)
    const [contributionRank] = regularisers.contribution
    const next =
      contributionRank === undefined
        ? large
        : keptFrom(tf, { pictures: large, factors: slope, rank: contributionRank }, shape)

    const sound = tf.cast(tf.equal(state.status, STATUS.running), 'float32')
    const running = tf.mul(controls.active, sound)
    // 0 times NaN or infinity is NaN, which equals nothing.
    const finite = tf.equal(tf.mul(tf.add(sums(tf, next), objective), 0), 0)
    const status = statusAfter(tf, state.status, running, finite, hasSlope)
    const moves = tf.mul(running, tf.cast(tf.logicalAnd(finite, hasSlope), 'float32'))
    const counts = tf.greater(tf.mul(controls.counted, sound), 0)
    const better = tf.logicalAnd(counts, tf.greater(objective, state.bestObjective))
    const isLargest = tf.greaterEqual(objective, largest)
    const first = tf.logicalAnd(tf.logicalAnd(counts, isLargest), tf.less(state.majorityStep, 0))
    const norm = (values: Tensor2D): Tensor1D => tf.sqrt(sums(tf, tf.square(values)))
    const effect = (before: Tensor2D, after: Tensor2D): Tensor1D =>
      before === after ? tf.zerosLike(objective) : norm(tf.sub(after, before))

    return {
      state: {
        pictures: tf.where(each(tf.greater(moves, 0)), next, clipped) as Tensor2D,
        best: chosen(tf, better, clipped, state.best),
        bestObjective: tf.where(better, objective, state.bestObjective) as Tensor1D,
        majority: chosen(tf, first, clipped, state.majority),
        majorityStep: tf.where(first, tf.mul(tf.onesLike(objective), step), state.majorityStep) as Tensor1D,
        status,
      },
      trace: tf.stack(
        [
          objective,
          tf.sqrt(squared),
          rate,
          norm(clipped),
          decay === undefined ? tf.zerosLike(objective) : tf.mul(norm(ascended), decay.part),
          effect(decayed, smooth),
          effect(smooth, large),
          effect(large, next),
          tf.cast(isLargest, 'float32'),
        ],
        1,
      ) as Tensor2D,
    }
  }
}

/** Activations, and the gradient by the pictures' network values, `[batch, height * width * channels]`. */
function looked(
  tf: Tfjs,
  target: AscentTarget,
  values: Tensor2D,
  shape: readonly [number, number, number, number],
  {
    seed,
    field: [field],
    transforms: [transforms],
    redirected: [redirected],
    diversity: [pairs],
  }: Pick<AscentInputs, 'seed' | 'field' | 'transforms' | 'redirected' | 'diversity'>,
): { objective: Tensor1D; largest: Tensor1D; gradient: Tensor2D } {
  const [batch, height, width, channels] = shape
  const pixels: [number, number] = [batch * height * width, channels]
  const seen = transforms === undefined ? values : transformed(tf, tf.reshape(values, pixels), transforms)
  const input = tf.reshape(seen, [...shape])
  const found = field
    ? ascendInside(tf, target, input, seed, field, redirected)
    : ascendWhole(tf, target, input, seed, redirected)
  const { diversityLayer: layer } = target
  const bySeen =
    pairs === undefined || layer === undefined
      ? found.gradient
      : tf.add(found.gradient, diversityGradient(tf, { ...target, layer }, input, pairs))
  const gradient = transforms === undefined ? bySeen : transformedBack(tf, tf.reshape(bySeen, pixels), transforms)
  return { ...found, gradient: tf.reshape(gradient, values.shape) }
}

/**
 * The rank, in ascending order, of the smallest of `count` values that does not lie strictly below a percentile: numpy's `percentile` lies at
 * (count − 1) · q / 100 between two of the sorted values, so that its own threshold and the upper one of them separate the same values.
 */
export function percentileRank(percentile: number, count: number): number {
  const place = ((count - 1) * percentile) / 100
  // A place that is a whole number but for rounding is that number.
  return Math.max(0, Math.ceil(place - 1e-7))
}

/** Rows of `a` where `wanted`, else of `b`; all numbers are finite. */
function chosen(tf: Tfjs, wanted: Tensor, a: Tensor2D, b: Tensor2D): Tensor2D {
  const part = each(tf.cast(wanted, 'float32'))
  return tf.add(tf.mul(a, part), tf.mul(b, tf.sub(1, part)))
}

function statusAfter(tf: Tfjs, status: Tensor1D, running: Tensor, finite: Tensor, hasSlope: Tensor): Tensor1D {
  const stopped = tf.where(
    finite,
    tf.where(hasSlope, tf.fill(status.shape, STATUS.running), tf.fill(status.shape, STATUS.zeroGradient)),
    tf.fill(status.shape, STATUS.diverged),
  )
  return tf.where(tf.greater(running, 0), stopped, status) as Tensor1D
}

/** `[batch]` */
function sums(tf: Tfjs, values: Tensor2D): Tensor1D {
  return tf.sum(values, 1)
}

/** `[batch]` as `[batch, 1]`. */
function each(values: Tensor): Tensor2D {
  return values.reshape([values.size, 1])
}
