/** A network specification made ready to run: checked, with shapes, inputs resolved and geometry computed. */
import { NetworkSpec, type LayerSpec, type LayerType } from '../../shared/network/spec.ts'
import type { LayerPage } from '../../shared/network/page.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { suggestNames } from '../../shared/nearest-names.ts'
import { implementationOf } from './layers/index.ts'
import type { LayerImplementation, ParameterSpec, Shape } from './layer.ts'
import { PIXELS, viewThrough, type View } from './receptive-field.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** Sizes above these are refused before anything is computed. */
const MAX_UNITS = 2 ** 31
const MAX_PARAMETERS = 2 ** 31

export interface GraphLayer {
  readonly name: string
  readonly spec: LayerSpec
  readonly implementation: LayerImplementation<LayerType>
  readonly inputs: readonly string[]
  readonly inputShapes: readonly Shape[]
  /** `[height, width, channels]` or `[units]`. */
  readonly shape: Shape
  readonly parameters: readonly ParameterSpec[]
  readonly view: View
}

export interface Graph {
  readonly spec: NetworkSpec
  readonly layers: readonly GraphLayer[]
  readonly byName: ReadonlyMap<string, GraphLayer>
  readonly input: GraphLayer
  readonly output: GraphLayer
}

/**
 * Reads a network specification from JSON and checks it as a graph.
 * @throws ConvScopeError 'invalid-input' that names the layer and the reason.
 */
export function parseNetworkSpec(json: unknown): NetworkSpec {
  const parsed = NetworkSpec.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const path = issue?.path ?? []
    const place = path[0] === 'layers' && typeof path[1] === 'number' ? layerTitle(json, path[1]) : path.join('.')
    throw refused(`${place === '' ? 'The network' : place}: ${issue?.message ?? 'not a network'}`, parsed.error.message)
  }
  buildGraph(parsed.data)
  return parsed.data
}

/** @throws ConvScopeError 'invalid-input' that names the layer and the reason. */
export function buildGraph(spec: NetworkSpec): Graph {
  const layers: GraphLayer[] = []
  const byName = new Map<string, GraphLayer>()
  for (const [index, layerSpec] of spec.layers.entries()) {
    if (byName.has(layerSpec.name)) throw refused(`Layer ${layerSpec.name}: there are two layers of this name`)
    const layer = index === 0 ? inputLayer(layerSpec) : upperLayer(layerSpec, layers, byName)
    layers.push(layer)
    byName.set(layer.name, layer)
  }
  const [input] = layers
  const output = layers.at(-1)
  if (input === undefined || output === undefined) throw refused('The network has no layers')
  return { spec, layers, byName, input, output }
}

/** The layer of that name. @throws ConvScopeError 'not-found' */
export function layerNamed(graph: Graph, name: string): GraphLayer {
  const layer = graph.byName.get(name)
  if (layer === undefined) {
    throw new ConvScopeError('not-found', `The network ${graph.spec.name} has no layer ${name}.`, {
      remedy: suggestNames(
        name,
        graph.layers.map((known) => known.name),
        'Its layers are',
      ),
    })
  }
  return layer
}

/** One row a layer for the library page. */
export function layerPages(graph: Graph): LayerPage[] {
  return graph.layers.map(({ name, spec, inputs, shape, parameters, view }) => ({
    name,
    type: spec.type,
    inputs: [...inputs],
    shape: [...shape],
    parameters: parameters
      .filter(({ trainable }) => trainable)
      .reduce((sum, parameter) => sum + sizeOf(parameter.shape), 0),
    ...(view === 'global' ? {} : { receptiveField: { rows: view.rows.field, columns: view.columns.field } }),
  }))
}

function inputLayer(spec: LayerSpec): GraphLayer {
  if (spec.type !== 'input')
    throw refused(`Layer ${spec.name}: the first layer must be of type input, not ${spec.type}`)
  if (spec.inputs !== undefined) throw refused(`Layer ${spec.name}: the input layer has no inputs`)
  const implementation = implementationOf(spec)
  return {
    name: spec.name,
    spec,
    implementation,
    inputs: [],
    inputShapes: [],
    shape: spec.shape,
    parameters: [],
    view: PIXELS,
  }
}

function upperLayer(
  spec: LayerSpec,
  before: readonly GraphLayer[],
  byName: ReadonlyMap<string, GraphLayer>,
): GraphLayer {
  if (spec.type === 'input') throw refused(`Layer ${spec.name}: only the first layer can be of type input`)
  const previous = before.at(-1)
  const inputs = spec.inputs ?? (previous === undefined ? [] : [previous.name])
  const below = inputs.map((name) => {
    const layer = byName.get(name)
    if (layer === undefined) throw refused(`Layer ${spec.name}: its input ${name} is not a layer listed before it`)
    return layer
  })
  const inputShapes = below.map((layer) => layer.shape)
  const implementation = implementationOf(spec)
  try {
    const shape = implementation.outputShape(spec, inputShapes)
    if (sizeOf(shape) > MAX_UNITS) throw new RangeError(`its output of [${shape.join(', ')}] is too large`)
    const parameters = implementation.parameters(spec, inputShapes)
    const tooMany = parameters.find((parameter) => sizeOf(parameter.shape) > MAX_PARAMETERS)
    if (tooMany !== undefined) throw new RangeError(`its ${tooMany.name} of [${tooMany.shape.join(', ')}] is too large`)
    const reach = implementation.receptiveField(spec, inputShapes)
    const view = viewThrough(
      reach,
      below.map((layer) => layer.view),
    )
    return { name: spec.name, spec, implementation, inputs, inputShapes, shape, parameters, view }
  } catch (error) {
    if (error instanceof RangeError) throw refused(`Layer ${spec.name}: ${error.message}`)
    throw error
  }
}

function layerTitle(json: unknown, index: number): string {
  const layers: unknown = typeof json === 'object' && json !== null && 'layers' in json ? json.layers : undefined
  const layer: unknown = Array.isArray(layers) ? layers[index] : undefined
  const name = typeof layer === 'object' && layer !== null && 'name' in layer ? String(layer.name) : ''
  return name === '' ? `Layer ${index + 1}` : `Layer ${name}`
}

function refused(message: string, details?: string): ConvScopeError {
  return new ConvScopeError('invalid-input', message.endsWith('.') ? message : `${message}.`, {
    remedy: 'Correct the network specification.',
    details,
  })
}
