/** The same weights read by other conventions: what to try where the network's own reading may be the mistake. */
import { action } from '../../shared/actions.ts'
import type { LayerSpec, NetworkSpec } from '../../shared/network/spec.ts'
import { buildGraph } from '../network/graph.ts'
import type { TensorFlow } from '../network/layer.ts'
import { Network } from '../network/network.ts'

export interface StructuralVariant {
  readonly code: 'flatten-order' | 'lrn-convention' | 'pooling-rounding'
  /** What is changed, as the beginning of a sentence. */
  readonly description: string
  readonly remedy: string
  readonly spec: NetworkSpec
}

/** Every variant that the weights fit as well. */
export function structuralVariants({ graph }: Pick<Network, 'graph'>): StructuralVariant[] {
  const { spec } = graph
  const candidates: (Omit<StructuralVariant, 'spec'> & { change: (layer: LayerSpec) => LayerSpec })[] = [
    {
      code: 'flatten-order',
      description: 'With the other order of height, width and channels before the dense layers',
      remedy: `Try the other order of the flatten layer. ${action('change-layers')}`,
      change: (layer) =>
        layer.type === 'flatten' ? { ...layer, order: layer.order === 'hwc' ? 'chw' : 'hwc' } : layer,
    },
    {
      code: 'lrn-convention',
      description: 'With the other convention of local response normalisation',
      remedy: `Try the other convention of the normalisation layers. ${action('change-layers')}`,
      change: (layer) =>
        layer.type === 'lrn' ? { ...layer, convention: layer.convention === 'caffe' ? 'krizhevsky' : 'caffe' } : layer,
    },
    {
      code: 'pooling-rounding',
      description: 'With pooling sizes rounded the other way',
      remedy: `Try the other rounding of the pooling layers. ${action('change-layers')}`,
      change: (layer) =>
        layer.type === 'max-pool' || layer.type === 'avg-pool'
          ? { ...layer, rounding: layer.rounding === 'ceil' ? 'floor' : 'ceil' }
          : layer,
    },
  ]
  const parameters = parametersOf(spec)
  return candidates.flatMap(({ change, ...facts }) => {
    const layers = spec.layers.map(change)
    if (layers.every((layer, index) => layer === spec.layers[index])) return []
    const changed = { ...spec, layers }
    try {
      return parametersOf(changed) === parameters ? [{ ...facts, spec: changed }] : []
    } catch (error) {
      // Windows that no longer fit: not a reading of this network.
      if (error instanceof Error) return []
      throw error
    }
  })
}

/** The variant with the network's own weights, which stay the network's: it is not to be disposed. */
export function variantNetwork(tf: TensorFlow, network: Network, { spec }: StructuralVariant): Network {
  return Network.of(tf, buildGraph(spec), network.weights)
}

function parametersOf(spec: NetworkSpec): string {
  const shapes = buildGraph(spec).layers.map(({ name, parameters }) => [name, parameters.map(({ shape }) => shape)])
  return JSON.stringify(shapes)
}
