/** The tensors of a network by what a training does with them. */
import type { Graph } from '../network/graph.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** `NetworkTensors` wherever the values are: on the engine or outside. */
export interface ByRole<T> {
  readonly weights: Record<string, T>
  readonly statistics: Record<string, T>
  readonly frozen: Record<string, T>
}

/** @param frozen names of layers whose weights stay */
export function byRole<T>(
  graph: Graph,
  tensors: Readonly<Record<string, T>>,
  frozen: ReadonlySet<string> = new Set(),
): ByRole<T> {
  const roles: ByRole<T> = { weights: {}, statistics: {}, frozen: {} }
  for (const layer of graph.layers) {
    for (const { name, trainable } of layer.parameters) {
      const path = `${layer.name}/${name}`
      const tensor = tensors[path]
      if (tensor === undefined) continue
      const role = frozen.has(layer.name) ? 'frozen' : trainable ? 'weights' : 'statistics'
      roles[role][path] = tensor
    }
  }
  return roles
}

/** All of them again, in the order of the layers. */
export function inLayerOrder<T>(graph: Graph, { weights, statistics, frozen }: ByRole<T>): Record<string, T> {
  const all = { ...weights, ...statistics, ...frozen }
  const paths = graph.layers.flatMap((layer) => layer.parameters.map(({ name }) => `${layer.name}/${name}`))
  return Object.fromEntries(paths.flatMap((path) => (all[path] === undefined ? [] : [[path, all[path]]])))
}

/** Learned values of a network: its weights without running statistics. */
export function learnedCount(graph: Graph): number {
  return graph.layers
    .flatMap(({ parameters }) => parameters)
    .filter(({ trainable }) => trainable)
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}
