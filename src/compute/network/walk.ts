/**
 * The two walks through a graph, as pure functions of tensors: nothing is kept or disposed but what the walk itself made and no longer
 * needs. `Network` owns their results; steps and training call them directly.
 */
import type { WalkRules } from '../../shared/network/rules.ts'
import { layerNamed, type Graph, type GraphLayer } from './graph.ts'
import { SparseSignals } from './sparse-signals.ts'
import { need, type ForwardMode, type LayerContext, type Tensor, type TensorFlow, type Tensors } from './layer.ts'
import type { LayerType } from '../../shared/network/spec.ts'

/** By layer name, then by parameter name. */
export type Weights = Readonly<Record<string, Tensors>>

export interface WalkUp {
  /** Outputs of the layers that were asked for. */
  readonly outputs: Record<string, Tensor>
  /** What a walk down needs, by layer name. */
  readonly saved: Record<string, Tensors>
  /** In training: batch statistics by layer name. */
  readonly statistics: Record<string, Tensors>
}

export interface WalkUpOptions {
  /** The layer whose output `input` is; the input layer when left out. */
  readonly from?: string
  /** The last layer to compute; the output when left out. */
  readonly to?: string
  /** Layers whose outputs are returned besides that of `to`. */
  readonly keep?: readonly string[] | 'all'
  readonly mode: ForwardMode
}

/**
 * Computes what `to` needs, from the input upwards.
 * @param input `[batch, ...shape of from]`
 * @throws ConvScopeError 'not-found' for an unknown layer
 */
export function walkUp(tf: TensorFlow, graph: Graph, weights: Weights, input: Tensor, options: WalkUpOptions): WalkUp {
  const from = options.from === undefined ? graph.input : layerNamed(graph, options.from)
  const to = options.to === undefined ? graph.output : layerNamed(graph, options.to)
  const { mode } = options
  requireShape(from, input)
  const wanted = new Set(
    options.keep === 'all' ? graph.layers.map((layer) => layer.name) : [...(options.keep ?? []), to.name],
  )
  for (const name of options.keep === 'all' ? [] : wanted) layerNamed(graph, name)
  const path = pathUp(graph, from, to, options.keep === 'all' ? [] : [...wanted])
  const walk: WalkUp = { outputs: {}, saved: {}, statistics: {} }
  const values = new Map<string, Tensor>([[from.name, input]])
  if (wanted.has(from.name)) walk.outputs[from.name] = input
  const lastUse = new Map<string, number>()
  for (const [index, layer] of path.entries()) for (const name of layer.inputs) lastUse.set(name, index)

  for (const [index, layer] of path.entries()) {
    const context = contextOf(tf, layer, weights)
    const inputs = layer.inputs.map((name) => {
      const value = values.get(name)
      if (value === undefined)
        throw new RangeError(`${layer.name} needs ${name}, which does not follow from ${from.name}`)
      return value
    })
    const result = mode.training
      ? layer.implementation.forward(context, inputs, mode)
      : tf.tidy(() => ({ ...layer.implementation.forward(context, inputs, mode) }))
    values.set(layer.name, result.output)
    if (wanted.has(layer.name)) walk.outputs[layer.name] = result.output
    if (result.saved !== undefined) walk.saved[layer.name] = result.saved
    if (result.statistics !== undefined) walk.statistics[layer.name] = result.statistics
    if (!mode.training) dispose(finished(layer.inputs, index, lastUse, from, values), walk, values)
  }
  return walk
}

/** Outputs that no later layer reads, taken out of `values`. */
function finished(
  names: readonly string[],
  index: number,
  lastUse: ReadonlyMap<string, number>,
  from: GraphLayer,
  values: Map<string, Tensor>,
): Tensor[] {
  const done: Tensor[] = []
  for (const name of new Set(names)) {
    const value = values.get(name)
    if (value === undefined || name === from.name || lastUse.get(name) !== index) continue
    values.delete(name)
    done.push(value)
  }
  return done
}

function dispose(tensors: readonly Tensor[], walk: WalkUp, values: ReadonlyMap<string, Tensor>): void {
  if (tensors.length === 0) return
  const held = new Set<Tensor>([...Object.values(walk.outputs), ...values.values()])
  for (const saved of Object.values(walk.saved)) for (const tensor of Object.values(saved)) held.add(tensor)
  for (const tensor of tensors) if (!held.has(tensor)) tensor.dispose()
}

export interface WalkDownOptions {
  /** The layer at whose output the signal starts. */
  readonly from: string
  /** The layer at whose output it ends; the input layer when left out. */
  readonly to?: string
  readonly rules: WalkRules
}

/**
 * Carries a signal from the output of one layer to the output of a lower one. Branches sum.
 * @param signal `[signals, ...shape of from]`; the way up had batch 1 or the number of signals.
 * @returns `[signals, ...shape of to]`; zeros where `from` does not depend on `to`.
 */
export function walkDown(
  tf: TensorFlow,
  graph: Graph,
  weights: Weights,
  saved: Readonly<Record<string, Tensors>>,
  signal: Tensor,
  { from, to, rules }: WalkDownOptions,
): Tensor {
  const start = layerNamed(graph, from)
  const end = to === undefined ? graph.input : layerNamed(graph, to)
  requireShape(start, signal)
  const below = new Set(pathUp(graph, end, start, []).map((layer) => layer.name))
  const signals = new Map<string, Tensor>([[start.name, signal]])
  const sparse = new SparseSignals()
  for (const layer of [...graph.layers].reverse()) {
    const arriving = signals.get(layer.name)
    if (layer === end || arriving === undefined || !below.has(layer.name)) continue
    signals.delete(layer.name)
    const context = { ...contextOf(tf, layer, weights), sparse: sparse.at(layer.name) }
    sparse.sent(layer, rules)
    const sent = tf.tidy(() => [...layer.implementation.backward(context, arriving, saved[layer.name] ?? {}, rules)])
    const done = [...sent, arriving]
    for (const [index, name] of layer.inputs.entries()) {
      const part = sent[index]
      if (part === undefined || !(below.has(name) || name === end.name)) continue
      const others = signals.get(name)
      signals.set(name, others === undefined ? part : tf.add(others, part))
      if (others !== undefined) done.push(others)
    }
    const live = new Set(signals.values())
    for (const tensor of done) if (tensor !== signal && !live.has(tensor)) tensor.dispose()
  }
  const result = signals.get(end.name) ?? tf.zeros([signal.shape[0] ?? 1, ...end.shape])
  return result === signal ? tf.clone(result) : result
}

/** The layers above `from` that `to` and `also` depend on, in order; `from` itself is not among them. */
function pathUp(graph: Graph, from: GraphLayer, to: GraphLayer, also: readonly string[]): GraphLayer[] {
  const above = new Set([from.name])
  for (const layer of graph.layers) if (layer.inputs.some((name) => above.has(name))) above.add(layer.name)
  const needed = new Set([to.name, ...also])
  const path: GraphLayer[] = []
  for (const layer of [...graph.layers].reverse()) {
    if (!needed.has(layer.name) || layer === from) continue
    if (!above.has(layer.name)) continue
    for (const name of layer.inputs) needed.add(name)
    path.push(layer)
  }
  return path.reverse()
}

function contextOf(tf: TensorFlow, layer: GraphLayer, weights: Weights): LayerContext<LayerType> {
  const own = layer.parameters.length === 0 ? {} : need(weights, layer.name)
  return { tf, spec: layer.spec, inputShapes: layer.inputShapes, outputShape: layer.shape, weights: own }
}

function requireShape(layer: GraphLayer, tensor: Tensor): void {
  const [, ...shape] = tensor.shape
  if (shape.join() !== layer.shape.join()) {
    throw new RangeError(
      `the output of ${layer.name} is [batch, ${layer.shape.join(', ')}], not [${tensor.shape.join(', ')}]`,
    )
  }
}
