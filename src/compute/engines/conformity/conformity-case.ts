/** What one row group of the conformity table consists of. */
import type { Tensor } from '@tensorflow/tfjs'
import type { Tfjs } from '../engine.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { build, type Array64 } from './array64.ts'

export interface ConformityCase {
  readonly name: string
  /** Shapes of the float32 inputs, all of which are differentiated. */
  readonly shapes: readonly (readonly number[])[]
  /** Values of the inputs; noise in −1 … 1 by default. */
  readonly values?: (input: number, noise: number) => number
  /** What the engine computes: tfjs operations, one tensor out. Gets as many inputs as there are shapes. */
  run(tf: Tfjs, a: Tensor, b: Tensor, c: Tensor, d: Tensor): Tensor
  /** The same by its definition in double precision. */
  reference(a: Array64, b: Array64, c: Array64, d: Array64): Array64
  /** Largest error of the result and of gradients, relative to the largest value. Default 1e-5. */
  readonly tolerance?: number
}

const NOTHING: Array64 = { shape: [], data: new Float64Array() }

/** The reference applied to a list of inputs. */
export function referenceOf(conformityCase: ConformityCase, inputs: readonly Array64[]): Array64 {
  const [a = NOTHING, b = NOTHING, c = NOTHING, d = NOTHING] = inputs
  return conformityCase.reference(a, b, c, d)
}

/** A repeatable sequence of numbers in −1 … 1 (linear congruential, then scrambled). */
export function noiseSource(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    let mixed = state ^ (state >>> 15)
    mixed = Math.imul(mixed, 0x2c1b3c6d)
    mixed ^= mixed >>> 12
    return (mixed >>> 0) / 2 ** 31 - 1
  }
}

/** The inputs of a case in values that float32 holds exactly. */
export function inputsOf({ shapes, values }: ConformityCase): Array64[] {
  const noise = noiseSource(2463534242)
  return shapes.map((shape, input) =>
    build(shape, () => Math.fround(values === undefined ? noise() : values(input, noise()))),
  )
}

/** Noise of a shape in values that float32 holds exactly. */
export function noiseArray(shape: readonly number[], seed: number): Array64 {
  const noise = noiseSource(seed)
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(noise())) }
}
