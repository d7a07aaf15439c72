/** All weights of a network as one float64 vector. */
import type { HostTensors } from './checkpoint.ts'
import { member, type Tensors } from './optimiser.ts'

interface Place {
  readonly name: string
  readonly shape: readonly number[]
  readonly start: number
  readonly size: number
}

/** Where each weight stands in the vector: one after another, in the order of the tensors. */
export class WeightVector {
  readonly #places: readonly Place[]
  readonly length: number

  constructor(weights: HostTensors) {
    let start = 0
    this.#places = Object.entries(weights).map(([name, { shape, data }]) => {
      const place = { name, shape, start, size: data.length }
      start += data.length
      return place
    })
    this.length = start
  }

  of(weights: HostTensors): Float64Array {
    const x = new Float64Array(this.length)
    for (const { name, start } of this.#places) x.set((weights[name]?.data ?? []) as Float32Array, start)
    return x
  }

  /** Rounded to float32. */
  tensors(x: Float64Array): HostTensors {
    return Object.fromEntries(
      this.#places.map(({ name, shape, start, size }) => [
        name,
        { dtype: 'F32' as const, shape: [...shape], data: Float32Array.from(x.subarray(start, start + size)) },
      ]),
    )
  }

  /** One number for each place, by weight name; 0 for a weight that is not named. */
  factors(byWeight: Readonly<Record<string, number>>): Float64Array {
    const factors = new Float64Array(this.length)
    for (const { name, start, size } of this.#places) factors.fill(byWeight[name] ?? 0, start, start + size)
    return factors
  }

  /** Adds `factor` times the tensors' values to `to`. */
  async add(to: Float64Array, tensors: Tensors, factor: number): Promise<void> {
    for (const { name, start, size } of this.#places) {
      const values = await member(tensors, name).data()
      for (let index = 0; index < size; index++)
        to[start + index] = (to[start + index] ?? 0) + factor * (values[index] ?? NaN)
    }
  }
}
