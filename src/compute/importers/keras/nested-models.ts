/** Models that are layers of other models: their own layers take their place, once for each call. */
import type { Json, KerasLayer, KerasTopology } from './topology.ts'

export type Graph = Pick<KerasTopology, 'layers' | 'outputs'> & {
  /** Keys of the input layers, in the order in which a call feeds them. */
  readonly inputs: readonly string[]
}

/**
 * @param graph layers in an order in which each stands after what feeds it
 * @param modelIn the layers of a layer that is a model of known layers with one output; undefined for any other
 */
export function withNestedModels(graph: Graph, modelIn: (layer: KerasLayer) => Graph | undefined): Graph {
  /** What stands for the result of a call: of a nested model's input what feeds it, of the model its output. */
  const instead = new Map<string, string>()
  const resolved = (key: string): string => instead.get(key) ?? key
  const layers = graph.layers.flatMap((layer): KerasLayer[] => {
    const inputs = layer.inputs.map(resolved)
    const inner = modelIn(layer)
    const [output] = inner?.outputs ?? []
    if (inner === undefined || output === undefined) return [{ ...layer, inputs }]
    const keyOf = (key: string): string => `${layer.key}/${key}`
    for (const [index, key] of inner.inputs.entries()) {
      const feeding = inputs[index]
      if (feeding !== undefined) instead.set(keyOf(key), feeding)
    }
    instead.set(layer.key, resolved(keyOf(output)))
    const container = { name: layer.own, className: layer.className, ordinal: layer.ordinal }
    return inner.layers
      .filter((each) => !instead.has(keyOf(each.key)))
      .map((each) => ({
        ...each,
        name: `${layer.name}.${each.name}`,
        within: [...layer.within, container, ...each.within],
        key: keyOf(each.key),
        // Without an input layer of its own the first layer takes what the model is fed.
        inputs:
          each.inputs.length === 0 && each.className !== 'InputLayer' ? inputs : each.inputs.map(keyOf).map(resolved),
      }))
  })
  return { layers, inputs: graph.inputs, outputs: graph.outputs.map(resolved) }
}

/** The list of layers in the configuration of a model; undefined for a layer that is none. */
export function layersIn(className: string, config: unknown): readonly unknown[] | undefined {
  const listed: unknown = Array.isArray(config) ? config : (config as Json | null | undefined)?.['layers']
  return MODELS.has(className) && Array.isArray(listed) ? listed : undefined
}

const MODELS = new Set(['Sequential', 'Functional', 'Model'])
