/**
 * Limited-memory BFGS on float64 vectors: the two-loop recursion of Nocedal & Wright, Numerical Optimization (2006), algorithm 7.4, with
 * the initial matrix (7.20), and a line search for the strong Wolfe conditions, `wolfe-search.ts`.
 */
import { alongLine, wolfeSearch, type Evaluate, type Evaluated, type Turns } from './wolfe-search.ts'

export interface LbfgsPair {
  /** Step `x' - x`. */
  readonly s: Float64Array
  /** Change of the gradient. */
  readonly y: Float64Array
}

/** All that the next iteration depends on. */
export interface LbfgsState<E extends Evaluated> {
  readonly x: Float64Array
  /** At `x`. */
  readonly evaluated: E
  /** Oldest first. */
  readonly pairs: readonly LbfgsPair[]
}

/** Below this, a pair says nothing about the curvature. */
const LEAST_CURVATURE = 1e-10

/**
 * One iteration: a direction and a step along it.
 * @returns undefined where no step along the direction, nor along the gradient, makes the value smaller: at the precision of `evaluate`
 */
export async function* lbfgsIteration<E extends Evaluated>(
  state: LbfgsState<E>,
  memory: number,
  evaluate: Evaluate<E>,
): Turns<LbfgsState<E> | undefined> {
  const { x, evaluated, pairs } = state
  const direction = descentDirection(evaluated.gradient, pairs)
  // Without pairs the direction is the gradient, whose length says nothing about how far to go.
  const first = pairs.length > 0 ? 1 : Math.min(1, 1 / absoluteSum(evaluated.gradient))
  const found = yield* wolfeSearch(x, evaluated, direction, first, evaluate)
  if (!found) return pairs.length > 0 ? yield* lbfgsIteration({ x, evaluated, pairs: [] }, memory, evaluate) : undefined
  const next = alongLine(x, direction, found.step)
  const pair = { s: difference(next, x), y: difference(found.evaluated.gradient, evaluated.gradient) }
  const isUseful = dot(pair.s, pair.y) > LEAST_CURVATURE * dot(pair.y, pair.y)
  return { x: next, evaluated: found.evaluated, pairs: isUseful ? [...pairs, pair].slice(-memory) : pairs }
}

/** `-H g`, H the approximate inverse of the second derivatives; steepest descent without pairs. */
export function descentDirection(gradient: Float64Array, pairs: readonly LbfgsPair[]): Float64Array {
  const q = Float64Array.from(gradient)
  const alphas = new Float64Array(pairs.length)
  for (let index = pairs.length - 1; index >= 0; index--) {
    const { s, y } = pairs[index] as LbfgsPair
    const alpha = dot(s, q) / dot(s, y)
    alphas[index] = alpha
    addScaled(q, y, -alpha)
  }
  const latest = pairs.at(-1)
  const scale = latest ? dot(latest.s, latest.y) / dot(latest.y, latest.y) : 1
  for (let place = 0; place < q.length; place++) q[place] = scale * (q[place] as number)
  for (const [index, { s, y }] of pairs.entries()) addScaled(q, s, (alphas[index] as number) - dot(y, q) / dot(s, y))
  return q.map((value) => -value)
}

/** The largest magnitude: what tolerances are compared with. */
export function largest(vector: Float64Array): number {
  return vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

function absoluteSum(vector: Float64Array): number {
  return vector.reduce((sum, value) => sum + Math.abs(value), 0)
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let place = 0; place < a.length; place++) sum += (a[place] as number) * (b[place] as number)
  return sum
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, place) => value - (b[place] as number))
}

function addScaled(to: Float64Array, vector: Float64Array, factor: number): void {
  for (let place = 0; place < to.length; place++) to[place] = (to[place] as number) + factor * (vector[place] as number)
}
