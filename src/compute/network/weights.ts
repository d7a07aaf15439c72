/** Weights between safetensors files and the engine. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { Graph, GraphLayer } from './graph.ts'
import type { ParameterSpec, Tensor, TensorFlow } from './layer.ts'
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from './safetensors.ts'
import type { Weights } from './walk.ts'

/** Values of a network's parameters: by layer name, then by parameter name. */
export type WeightValues = Readonly<Record<string, Readonly<Record<string, Float32Array>>>>

/**
 * Reads the parameters of a graph from a safetensors file and checks that each is there in the right shape.
 * @throws ConvScopeError 'damaged' that names the layer, the parameter and the reason
 */
export function readWeights(tf: TensorFlow, graph: Graph, bytes: Uint8Array): Weights {
  const file = decodeSafetensors(bytes)
  // All checks come before the first tensor is made, so that a bad file leaves nothing on the engine.
  const found = graph.layers.map((layer) => ({
    layer,
    parameters: layer.parameters.map((parameter) => ({ parameter, values: find(file, layer, parameter) })),
  }))
  return Object.fromEntries(
    found
      .filter(({ parameters }) => parameters.length > 0)
      .map(({ layer, parameters }) => [
        layer.name,
        Object.fromEntries(
          parameters.map(({ parameter, values }): [string, Tensor] => [
            parameter.name,
            tf.tensor(values, [...parameter.shape]),
          ]),
        ),
      ]),
  )
}

/** A safetensors file of a graph's parameters, in the order of the layers. */
export function writeWeights(graph: Graph, values: WeightValues): Uint8Array {
  const tensors: Record<string, SafeTensor> = {}
  for (const layer of graph.layers) {
    for (const parameter of layer.parameters) {
      const data = values[layer.name]?.[parameter.name]
      if (data === undefined) throw new RangeError(`the values of ${layer.name}/${parameter.name} are missing`)
      tensors[`${layer.name}/${parameter.name}`] = { dtype: 'F32', shape: [...parameter.shape], data }
    }
  }
  return encodeSafetensors(tensors)
}

function find(file: ReadonlyMap<string, SafeTensor>, layer: GraphLayer, parameter: ParameterSpec): Float32Array {
  const title = `${layer.name}/${parameter.name}`
  const tensor = file.get(title)
  const refuse = (reason: string): never => {
    throw new ConvScopeError('damaged', `The weights of layer ${layer.name} do not fit the network: ${reason}.`, {
      remedy: 'Use the weights file that belongs to this network.',
    })
  }
  if (tensor === undefined) return refuse(`${title} is missing`)
  if (tensor.shape.join() !== parameter.shape.join()) {
    return refuse(`${title} has the shape [${tensor.shape.join(', ')}] and not [${parameter.shape.join(', ')}]`)
  }
  return tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data)
}
