/** What holds of every imported network, whatever its format. */
import { ConvScopeError } from '../../shared/errors.ts'
import { buildGraph, parseNetworkSpec } from '../network/graph.ts'
import { storedTensors } from '../network/weights.ts'
import type { ImportedNetwork } from './imported-network.ts'

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
  const parameters = storedTensors(buildGraph(spec))
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
