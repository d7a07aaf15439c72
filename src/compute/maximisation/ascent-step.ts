/**
 * One iteration of regularised activation maximisation for a batch of pictures (Yosinski et al. 2015, section 3; order of operations of
 * optimize/gradient_optimizer.py of the Deep Visualization Toolbox): clip, ascend, decay, blur, small norm, small contribution.
 */
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import type { Step, Tfjs } from '../engines/engine.ts'
import type { AscentField } from './ascent-field.ts'
import { ascendInside, ascendWhole, type AscentSeed, type AscentTarget } from './ascent-walk.ts'
import { neighboursAt, SEARCH_FROM } from './order-statistics.ts'

/** Larger than any activation, smaller than infinity: 0 times it stays 0. */
export const NEVER = 3e38

/** The state of an item, in `AscentState.status`. */
export const STATUS = { running: 0, zeroGradient: 1, diverged: 2 } as const

/** Everything that changes from iteration to iteration; one entry a picture on the first axis. Pictures are in grey levels minus the mean. */
export type AscentState = {
  readonly pictures: Tensor4D
  /** The clipped picture with the largest activation so far, and that activation. */
  readonly best: Tensor4D
  readonly bestObjective: Tensor1D
  /**
   * The clipped picture with which the unit first was the largest of its layer, in a layer with places the largest of all channels at its own
   * place; and the iteration, −1 before.
   */
  readonly majority: Tensor4D
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
  /** 1 − decay. */
  readonly keep: Tensor1D
  /** 1 while the item has iterations left, else 0. */
  readonly active: Tensor1D
  /** 1 while its picture may still become the best one: once more than `active`, so that the last picture is looked at too. */
  readonly counted: Tensor1D
}

/** A percentile as two places in the sorted values (ascending) of all pictures one after the other, and the way between them. */
export type PercentilePlaces = { readonly below: Tensor1D; readonly above: Tensor1D; readonly fraction: Tensor1D }

export type AscentInputs = {
  readonly state: AscentState
  readonly controls: AscentControls
  readonly seed: AscentSeed
  /** One for a step that computes inside the units' receptive fields, else nothing. */
  readonly field: readonly AscentField[]
  /** The number of the iteration. */
  readonly step: Tensor
  /** Matrices `[batch, height, height]` and `[batch, width, width]`, or nothing in an iteration without blur. */
  readonly blur: readonly Tensor3D[]
  /** Small norm and small contribution, or nothing where neither is in use. */
  readonly percentiles: readonly PercentilePlaces[]
}

export type AscentOutputs = {
  readonly state: AscentState
  /** `[batch, 9]`: see `TRACE_QUANTITIES`. */
  readonly trace: Tensor2D
}

/** Tensors that broadcast over `[batch, height, width, channels]`: the picture's limits in grey levels minus the mean, and network values of one. */
export interface NetworkRange {
  readonly lowest: Tensor
  readonly highest: Tensor
  readonly toNetwork: Tensor
}

/** At most four forms are captured: with and without blur, with and without percentiles. A change of a setting is a change of values. */
export function ascentStep(
  tf: Tfjs,
  target: AscentTarget,
  { lowest, highest, toNetwork }: NetworkRange,
): Step<AscentInputs, AscentOutputs> {
  const { plan } = target
  return ({ state, controls, seed, field: [field], step, blur, percentiles }) => {
    const clipped = tf.minimum(tf.maximum(state.pictures, lowest), highest) as Tensor4D
    const input = tf.mul(clipped, toNetwork)
    const { objective, largest, gradient } =
      plan && field ? ascendInside(tf, target, plan, input, seed, field) : ascendWhole(tf, target, input, seed)
    const slope = tf.mul(gradient, toNetwork) as Tensor4D
    const squared = sums(tf, tf.square(slope))

    const late = tf.minimum(controls.desired, tf.mul(controls.late, tf.sub(1, objective)))
    const desired = tf.where(tf.greater(controls.progress01, 0), late, controls.desired)
    const hasSlope = tf.greater(squared, 0)
    const rate = tf.where(
      hasSlope,
      tf.minimum(controls.maxRate, tf.div(desired, tf.where(hasSlope, squared, tf.onesLike(squared)))),
      tf.zerosLike(squared),
    ) as Tensor1D

    const ascended = tf.add(clipped, tf.mul(each(rate), slope)) as Tensor4D
    const decayed = tf.mul(ascended, each(controls.keep)) as Tensor4D
    const blurred = blurredBy(tf, decayed, blur)
    const [normPlaces, contributionPlaces] = percentiles
    const large = keepAbove(tf, blurred, normPlaces, () => tf.sqrt(tf.sum(tf.square(blurred), 3)))
    const next = keepAbove(tf, large, contributionPlaces, () => tf.abs(tf.sum(tf.mul(slope, large), 3)))

    const sound = tf.cast(tf.equal(state.status, STATUS.running), 'float32')
    const running = tf.mul(controls.active, sound)
    // 0 times NaN or infinity is NaN, which equals nothing.
    const finite = tf.equal(tf.add(sums(tf, tf.mul(next, 0)), tf.mul(objective, 0)), 0)
    const status = statusAfter(tf, state.status, running, finite, hasSlope)
    const moves = tf.mul(running, tf.cast(tf.logicalAnd(finite, hasSlope), 'float32'))
    const counts = tf.greater(tf.mul(controls.counted, sound), 0)
    const better = tf.logicalAnd(counts, tf.greater(objective, state.bestObjective))
    const isLargest = tf.greaterEqual(objective, largest)
    const first = tf.logicalAnd(tf.logicalAnd(counts, isLargest), tf.less(state.majorityStep, 0))
    const effect = (before: Tensor, after: Tensor): Tensor =>
      before === after ? tf.zerosLike(objective) : tf.sqrt(sums(tf, tf.square(tf.sub(after, before))))

    return {
      state: {
        pictures: tf.where(each(tf.greater(moves, 0)), next, clipped) as Tensor4D,
        best: tf.where(each(better), clipped, state.best) as Tensor4D,
        bestObjective: tf.where(better, objective, state.bestObjective) as Tensor1D,
        majority: tf.where(each(first), clipped, state.majority) as Tensor4D,
        majorityStep: tf.where(first, tf.mul(tf.onesLike(objective), step), state.majorityStep) as Tensor1D,
        status,
      },
      trace: tf.stack(
        [
          objective,
          tf.sqrt(squared),
          rate,
          tf.sqrt(sums(tf, tf.square(clipped))),
          effect(ascended, decayed),
          effect(decayed, blurred),
          effect(blurred, large),
          effect(large, next),
          tf.cast(isLargest, 'float32'),
        ],
        1,
      ) as Tensor2D,
    }
  }
}

/** Rows first, then columns. */
function blurredBy(tf: Tfjs, pictures: Tensor4D, [rows, columns]: readonly Tensor3D[]): Tensor4D {
  if (rows === undefined || columns === undefined) return pictures
  const [batch, height, width, channels] = pictures.shape
  const down = tf.reshape(tf.matMul(rows, tf.reshape(pictures, [batch, height, width * channels])), pictures.shape)
  const turned = tf.reshape(tf.transpose(down, [0, 2, 1, 3]), [batch, width, height * channels])
  const across = tf.reshape(tf.matMul(columns, turned), [batch, width, height, channels])
  return tf.transpose(across, [0, 2, 1, 3]) as Tensor4D
}

/** Pixels whose `measure` `[batch, height, width]` lies strictly below the percentile become 0. */
function keepAbove(
  tf: Tfjs,
  pictures: Tensor4D,
  places: PercentilePlaces | undefined,
  measure: () => Tensor,
): Tensor4D {
  if (places === undefined) return pictures
  const [batch, height, width] = pictures.shape
  const pixels = height * width
  const values: Tensor2D = tf.reshape(measure(), [batch, pixels])
  const { lower, upper } = neighbours(tf, values, places)
  const threshold = tf.add(lower, tf.mul(tf.sub(upper, lower), places.fraction))
  const kept = tf.greaterEqual(values, tf.reshape(threshold, [batch, 1]))
  return tf.mul(pictures, tf.reshape(tf.cast(kept, 'float32'), [batch, height, width, 1])) as Tensor4D
}

/** The sorted values on both sides of the percentiles, `[batch]`. */
function neighbours(
  tf: Tfjs,
  values: Tensor2D,
  { below, above }: PercentilePlaces,
): { lower: Tensor1D; upper: Tensor1D } {
  const [batch, pixels] = values.shape
  if (pixels < SEARCH_FROM) {
    const sorted: Tensor1D = tf.reshape(tf.topk(values, pixels, true).values, [batch * pixels])
    return { lower: tf.gather(sorted, below), upper: tf.gather(sorted, above) }
  }
  const lasts = Int32Array.from({ length: batch }, (_, picture) => (picture + 1) * pixels - 1)
  return neighboursAt(tf, values, tf.cast(tf.sub(tf.tensor1d(lasts, 'int32'), below), 'float32'))
}

/**
 * Where the percentile of `pixels` values lies once they are sorted: linear interpolation at (n − 1) · q / 100, as numpy's `percentile`.
 * `topk` sorts downwards, so places count from the end; `offset` is where the picture's values begin.
 */
export function percentilePlaces(
  percentile: number,
  pixels: number,
  offset: number,
): { below: number; above: number; fraction: number } {
  const place = ((pixels - 1) * percentile) / 100
  const lower = Math.floor(place)
  const upper = Math.min(lower + 1, pixels - 1)
  return { below: offset + pixels - 1 - lower, above: offset + pixels - 1 - upper, fraction: place - lower }
}

function statusAfter(tf: Tfjs, status: Tensor1D, running: Tensor, finite: Tensor, hasSlope: Tensor): Tensor1D {
  const stopped = tf.where(
    finite,
    tf.where(hasSlope, tf.fill(status.shape, STATUS.running), tf.fill(status.shape, STATUS.zeroGradient)),
    tf.fill(status.shape, STATUS.diverged),
  )
  return tf.where(tf.greater(running, 0), stopped, status) as Tensor1D
}

function sums(tf: Tfjs, values: Tensor): Tensor1D {
  return tf.sum(tf.reshape(values, [values.shape[0] ?? 1, -1]), 1)
}

/** `[batch]` as `[batch, 1, 1, 1]`. */
function each(values: Tensor): Tensor4D {
  return values.reshape([values.shape[0] ?? 1, 1, 1, 1])
}
