/** What a network says about classes. */
import type { Network } from '../network/network.ts'

/** Whether the output is one score a class (whether named or not). */
export function hasScores({ graph }: Network): boolean {
  return graph.output.shape.length === 1 && (graph.output.shape[0] ?? 0) > 1
}

export function className(network: Network, index: number): string {
  return network.spec.classes[index] ?? String(index)
}

/** The layer whose outputs are logits: the one below a softmax at the end. */
export function logitLayer({ graph }: Network): string {
  const { output } = graph
  return output.spec.type === 'softmax' ? (output.inputs[0] ?? output.name) : output.name
}

/** The last layer with places that rectifies; else the last convolution; else the last layer with places. */
export function lastFeatureLayer({ graph }: Network): string | undefined {
  const withPlaces = graph.layers.filter(({ shape, name }) => shape.length === 3 && name !== graph.input.name)
  const last = (types: readonly string[]) => withPlaces.findLast(({ spec }) => types.includes(spec.type))?.name
  return last(['relu', 'leaky-relu', 'relu6', 'elu', 'silu', 'gelu']) ?? last(['conv2d']) ?? withPlaces.at(-1)?.name
}

/** The last hidden layer: the one that the logits are computed from. */
export function lastHiddenLayer(network: Network): string | undefined {
  const { graph } = network
  const logits = graph.byName.get(logitLayer(network))
  const below = logits && graph.byName.get(logits.inputs[0] ?? '')
  return below?.spec.type === 'dropout' ? below.inputs[0] : below?.name
}

/** The first layer that rectifies, else the first above the input. */
export function firstFeatureLayer({ graph }: Network): string | undefined {
  return graph.layers.find(({ spec }) => spec.type === 'relu')?.name ?? graph.layers[1]?.name
}
