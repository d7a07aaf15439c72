import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { descentDirection, largest, lbfgsIteration, type LbfgsState } from './lbfgs.ts'
import { wolfeSearch, type Evaluated, type Turns } from './wolfe-search.ts'

type Objective = (x: Float64Array) => Evaluated

/** Chained Rosenbrock function. */
const rosenbrock: Objective = (x) => {
  const gradient = new Float64Array(x.length)
  let value = 0
  for (let place = 0; place + 1 < x.length; place++) {
    const [a = 0, b = 0] = [x[place], x[place + 1]]
    value += 100 * (b - a * a) ** 2 + (1 - a) ** 2
    gradient[place] = (gradient[place] ?? 0) - 400 * a * (b - a * a) - 2 * (1 - a)
    gradient[place + 1] = (gradient[place + 1] ?? 0) + 200 * (b - a * a)
  }
  return { value, gradient }
}

async function finish<R>(turns: Turns<R>): Promise<R> {
  for (;;) {
    const turn = await turns.next()
    if (turn.done) return turn.value
  }
}

async function minimise(objective: Objective, start: Float64Array, tolerance: number) {
  let evaluations = 0
  const evaluate = async function* (x: Float64Array): Turns<Evaluated> {
    evaluations++
    yield { type: 'turn' }
    return objective(x)
  }
  let state: LbfgsState<Evaluated> = { x: start, evaluated: objective(start), pairs: [] }
  let iterations = 0
  while (largest(state.evaluated.gradient) > tolerance && iterations < 500) {
    const next = await finish(lbfgsIteration(state, 10, evaluate))
    if (!next) break
    state = next
    iterations++
  }
  return { ...state, iterations, evaluations }
}

it('finds the minimum of the Rosenbrock function about as fast as scipy', async () => {
  const { x, evaluated, evaluations } = await minimise(rosenbrock, Float64Array.of(-1.2, 1, -1.2, 1, -1.2, 1), 1e-9)
  expect(largest(x.map((value) => value - 1))).toBeLessThan(1e-9)
  expect(evaluated.value).toBeLessThan(1e-18)
  // scipy.optimize.minimize(method='L-BFGS-B', m=10) takes 69.
  expect(evaluations).toBeLessThan(2 * 69)
})

it("finds scipy's weights of a regularised softmax", async () => {
  const file = await readFile(join(import.meta.dirname, 'testing', 'scipy-softmax.json'), 'utf8')
  const stored = JSON.parse(file) as Record<'x' | 'labels' | 'weights', number[]> &
    Record<'lambda' | 'features' | 'classes' | 'value', number>
  const { features, classes, labels } = stored
  const objective: Objective = (v) => {
    const gradient = v.map((weight) => stored.lambda * weight)
    let value = v.reduce((sum, weight) => sum + 0.5 * stored.lambda * weight * weight, 0)
    for (const [row, label] of labels.entries()) {
      const at = (feature: number): number => (feature < features ? (stored.x[row * features + feature] ?? 0) : 1)
      const scores = Array.from({ length: classes }, (_, k) => {
        let score = 0
        for (let feature = 0; feature <= features; feature++) score += at(feature) * (v[feature * classes + k] ?? 0)
        return Math.exp(score)
      })
      const total = scores.reduce((sum, score) => sum + score, 0)
      value -= Math.log((scores[label] ?? 0) / total) / labels.length
      for (const [k, score] of scores.entries()) {
        const change = (score / total - (k === label ? 1 : 0)) / labels.length
        for (let feature = 0; feature <= features; feature++) {
          gradient[feature * classes + k] = (gradient[feature * classes + k] ?? 0) + change * at(feature)
        }
      }
    }
    return { value, gradient }
  }
  const { x, evaluated } = await minimise(objective, new Float64Array((features + 1) * classes), 1e-9)
  expect(evaluated.value).toBeCloseTo(stored.value, 10)
  expect(largest(x.map((weight, place) => weight - (stored.weights[place] ?? NaN)))).toBeLessThan(1e-6)
})

it('has the exact inverse of the second derivatives of a quadratic, once it has seen every direction', () => {
  const curvatures = [1, 4, 9]
  const pairs = curvatures.map((curvature, axis) => ({
    s: Float64Array.from(curvatures, (_, place) => (place === axis ? 0.5 : 0)),
    y: Float64Array.from(curvatures, (_, place) => (place === axis ? 0.5 * curvature : 0)),
  }))
  expect([...descentDirection(Float64Array.of(2, 4, 9), pairs)]).toEqual([-2, -1, -1])
})

it('takes steps that satisfy the strong Wolfe conditions, from first steps much too long and much too short', async () => {
  const x = Float64Array.of(-1.2, 1)
  const start = rosenbrock(x)
  const direction = start.gradient.map((slope) => -slope)
  const slope = -start.gradient.reduce((sum, value) => sum + value * value, 0)
  const evaluate = async function* (at: Float64Array): Turns<Evaluated> {
    yield { type: 'turn' }
    return rosenbrock(at)
  }
  for (const first of [1e-7, 1e-3, 1, 1e3]) {
    const found = await finish(wolfeSearch(x, start, direction, first, evaluate))
    const { step = NaN, evaluated } = found ?? {}
    const after = evaluated?.gradient.reduce((sum, value, place) => sum + value * (direction[place] ?? NaN), 0) ?? NaN
    expect(evaluated?.value, `from ${first}`).toBeLessThanOrEqual(start.value + 1e-4 * step * slope)
    expect(Math.abs(after), `from ${first}`).toBeLessThanOrEqual(0.9 * Math.abs(slope))
  }
  expect(await finish(wolfeSearch(x, start, start.gradient, 1, evaluate))).toBeUndefined()
})
