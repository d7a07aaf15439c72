/** The conformity table: every operation and gradient that networks, experiments and training use, on one engine. */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import * as z from 'zod'
import type { Engine, Tfjs } from '../engine.ts'
import type { Array64 } from './array64.ts'
import { inputsOf, noiseArray, referenceOf, type ConformityCase } from './conformity-case.ts'
import { ELEMENTARY_CASES } from './elementary-cases.ts'
import { LAYER_CASES } from './layer-cases.ts'
import { SHAPE_CASES } from './shape-cases.ts'

/** One comparison. */
export const ConformityRow = z.object({
  /** Operation and shapes. */
  name: z.string(),
  /** "result", or "gradient of input 0". */
  quantity: z.string(),
  /** `float64`: plain loops in double precision; `differences`: central differences of those; `cpu`: tfjs's JavaScript kernels. */
  against: z.enum(['float64', 'differences', 'cpu']),
  /** Largest error relative to the largest value compared with; null where there was nothing to compare or something was not a number. */
  error: z.number().nullable(),
  tolerance: z.number(),
  passed: z.boolean(),
  /** Why there is no error to show. */
  failure: z.string().optional(),
})
export type ConformityRow = z.infer<typeof ConformityRow>

const CASES: readonly ConformityCase[] = [...LAYER_CASES, ...ELEMENTARY_CASES, ...SHAPE_CASES]
const TOLERANCE = 1e-5
/** Relative, of derivatives along random directions. */
const DIFFERENCES_TOLERANCE = 1e-3
/** Of the double-precision reference: small enough to stay on one side of every kink, large enough for 9 digits. */
const STEP = 1e-6
const DIRECTIONS = 3

interface Results {
  readonly shape: readonly number[]
  readonly values: readonly Float32Array[]
}

/** The result and then the gradient of Σ result · dy for every input. */
async function resultsOf(
  tf: Tfjs,
  conformityCase: ConformityCase,
  inputs: readonly Array64[],
  dy: Array64,
): Promise<Results> {
  const tensors = tf.tidy(() => {
    const given = inputs.map(({ shape, data }) => tf.tensor(Float32Array.from(data), [...shape]))
    const weight = tf.tensor(Float32Array.from(dy.data), [...dy.shape])
    const apply = (...all: Tensor[]): Tensor => {
      const [a, b = a, c = a, d = a] = all
      if (a === undefined || b === undefined || c === undefined || d === undefined)
        throw new Error('a case has no inputs')
      return conformityCase.run(tf, a, b, c, d)
    }
    return [apply(...given), ...tf.grads(apply)(given, weight)]
  })
  const values = await Promise.all(tensors.map(async (tensor) => Float32Array.from(await tensor.data())))
  const shape = tensors[0]?.shape ?? []
  tf.dispose(tensors)
  return { shape, values }
}

/** Largest difference, relative to the largest expected value; NaN where sizes differ or anything is not a number. */
function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return NaN
  let worst = 0
  let scale = 0
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs((got[index] ?? NaN) - (expected[index] ?? NaN))
    if (Number.isNaN(difference)) return NaN
    worst = Math.max(worst, difference)
    scale = Math.max(scale, Math.abs(expected[index] ?? 0))
  }
  return worst / (scale || 1)
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0)
  return sum
}

const norm = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a))

/** Error of a gradient along random directions against central differences of the reference, relative to the gradient's length. */
function differencesError(
  conformityCase: ConformityCase,
  inputs: readonly Array64[],
  input: number,
  dy: Array64,
  gradient: Float32Array,
): number {
  const x = inputs[input]
  if (x === undefined || gradient.length !== x.data.length) return NaN
  let worst = 0
  for (let direction = 0; direction < DIRECTIONS; direction++) {
    const v = noiseArray(x.shape, 77 + direction).data
    const along = (sign: 1 | -1): number => {
      const moved = { shape: x.shape, data: x.data.map((value, index) => value + sign * STEP * (v[index] ?? 0)) }
      return dot(referenceOf(conformityCase, inputs.with(input, moved)).data, dy.data)
    }
    const expected = (along(1) - along(-1)) / (2 * STEP)
    // An expected derivative of the gradient's length times the direction's, shrunk as random directions shrink it.
    const scale = Math.max(Math.abs(expected), (norm(gradient) * norm(v)) / Math.sqrt(v.length)) || 1
    const error = Math.abs(dot(gradient, v) - expected) / scale
    if (Number.isNaN(error)) return NaN
    worst = Math.max(worst, error)
  }
  return worst
}

async function compareCase(engine: Engine, conformityCase: ConformityCase): Promise<ConformityRow[]> {
  const { tf } = engine
  const { name, tolerance = TOLERANCE } = conformityCase
  const inputs = inputsOf(conformityCase)
  const expected = referenceOf(conformityCase, inputs)
  const dy = noiseArray(expected.shape, 99)
  const row = (quantity: string, against: ConformityRow['against'], error: number, limit: number): ConformityRow => ({
    name,
    quantity,
    against,
    error: Number.isNaN(error) ? null : error,
    tolerance: limit,
    passed: error <= limit,
  })
  const failed = (failure: string): ConformityRow[] => [{ ...row('result', 'float64', NaN, tolerance), failure }]

  let got: Results
  try {
    got = await resultsOf(tf, conformityCase, inputs, dy)
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error))
  }
  if (got.shape.join() !== expected.shape.join())
    return failed(`the shape is ${got.shape.join('×')}, not ${expected.shape.join('×')}`)
  const [result = new Float32Array(), ...gradients] = got.values
  const rows = [row('result', 'float64', relativeError(result, expected.data), tolerance)]
  gradients.forEach((gradient, input) => {
    const error = differencesError(conformityCase, inputs, input, dy, gradient)
    rows.push(row(`gradient of input ${input}`, 'differences', error, DIFFERENCES_TOLERANCE))
  })

  if (engine.identity.name !== 'cpu') {
    const backend = tf.getBackend()
    await tf.setBackend('cpu')
    const plain = await resultsOf(tf, conformityCase, inputs, dy).finally(() => tf.setBackend(backend))
    plain.values.forEach((values, index) => {
      const quantity = index === 0 ? 'result' : `gradient of input ${index - 1}`
      rows.push(row(quantity, 'cpu', relativeError(got.values[index] ?? [], values), tolerance))
    })
  }
  return rows
}

/**
 * Max pooling where many cells of a window are equal, as after ReLU. Engines may choose different ones, so the gradient is compared by what it must
 * fulfil: it lies on maxima only, and every window's signal arrives exactly once. The windows do not overlap.
 */
async function compareTies({ tf }: Engine): Promise<ConformityRow[]> {
  const x = Float32Array.from(noiseArray([2, 8, 8, 3], 5).data, (value) => Math.max(0, Math.round(2 * value)))
  const dy = Float32Array.from(noiseArray([2, 4, 4, 3], 6).data)
  const [pooled, gradient] = tf.tidy(() => {
    const image = tf.tensor4d(x, [2, 8, 8, 3])
    const pool = (tensor: Tensor): Tensor => tf.maxPool(tensor as Tensor4D, 2, 2, 'valid')
    return [pool(image), tf.grad(pool)(image, tf.tensor4d(dy, [2, 4, 4, 3]))] as const
  })
  const [maxima, arrived] = [await pooled.data(), await gradient.data()]
  tf.dispose([pooled, gradient])
  let worstMaximum = 0
  let worstSignal = 0
  for (let window = 0; window < dy.length; window++) {
    const [channel, column, line] = [window % 3, Math.floor(window / 3) % 4, Math.floor(window / 12)]
    const cells = [0, 1, 8, 9].map((cell) => (16 * line + 2 * column + cell) * 3 + channel)
    const maximum = Math.max(...cells.map((cell) => x[cell] ?? 0))
    worstMaximum = Math.max(worstMaximum, Math.abs((maxima[window] ?? NaN) - maximum))
    const onMaxima = cells.filter((cell) => x[cell] === maximum).reduce((sum, cell) => sum + (arrived[cell] ?? NaN), 0)
    const elsewhere = cells
      .filter((cell) => x[cell] !== maximum)
      .reduce((sum, cell) => sum + Math.abs(arrived[cell] ?? NaN), 0)
    worstSignal = Math.max(worstSignal, Math.abs(onMaxima - (dy[window] ?? NaN)), elsewhere)
  }
  const row = (quantity: string, error: number): ConformityRow => ({
    name: 'max pooling 2×2 stride 2 with ties',
    quantity,
    against: 'float64',
    error: Number.isNaN(error) ? null : error,
    tolerance: 1e-6,
    passed: error <= 1e-6,
  })
  return [row('result', worstMaximum), row('gradient of input 0', worstSignal)]
}

/**
 * Runs the whole table on an engine: about 60 cases, each compared with double precision, with central differences and (but for `cpu` itself) with
 * tfjs's JavaScript kernels. Takes 1 to 3 s. A case that throws gives a failed row with the reason; the table always comes to its end.
 */
export async function runConformity(engine: Engine): Promise<ConformityRow[]> {
  const rows: ConformityRow[] = []
  for (const conformityCase of CASES) rows.push(...(await compareCase(engine, conformityCase)))
  rows.push(...(await compareTies(engine)))
  return rows
}
