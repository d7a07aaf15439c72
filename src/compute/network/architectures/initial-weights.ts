/** Seeded start values of a network's weights. */
import { RandomStream } from '../../random.ts'
import type { Graph } from '../graph.ts'
import type { SafeTensor } from '../safetensors.ts'
import { sizeOf } from '../../../shared/size-of.ts'

/** Batch normalisation starts as the identity. */
const CONSTANTS: Readonly<Record<string, number | undefined>> = { bias: 0, shift: 0, scale: 1, mean: 0, variance: 1 }

/**
 * Start values by `<layer>/<parameter>`: kernels are normal numbers of variance `2 / fanIn` (He et al. 2015, section 2.2),
 * biases 0, batch normalisation changes nothing. Every parameter has its own random stream by its place in the network.
 * @throws RangeError for a layer with parameters of other kinds
 */
export function initialWeights(graph: Graph, seed: number): Map<string, SafeTensor> {
  const parameters = graph.layers.flatMap((layer) =>
    layer.parameters.map((parameter) => ({ ...parameter, path: `${layer.name}/${parameter.name}` })),
  )
  return new Map(
    parameters.map(({ path, name, shape, fanIn }, index) => {
      const data = new Float32Array(sizeOf(shape))
      if (name === 'kernel' && fanIn !== undefined) {
        const stream = new RandomStream(seed, 'weights', index)
        const deviation = Math.sqrt(2 / fanIn)
        for (let place = 0; place < data.length; place++) data[place] = deviation * stream.normal()
      } else {
        const value = CONSTANTS[name]
        if (value === undefined) throw new RangeError(`there is no rule for the start values of ${path}`)
        data.fill(value)
      }
      return [path, { dtype: 'F32', shape: [...shape], data }] as const
    }),
  )
}
