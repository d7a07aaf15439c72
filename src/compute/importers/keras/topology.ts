/** The layers of a Keras model from its JSON: Keras 2, Keras 3 and TensorFlow.js, sequential and functional. */
import { ConvScopeError } from '../../../shared/errors.ts'

export type Json = Readonly<Record<string, unknown>>

/** One call of a layer; a layer that is called twice stands here twice. */
export interface KerasLayer {
  readonly className: string
  /** Unique in the model but for layers that are called more than once. */
  readonly name: string
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

/**
 * @param model `{ class_name, config }`
 * @param source what the messages call the file
 * @throws ConvScopeError 'damaged' for something else, 'unsupported' for subclassed models
 */
export function readTopology(model: unknown, source: string): KerasTopology {
  const className = textOf(recordOf(model)['class_name'])
  const config = recordOf(model)['config']
  const refuse = (reason: string): ConvScopeError =>
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
  const written = listed.map((layer, index) => layerOf(layer, index, refuse))
  const title = textOf(recordOf(config)['name'])
  return className === 'Sequential'
    ? { title, ...sequential(written) }
    : { title, ...functional(written, recordOf(config), refuse) }
}

interface WrittenLayer {
  readonly className: string
  readonly name: string
  readonly config: Json
  readonly nodes: readonly unknown[]
}

function layerOf(value: unknown, index: number, refuse: (reason: string) => ConvScopeError): WrittenLayer {
  const layer = recordOf(value)
  const config = recordOf(layer['config'])
  const className = textOf(layer['class_name'])
  const name = textOf(config['name']) || textOf(layer['name'])
  if (className === '') throw refuse(`layer ${index + 1} has no class`)
  const nodes = layer['inbound_nodes']
  return { className, name: name || `${className}-${index + 1}`, config, nodes: Array.isArray(nodes) ? nodes : [] }
}

function sequential(written: readonly WrittenLayer[]): Pick<KerasTopology, 'layers' | 'outputs'> {
  const layers: KerasLayer[] = []
  for (const { className, name, config } of written) {
    const last = layers.at(-1)
    const shape = config['batch_input_shape'] ?? config['batch_shape']
    // Keras 2 may leave the input layer out and write its shape into the first layer.
    if (last === undefined && className !== 'InputLayer' && shape !== undefined)
      layers.push({ className: 'InputLayer', name: 'input', key: 'input#', config: { batch_shape: shape }, inputs: [] })
    const below = layers.at(-1)
    const key = `${name}#${layers.length}`
    layers.push({ className, name, config, key, inputs: below === undefined ? [] : [below.key] })
  }
  const last = layers.at(-1)
  return { layers, outputs: last === undefined ? [] : [last.key] }
}

function functional(
  written: readonly WrittenLayer[],
  config: Json,
  refuse: (reason: string) => ConvScopeError,
): Pick<KerasTopology, 'layers' | 'outputs'> {
  const waiting = written.flatMap(({ className, name, config: own, nodes }): KerasLayer[] =>
    nodes.length === 0
      ? [{ className, name, config: own, key: `${name}#0`, inputs: [] }]
      : nodes.map((node, call) => ({ className, name, config: own, key: `${name}#${call}`, inputs: callsIn(node, 0) })),
  )
  return { layers: inOrder(waiting, refuse), outputs: callsIn(config['output_layers'], 0) }
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
function inOrder(waiting: readonly KerasLayer[], refuse: (reason: string) => ConvScopeError): KerasLayer[] {
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
