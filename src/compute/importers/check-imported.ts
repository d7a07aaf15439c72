/** What holds of every imported network, whatever its format. */
import { ConvScopeError } from '../../shared/errors.ts'
import { buildGraph, parseNetworkSpec, type Graph } from '../network/graph.ts'
import type { ImportedNetwork } from './imported-network.ts'

/** A kernel and whatever else has values, as the graph names and shapes it. */
export interface NamedParameter {
  /** `<layer>/<parameter>`. */
  readonly path: string
  readonly shape: readonly number[]
}

/** Every parameter of a graph, in the order of the layers. */
export function parametersOf(graph: Graph): NamedParameter[] {
  return graph.layers.flatMap((layer) =>
    layer.parameters.map(({ name, shape }) => ({ path: `${layer.name}/${name}`, shape })),
  )
}

/**
 * Checks that the specification is a network and that exactly its parameters are there, each in its shape. The result names the tensors
 * in the order of the layers.
 * @param source what the messages call the files
 * @throws ConvScopeError 'invalid-input' for the specification, 'damaged' for weights that do not fit it
 */
export function checkImported(imported: ImportedNetwork, source: string): ImportedNetwork {
  const spec = parseNetworkSpec(imported.spec)
  const refuse = (reason: string): ConvScopeError =>
    new ConvScopeError('damaged', `The weights in ${source} do not fit its layers: ${reason}.`, {
      remedy: 'Use the weights that belong to this network, or export it again.',
    })
  const parameters = parametersOf(buildGraph(spec))
  const tensors = new Map(
    parameters.map(({ path, shape }) => {
      const tensor = imported.tensors.get(path)
      if (tensor === undefined) throw refuse(`${path} of shape [${shape.join(', ')}] is missing`)
      if (tensor.shape.join() !== shape.join())
        throw refuse(`${path} has the shape [${tensor.shape.join(', ')}] and not [${shape.join(', ')}]`)
      return [path, tensor]
    }),
  )
  const extra = [...imported.tensors.keys()].find((path) => !tensors.has(path))
  if (extra !== undefined) throw refuse(`${extra} belongs to no layer`)
  return { spec, tensors, findings: imported.findings }
}
