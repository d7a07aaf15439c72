/** A Keras model put together from its layers and its weights. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { NetworkAssembly, UnsupportedOperator, type LayerOutput } from '../assembly/network-assembly.ts'
import { channelOrderOf } from '../assembly/preprocessing.ts'
import type { ImportedNetwork, ImportOptions } from '../imported-network.ts'
import { addLayer, type KerasWeights } from './layers.ts'
import { InputPipeline } from './input-pipeline.ts'
import type { KerasLayer, KerasTopology } from './topology.ts'

export interface KerasModel {
  /** What the messages call the file. */
  readonly source: string
  readonly topology: KerasTopology
  /** The parameters of a layer, by Keras' names; none where there are none. */
  readonly weights: (layer: KerasLayer) => KerasWeights
}

/** @throws ConvScopeError 'damaged' or 'unsupported' that names the layer */
export function buildKerasNetwork({ source, topology, weights }: KerasModel, options: ImportOptions): ImportedNetwork {
  const assembly = new NetworkAssembly(source)
  const outputs = new Map<string, LayerOutput>()
  const pipeline = new InputPipeline()
  for (const [index, layer] of topology.layers.entries()) {
    options.signal?.throwIfAborted()
    options.onProgress?.(index / topology.layers.length)
    if (layer.className === 'InputLayer') {
      outputs.set(layer.key, inputOf(assembly, layer))
      continue
    }
    const inputs = layer.inputs.flatMap((key) => outputs.get(key) ?? [])
    // What stands above an unsupported layer cannot be computed.
    if (inputs.length < layer.inputs.length) continue
    const own = weights(layer)
    const [input] = inputs
    if (input !== undefined && assembly.layers.length === 1 && pipeline.takes(layer, own, input.shape)) {
      outputs.set(layer.key, input)
      continue
    }
    try {
      outputs.set(layer.key, addLayer({ assembly, layer, inputs, weights: own }))
    } catch (error) {
      if (!(error instanceof UnsupportedOperator)) throw error
      assembly.unsupported(layer.name, layer.className, error.message)
    }
  }
  const results = topology.outputs.flatMap((key) => outputs.get(key) ?? [])
  if (topology.outputs.length > 1) {
    assembly.note({
      code: 'several-outputs',
      severity: 'note',
      message: `${source} has ${topology.outputs.length} outputs; the network ends in the first.`,
    })
  }
  const [shape] = [...outputs.values()].map((output) => output.shape)
  const channels = shape?.[2] ?? 3
  if (!pipeline.isStated) assembly.note(pipeline.guess(source))
  return assembly.finish(
    {
      name: options.name,
      title: topology.title || options.name,
      preprocessing: { channelOrder: channelOrderOf(channels, 'rgb'), ...pipeline.preprocessing(channels) },
    },
    results[0],
  )
}

/** `[batch, height, width, channels]`; a vector is a picture of one row, or of a square where that fits. */
function inputOf(assembly: NetworkAssembly, layer: KerasLayer): LayerOutput {
  const written = layer.config['batch_shape'] ?? layer.config['batch_input_shape']
  const [, ...sizes] = Array.isArray(written) ? (written as unknown[]) : []
  const shape = sizes.map((size) => (typeof size === 'number' && Number.isSafeInteger(size) && size > 0 ? size : 0))
  if (shape.length === 0 || shape.length > 3 || shape.includes(0)) {
    throw new ConvScopeError(
      'unsupported',
      `${assembly.file} cannot be imported: its input ${layer.name} has the shape ${JSON.stringify(written)}, and not a fixed height, width and channels.`,
      {
        remedy:
          'Build the model with a fixed input, such as keras.Input((224, 224, 3)), load the weights into it and save it.',
      },
    )
  }
  const [height = 1, width = 1, channels = 1] = shape
  if (shape.length === 3) return assembly.input(layer.name, [height, width, channels])
  if (shape.length === 2) return assembly.input(layer.name, [height, width, 1])
  const side = Math.sqrt(height)
  const picture = Number.isInteger(side) ? [side, side, 1] : [1, height, 1]
  assembly.note({
    code: 'input-as-picture',
    severity: 'warning',
    message: `The input of ${height} values is taken as a grey picture of ${picture[0]}×${picture[1]}, row by row.`,
    remedy: 'Check that the rows of the pictures followed one another in training.',
  })
  return assembly.flatten(`${layer.name}-flat`, assembly.input(layer.name, picture), 'hwc')
}
