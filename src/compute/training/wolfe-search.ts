/** Line search for the strong Wolfe conditions: Nocedal & Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6. */

/** Value and gradient of a function at a point. */
export interface Evaluated {
  readonly value: number
  readonly gradient: Float64Array
}

/** A computation that lets others go between. */
export type Turns<R> = AsyncGenerator<{ type: 'turn' }, R, void>
export type Evaluate<E extends Evaluated> = (x: Float64Array) => Turns<E>

export interface LinePoint<E extends Evaluated> {
  /** Length, in units of the direction. */
  readonly step: number
  readonly evaluated: E
}

interface Tried<E extends Evaluated> extends LinePoint<E> {
  /** Derivative along the line. */
  readonly slope: number
}

/** Decrease of the value, c1, and of the slope, c2: as Nocedal & Wright recommend for quasi-Newton methods. */
const DECREASE = 1e-4
const FLATNESS = 0.9
const MOST_EVALUATIONS = 25
const LONGEST_STEP = 1e10
/** Values are sums in float32: differences below this part of them are rounding. */
const ROUNDING = 1e-7
/** An interpolated step keeps this part of the interval away from its ends. */
const MARGIN = 0.1

/**
 * A step along `direction` that decreases the value enough and makes the slope flat enough.
 * @returns undefined where the direction does not lead down, or no such step was found
 */
export async function* wolfeSearch<E extends Evaluated>(
  x: Float64Array,
  start: E,
  direction: Float64Array,
  first: number,
  evaluate: Evaluate<E>,
): Turns<LinePoint<E> | undefined> {
  const slope = along(start.gradient, direction)
  if (!(slope < 0)) return undefined
  const origin: Tried<E> = { step: 0, evaluated: start, slope }
  let left = MOST_EVALUATIONS
  const at = async function* (step: number): Turns<Tried<E>> {
    left--
    const evaluated = yield* evaluate(alongLine(x, direction, step))
    return { step, evaluated, slope: along(evaluated.gradient, direction) }
  }
  const slack = ROUNDING * Math.abs(start.value)
  const decreases = ({ step, evaluated }: Tried<E>): boolean =>
    evaluated.value <= start.value + DECREASE * step * slope + slack
  const isFlat = (point: Tried<E>): boolean => Math.abs(point.slope) <= -FLATNESS * slope

  /** Between the best point so far and one that is too far: algorithm 3.6. */
  const zoom = async function* (near: Tried<E>, far: Tried<E>): Turns<Tried<E> | undefined> {
    let [low, high] = [near, far]
    while (left > 0) {
      const point = yield* at(between(low, high))
      if (!decreases(point) || point.evaluated.value > low.evaluated.value + slack) {
        high = point
        continue
      }
      if (isFlat(point)) return point
      if (point.slope * (high.step - low.step) >= 0) high = low
      low = point
    }
    // A point that decreases the value is better than none.
    return low.step > 0 ? low : undefined
  }

  let previous = origin
  let step = first
  while (left > 0) {
    const point = yield* at(step)
    const isWorse = previous.step > 0 && point.evaluated.value >= previous.evaluated.value + slack
    if (!decreases(point) || isWorse) return yield* zoom(previous, point)
    if (isFlat(point)) return point
    if (point.slope >= 0) return yield* zoom(point, previous)
    previous = point
    step = Math.min(2 * step, LONGEST_STEP)
  }
  return undefined
}

/** `x + step * direction`. */
export function alongLine(x: Float64Array, direction: Float64Array, step: number): Float64Array {
  return x.map((value, place) => value + step * (direction[place] as number))
}

function along(gradient: Float64Array, direction: Float64Array): number {
  let sum = 0
  for (let place = 0; place < gradient.length; place++)
    sum += (gradient[place] as number) * (direction[place] as number)
  return sum
}

/** Where the cubic through both values and slopes is smallest (3.59), well inside the interval; the middle where there is no such place. */
function between<E extends Evaluated>(a: Tried<E>, b: Tried<E>): number {
  const width = b.step - a.step
  const d1 = a.slope + b.slope - (3 * (a.evaluated.value - b.evaluated.value)) / (a.step - b.step)
  const square = d1 * d1 - a.slope * b.slope
  const d2 = Math.sign(width) * Math.sqrt(square)
  const part = 1 - (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
  const inside =
    Number.isFinite(part) && part >= MARGIN && part <= 1 - MARGIN ? part : Math.min(Math.max(part, MARGIN), 1 - MARGIN)
  return a.step + width * (Number.isFinite(inside) ? inside : 0.5)
}
