/** Networks for tests of the study, with seeded weights. */
import { NetworkSpec } from '../../../shared/network/spec.ts'
import { buildGraph } from '../../network/graph.ts'
import type { TensorFlow } from '../../network/layer.ts'
import { Network } from '../../network/network.ts'
import { randomWeights } from '../../network/testing/random-weights.ts'

/** 28 × 28 grey pictures, two convolutions with overlapping pools, ten classes. */
export function smallConvnet(tf: TensorFlow, seed = 3, layers: object[] = CONVNET): Network {
  const spec = NetworkSpec.parse({
    format: 'convscope-network',
    version: 1,
    name: 'small',
    title: 'Small',
    preprocessing: { channelOrder: 'grey' },
    layers: [{ name: 'input', type: 'input', shape: [28, 28, 1] }, ...layers],
  })
  const graph = buildGraph(spec)
  return Network.of(tf, graph, randomWeights(tf, graph, seed))
}

const CONVNET = [
  { name: 'conv1', type: 'conv2d', filters: 4, kernel: [5, 5], stride: [2, 2], padding: 'same' },
  { name: 'relu1', type: 'relu' },
  { name: 'pool1', type: 'max-pool', kernel: [3, 3], stride: [2, 2], rounding: 'ceil' },
  { name: 'conv2', type: 'conv2d', filters: 6, kernel: [3, 3], padding: 'same' },
  { name: 'relu2', type: 'relu' },
  { name: 'flatten', type: 'flatten' },
  { name: 'dense1', type: 'dense', units: 12 },
  { name: 'relu3', type: 'relu' },
  { name: 'dense2', type: 'dense', units: 10 },
]
