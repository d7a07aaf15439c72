/** Kernels of other programs in ConvScope's layout: convolution `[kh, kw, in, out]`, dense `[in, out]` in the order of the flatten layer below. */
import type { Graph, GraphLayer } from '../../network/graph.ts'
import { rearranged, type StoredValues } from '../assembly/stored-values.ts'
import type { ImportedTensor } from '../imported-network.ts'
import type { StoredTensor } from './bind-weights.ts'
import type { Layout } from './parameter-names.ts'
import { sizeOf } from '../../../shared/size-of.ts'

/**
 * A parameter as the graph asks for it; undefined where the stored shape cannot be one.
 * @param parameter ConvScope's name of it
 */
export function inLayout(
  graph: Graph,
  layer: GraphLayer,
  parameter: string,
  wanted: readonly number[],
  stored: StoredTensor,
  layout: Layout,
): ImportedTensor | undefined {
  const tensor =
    parameter === 'kernel' && layout === 'torch'
      ? fromTorch(graph, layer, stored)
      : ((parameter === 'kernel' && stored.flattened === 'hwc' ? fromPlaces(graph, layer, stored) : undefined) ??
        plain(layer, stored, wanted))
  return tensor !== undefined && tensor.shape.join() === wanted.join() ? tensor : undefined
}

/** Keras' depthwise kernels `[kh, kw, in, multiplier]` hold the same numbers in the same order as `[kh, kw, 1, in * multiplier]`. */
function plain(layer: GraphLayer, { shape, values }: StoredTensor, wanted: readonly number[]): ImportedTensor {
  const [height, width, inputs, multiplier] = shape
  const isDepthwise = layer.spec.type === 'conv2d' && layer.spec.groups > 1 && inputs === layer.spec.groups
  if (shape.join() === wanted.join() || !isDepthwise || multiplier === undefined) return { shape, values }
  return { shape: [height ?? 0, width ?? 0, 1, inputs * multiplier], values }
}

/** A dense kernel whose rows go by height, width, channels, where the network flattens by channels first; undefined for any other. */
function fromPlaces(graph: Graph, layer: GraphLayer, stored: StoredTensor): ImportedTensor | undefined {
  const [inputs, outputs] = stored.shape
  const map = layer.spec.type === 'dense' ? flattenedMap(graph, layer, 'chw') : undefined
  if (map === undefined || inputs !== sizeOf(map) || outputs === undefined || stored.shape.length !== 2)
    return undefined
  return { shape: [inputs, outputs], values: turned(stored, [...map, outputs], [2, 0, 1, 3]).values }
}

function fromTorch(graph: Graph, layer: GraphLayer, stored: StoredTensor): ImportedTensor | undefined {
  const { shape } = stored
  switch (layer.spec.type) {
    case 'conv2d': // [out, in / groups, kh, kw]
      return shape.length === 4 ? turned(stored, shape, [2, 3, 1, 0]) : undefined
    case 'conv2d-transpose': // [in, out, kh, kw]
      return shape.length === 4 ? turned(stored, shape, [2, 3, 1, 0]) : undefined
    case 'dense': {
      const [outputs, inputs] = shape
      if (outputs === undefined || inputs === undefined || shape.length !== 2) return undefined
      const map = flattenedMap(graph, layer, 'hwc')
      if (map === undefined) return turned(stored, shape, [1, 0])
      const [height = 1, width = 1, channels = 1] = map
      if (height * width * channels !== inputs) return undefined
      const values = turned(stored, [outputs, channels, height, width], [2, 3, 1, 0]).values
      return { shape: [inputs, outputs], values }
    }
    default:
      return undefined
  }
}

/** Sizes `[h, w, c]` of the map below a dense layer that the network flattens in `order`, which is not the file's. */
function flattenedMap(graph: Graph, layer: GraphLayer, order: 'hwc' | 'chw'): readonly number[] | undefined {
  let below = layer
  for (;;) {
    const [name] = below.inputs
    const next = name === undefined ? undefined : graph.byName.get(name)
    if (next === undefined || below.inputs.length > 1) return undefined
    if (next.spec.type === 'flatten') {
      const [map] = next.inputShapes
      return next.spec.order === order && map?.length === 3 ? map : undefined
    }
    // Below another dense layer, or a map made into a vector in another way, there is one order only.
    if (next.shape.length !== 1 || next.spec.type === 'dense') return undefined
    below = next
  }
}

function turned(stored: StoredTensor, shape: readonly number[], axes: readonly number[]): ImportedTensor {
  const count = sizeOf(shape)
  const values: () => StoredValues = () => {
    const all = stored.values()
    return { count, read: (from, length) => all.subarray(from, from + length) }
  }
  return { shape: axes.map((axis) => shape[axis] ?? 1), values: () => rearranged(values(), shape, axes).values() }
}
