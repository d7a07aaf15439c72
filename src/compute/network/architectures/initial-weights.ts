/** Seeded start values of a network's weights. */
import { RandomStream } from '../../random.ts'

export interface InitialParameter {
  /** `<layer>/<parameter>`. */
  readonly path: string
  readonly shape: readonly number[]
  /** Inputs that one output sums over; absent for biases, which start at 0. */
  readonly fanIn?: number
}

/**
 * Normal numbers of variance `2 / fanIn` (He et al. 2015, section 2.2), biases 0. Every parameter has its own random stream
 * by its place in the list.
 */
export function initialWeights(parameters: readonly InitialParameter[], seed: number): Map<string, Float32Array> {
  return new Map(
    parameters.map(({ path, shape, fanIn }, index) => {
      const values = new Float32Array(shape.reduce((product, extent) => product * extent, 1))
      if (fanIn !== undefined) {
        const stream = new RandomStream(seed, 'weights', index)
        const deviation = Math.sqrt(2 / fanIn)
        for (let place = 0; place < values.length; place++) values[place] = deviation * stream.normal()
      }
      return [path, values] as const
    }),
  )
}
