/** Seeded weights for networks in tests, of every kind of parameter. */
import { RandomStream } from '../../random.ts'
import type { Graph } from '../graph.ts'
import type { TensorFlow } from '../layer.ts'
import type { Weights } from '../walk.ts'
import { sizeOf } from '../../../shared/size-of.ts'

/** Kernels of variance 2 / fanIn, variances in 0.5 … 1.5, everything else normal numbers of deviation 0.1. */
export function randomWeights(tf: TensorFlow, graph: Graph, seed: number): Weights {
  const stream = new RandomStream(seed, 'weights')
  return Object.fromEntries(
    graph.layers
      .filter(({ parameters }) => parameters.length > 0)
      .map((layer) => [
        layer.name,
        Object.fromEntries(
          layer.parameters.map(({ name, shape, fanIn = 1 }) => {
            const deviation = name === 'kernel' ? Math.sqrt(2 / fanIn) : 0.1
            const values = Float32Array.from({ length: sizeOf(shape) }, () =>
              name === 'variance' ? 0.5 + stream.below(1000) / 1000 : deviation * stream.normal(),
            )
            return [name, tf.tensor(values, [...shape])]
          }),
        ),
      ]),
  )
}
