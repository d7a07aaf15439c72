/** Files of `model.save_weights`: they name layers by Keras' own rules, or by the program's. */
import type { NetworkSpec } from '../../../shared/network/spec.ts'
import { buildGraph } from '../../network/graph.ts'
import type { ImportedNetwork, ImportedTensor, ImportOptions } from '../imported-network.ts'
import { bindWeights, type StoredTensor } from '../weights-only/bind-weights.ts'
import type { StoredWeights } from './stored-weights.ts'

const REMEDY = 'In Keras, save layers and weights together: model.save("model.keras").'
/** The class of Keras under whose name the weights of a layer lie in a file without names of layers. */
const CLASSES: Readonly<Partial<Record<NetworkSpec['layers'][number]['type'], string>>> = {
  conv2d: 'conv2d',
  'conv2d-transpose': 'conv2d_transpose',
  dense: 'dense',
  'batch-norm': 'batch_normalization',
}

/** Binds the weights to `options.architecture`, or to a known architecture that their names fit. */
export function importKerasWeights(stored: StoredWeights, source: string, options: ImportOptions): ImportedNetwork {
  const names = stored.layerNames()
  const tensors =
    names === undefined
      ? ofGroups(stored, options.architecture)
      : names.flatMap((name) => tensorsOf(name, stored.ofNamedLayer(name)))
  const placed = tensors.map((tensor) => ({ ...tensor, flattened: 'hwc' as const }))
  return bindWeights(placed, { source, format: 'Keras', options, inOrder: names !== undefined, remedy: REMEDY })
}

function ofGroups(stored: StoredWeights, architecture: NetworkSpec | undefined): StoredTensor[] {
  const groups = stored.groups()
  const byKey = new Map(groups.map(({ group, name }) => [group.split('/').at(-1) ?? '', { group, name }]))
  const named = new Map(groups.map(({ group, name }) => [name, group]))
  const layers = architecture === undefined ? [] : buildGraph(architecture).layers
  const counts = new Map<string, number>()
  const bound = layers.flatMap(({ name, spec, parameters, inputShapes }) => {
    if (parameters.length === 0) return []
    const isDepthwise = spec.type === 'conv2d' && spec.groups > 1 && spec.groups === inputShapes[0]?.at(-1)
    const kind = isDepthwise ? 'depthwise_conv2d' : (CLASSES[spec.type] ?? spec.type)
    const count = counts.get(kind) ?? 0
    counts.set(kind, count + 1)
    const group = named.get(name) ?? byKey.get(count === 0 ? kind : `${kind}_${count}`)?.group
    return group === undefined ? [] : tensorsOf(name, stored.ofGroup(group, namesOf(kind, parameters)))
  })
  if (bound.length > 0) return bound
  return groups.flatMap(({ group, name }) => {
    const key = group.split('/').at(-1) ?? ''
    const words = key.startsWith('batch_normalization') ? ['scale', 'shift', 'mean', 'variance'] : ['kernel', 'bias']
    return tensorsOf(name || key, stored.ofGroup(group, words))
  })
}

/** ConvScope's parameters come in the order of Keras' variables. */
function namesOf(kind: string, parameters: readonly { readonly name: string }[]): string[] {
  return kind === 'batch_normalization' ? parameters.map(({ name }) => name) : ['kernel', 'bias']
}

function tensorsOf(layer: string, weights: Readonly<Record<string, ImportedTensor>>): StoredTensor[] {
  return Object.entries(weights).map(([word, { shape, values }]) => ({ name: `${layer}/${word}`, shape, values }))
}
