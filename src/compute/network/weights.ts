/** Weights between safetensors files and the engine. */
import { ConvScopeError } from '../../shared/errors.ts'
import { MEAN_IMAGE_TENSOR } from '../../shared/network/spec.ts'
import type { Graph, GraphLayer } from './graph.ts'
import type { ParameterSpec, Tensor, TensorFlow } from './layer.ts'
import { meanImageOf } from './mean-image.ts'
import { encodeSafetensors, type SafeTensor } from './safetensors.ts'
import type { Weights } from './walk.ts'

/** Values of a network's parameters: by layer name, then by parameter name. */
export type WeightValues = Readonly<Record<string, Readonly<Record<string, Float32Array>>>>

/**
 * Brings the parameters of a graph from a safetensors file to the engine and checks that each is there in the right shape.
 * @throws ConvScopeError 'damaged' that names the layer, the parameter and the reason
 */
export function readWeights(tf: TensorFlow, graph: Graph, file: ReadonlyMap<string, SafeTensor>): Weights {
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

/** A tensor of a network's weights file. */
export interface StoredTensor {
  /** `<layer>/<parameter>`, or that of the mean picture. */
  readonly path: string
  readonly shape: readonly number[]
}

/** What the weights file of a network holds: every parameter in the order of the layers, and the mean picture if it has one. */
export function storedTensors(graph: Graph): StoredTensor[] {
  const parameters = graph.layers.flatMap((layer) =>
    layer.parameters.map(({ name, shape }) => ({ path: `${layer.name}/${name}`, shape })),
  )
  if (graph.spec.preprocessing.meanImage === undefined) return parameters
  return [...parameters, { path: MEAN_IMAGE_TENSOR, shape: graph.input.shape }]
}

/** A safetensors file of a graph's parameters, in the order of the layers, and of its mean picture. */
export function writeWeights(graph: Graph, values: WeightValues): Uint8Array {
  const tensors: Record<string, SafeTensor> = {}
  for (const layer of graph.layers) {
    for (const parameter of layer.parameters) {
      const data = values[layer.name]?.[parameter.name]
      if (data === undefined) throw new RangeError(`the values of ${layer.name}/${parameter.name} are missing`)
      tensors[`${layer.name}/${parameter.name}`] = { dtype: 'F32', shape: [...parameter.shape], data }
    }
  }
  const image = meanImageOf(graph.spec.preprocessing)
  if (image !== undefined) {
    tensors[MEAN_IMAGE_TENSOR] = { dtype: 'F32', shape: [...graph.input.shape], data: image }
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
