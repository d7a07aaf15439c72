/** The layers of a Keras model from its JSON: Keras 2, Keras 3 and TensorFlow.js, sequential and functional. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { layersIn, withNestedModels, type Graph } from './nested-models.ts'

export type Json = Readonly<Record<string, unknown>>

/** A layer, or a model that is one, within the model that it is written in. */
export interface KerasPlace {
  readonly className: string
  /** Its name there. */
  readonly name: string
  /** How many layers of its class stand before it there. */
  readonly ordinal: number
}

/** One call of a layer; a layer that is called twice stands here twice. */
export interface KerasLayer {
  readonly className: string
  /** Unique in the model but for layers that are called more than once; behind the names of the models that it lies in. */
  readonly name: string
  /** Its name in the model that it is written in. */
  readonly own: string
  readonly ordinal: number
  /** The models that it lies in, the outermost first. */
  readonly within: readonly KerasPlace[]
  readonly config: Json
  /** Keys of the calls that feed it. */
  readonly inputs: readonly string[]
  /** `<name>#<call>`. */
  readonly key: string
}

export interface KerasTopology {
  readonly title: string
  readonly layers: readonly KerasLayer[]
  /** Keys of the calls whose results the model gives. */
  readonly outputs: readonly string[]
}

const MAX_LAYERS = 5000
const MAX_DEPTH = 32
const MAX_NESTING = 8

/**
 * @param model `{ class_name, config }`
 * @param source what the messages call the file
 * @throws ConvScopeError 'damaged' for something else, 'unsupported' for subclassed models
 */
export function readTopology(model: unknown, source: string): KerasTopology {
  const className = textOf(recordOf(model)['class_name'])
  const config = recordOf(model)['config']
  const refuse: Refuse = (reason) =>
    new ConvScopeError('damaged', `The model in ${source} cannot be read: ${reason}.`, {
      remedy: 'Save the model again, in Keras with model.save("model.keras").',
    })
  const listed: unknown = Array.isArray(config) ? config : recordOf(config)['layers']
  if (!Array.isArray(listed)) {
    if (className === '') throw refuse('it has no layers')
    throw new ConvScopeError(
      'unsupported',
      `The model in ${source} is of the class ${className}, whose layers are Python code.`,
      {
        remedy: 'Build the model with keras.Sequential or keras.Model(inputs, outputs), or export it to ONNX.',
      },
    )
  }
  if (listed.length > MAX_LAYERS) throw refuse(`it has ${listed.length} layers, more than ${MAX_LAYERS}`)
  const { layers, outputs } = graphOf(className, config, listed, refuse, 0)
  return { title: textOf(recordOf(config)['name']), layers, outputs }
}

type Refuse = (reason: string) => ConvScopeError

/** With the layers of nested models in their place. */
function graphOf(className: string, config: unknown, listed: readonly unknown[], refuse: Refuse, depth: number): Graph {
  if (depth > MAX_NESTING) throw refuse(`models lie in one another more than ${MAX_NESTING} deep`)
  const counts = new Map<string, number>()
  const written = listed.map((layer, index) => layerOf(layer, index, counts, refuse))
  const graph = className === 'Sequential' ? sequential(written) : functional(written, recordOf(config), refuse)
  let count = graph.layers.length
  return withNestedModels(graph, (layer) => {
    const inner = layersIn(layer.className, layer.config)
    const read = inner && graphOf(layer.className, layer.config, inner, refuse, depth + 1)
    count += read?.layers.length ?? 0
    if (count > MAX_LAYERS) throw refuse(`it has more than ${MAX_LAYERS} layers`)
    return read?.outputs.length === 1 ? read : undefined
  })
}

interface WrittenLayer extends KerasPlace {
  readonly config: Json
  readonly nodes: readonly unknown[]
}

function layerOf(value: unknown, index: number, counts: Map<string, number>, refuse: Refuse): WrittenLayer {
  const layer = recordOf(value)
  const config = recordOf(layer['config'])
  const className = textOf(layer['class_name'])
  const name = textOf(config['name']) || textOf(layer['name'])
  if (className === '') throw refuse(`layer ${index + 1} has no class`)
  const nodes = layer['inbound_nodes']
  const ordinal = counts.get(className) ?? 0
  counts.set(className, ordinal + 1)
  return {
    className,
    name: name || `${className}-${index + 1}`,
    ordinal,
    // Keras 2 writes the layers of a sequential model as its whole configuration.
    config: Array.isArray(layer['config']) ? { layers: layer['config'] as unknown[] } : config,
    nodes: Array.isArray(nodes) ? nodes : [],
  }
}

/** A layer at the top of its model. */
function called(
  { className, name, ordinal, config }: WrittenLayer,
  key: string,
  inputs: readonly string[],
): KerasLayer {
  return { className, name, own: name, ordinal, within: [], config, key, inputs }
}

function sequential(written: readonly WrittenLayer[]): Graph {
  const layers: KerasLayer[] = []
  for (const layer of written) {
    const { className, name, config } = layer
    const last = layers.at(-1)
    const shape = config['batch_input_shape'] ?? config['batch_shape']
    // Keras 2 may leave the input layer out and write its shape into the first layer.
    if (last === undefined && className !== 'InputLayer' && shape !== undefined)
      layers.push(called({ ...INPUT, config: { batch_shape: shape } }, 'input#', []))
    const below = layers.at(-1)
    const key = `${name}#${layers.length}`
    layers.push(called(layer, key, below === undefined ? [] : [below.key]))
  }
  const [first] = layers
  const last = layers.at(-1)
  return {
    layers,
    inputs: first?.className === 'InputLayer' ? [first.key] : [],
    outputs: last === undefined ? [] : [last.key],
  }
}

const INPUT: WrittenLayer = { className: 'InputLayer', name: 'input', ordinal: 0, config: {}, nodes: [] }

function functional(written: readonly WrittenLayer[], config: Json, refuse: Refuse): Graph {
  const waiting = written.flatMap((layer): KerasLayer[] =>
    layer.nodes.length === 0
      ? [called(layer, `${layer.name}#0`, [])]
      : layer.nodes.map((node, call) => called(layer, `${layer.name}#${call}`, callsIn(node, 0))),
  )
  const layers = inOrder(waiting, refuse)
  return {
    layers,
    inputs: callsIn(config['input_layers'], 0),
    outputs: callsIn(config['output_layers'], 0),
  }
}

/** Every `["layer", call, …]` in a node: Keras 2 nests lists, Keras 3 has `{ keras_history: ["layer", call, tensor] }`. */
function callsIn(value: unknown, depth: number): string[] {
  if (depth > MAX_DEPTH) return []
  if (Array.isArray(value)) {
    const [name, call] = value
    if (typeof name === 'string' && typeof call === 'number') return [`${name}#${call}`]
    return value.flatMap((item) => callsIn(item, depth + 1))
  }
  if (typeof value !== 'object' || value === null) return []
  const history = recordOf(value)['keras_history']
  if (history !== undefined) return callsIn(history, depth + 1)
  const { args, kwargs, config } = recordOf(value)
  return [args, kwargs, config].flatMap((part) =>
    Array.isArray(part)
      ? callsIn(part, depth + 1)
      : Object.values(recordOf(part)).flatMap((item) => callsIn(item, depth + 1)),
  )
}

/** Every call after what feeds it. */
function inOrder(waiting: readonly KerasLayer[], refuse: Refuse): KerasLayer[] {
  const byKey = new Map(waiting.map((layer) => [layer.key, layer]))
  const placed = new Set<string>()
  const layers: KerasLayer[] = []
  let left = waiting
  while (left.length > 0) {
    const later: KerasLayer[] = []
    for (const layer of left) {
      const missing = layer.inputs.find((key) => !byKey.has(key))
      if (missing !== undefined)
        throw refuse(`layer ${layer.name} is fed by ${missing.split('#')[0]}, which is not there`)
      if (layer.inputs.every((key) => placed.has(key))) {
        placed.add(layer.key)
        layers.push(layer)
      } else later.push(layer)
    }
    if (later.length === left.length) throw refuse(`its layers feed one another in a circle (${later[0]?.name ?? ''})`)
    left = later
  }
  return layers
}

/** The members of a JSON object; none of anything else. */
export function recordOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
