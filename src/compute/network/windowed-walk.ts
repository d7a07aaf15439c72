/**
 * The two walks inside windows, as pure functions of tensors. They give the values of the whole walks: cells outside a layer count as the
 * padding of the layer that reads them (0, or less than everything for max pooling), and carry nothing down.
 */
import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs'
import type { WalkRules } from '../../shared/network/rules.ts'
import type { LayerSpec, LayerType } from '../../shared/network/spec.ts'
import type { GraphLayer } from './graph.ts'
import { need, type LayerContext, type Shape, type Tensor, type TensorFlow, type Tensors } from './layer.ts'
import { RECTIFIERS } from './rectifier.ts'
import { SparseSignals } from './sparse-signals.ts'
import type { Weights } from './walk.ts'
import { windowOf, type LayerWindow, type WindowPlan, type WindowRange } from './windowed-plan.ts'

/** Of the units of a batch, by layer: 1 where a cell of the window exists, `[units, rows, 1, 1]` and `[units, 1, columns, 1]`. */
export type WindowMasks = { [layer: string]: { rows: Tensor; columns: Tensor } }

/** Of average pools over the edge, by layer: the kernel's size through the divisor, in the shapes of the masks. */
export type PoolCorrections = WindowMasks

export interface WindowContext {
  readonly tf: TensorFlow
  readonly plan: WindowPlan
  readonly weights: Weights
  /** Of the layers over whose edge some window reaches. */
  readonly masks: WindowMasks
  readonly corrections: PoolCorrections
}

/** Loses against every input, and stays finite. */
const LOWEST = -3.4028234663852886e38

/**
 * From windows of the plan's lowest layer (the picture, if nothing else was asked for) up to the units.
 * @param input `[units, rows, columns, channels]`: that layer's window, zeros outside it
 * @returns the units' values `[units, rows, columns, channels]` (one cell where the plan's top is not widened), and what a walk down needs unless `saving` is false
 */
export function windowedUp(
  context: WindowContext,
  input: Tensor,
  { saving = true }: { readonly saving?: boolean } = {},
): { output: Tensor; saved: Record<string, Tensors> } {
  const { plan } = context
  const values = new Map<string, Tensor>()
  const saved: Record<string, Tensors> = {}
  for (const window of plan.layers) {
    const { layer, reads } = window
    if (reads.length === 0) {
      values.set(layer.name, input)
      continue
    }
    const inputs = layer.inputs.map((name, index) => {
      const from = windowOf(plan, name)
      return prepared(
        context,
        layer,
        cropped(context, valueNamed(values, name), from.range, partAt(reads, index)),
        name,
        index,
      )
    })
    const result = layer.implementation.forward(layerContext(context, window), inputs, {
      training: false,
      saving,
    })
    values.set(layer.name, masked(context, layer.name, corrected(context, layer, result.output)))
    if (result.saved) saved[layer.name] = withoutOutside(context, layer, result.saved)
  }
  return { output: valueNamed(values, plan.from), saved }
}

/**
 * From a signal at the units down to the window of a lower layer.
 * @param signal `[units, rows, columns, channels]` of the top layer's window
 * @param saved by layer, at the layer's window; see `windowedUp` and `gatherSaved`
 * @returns `[units, rows, columns, channels]` of the window of `to`, zeros outside the layer
 */
export function windowedDown(
  context: WindowContext,
  saved: Readonly<Record<string, Tensors>>,
  signal: Tensor,
  { to, rules }: { readonly to: string; readonly rules: WalkRules },
): Tensor {
  const { tf, plan } = context
  const above = new Set([to])
  for (const { layer } of plan.layers) if (layer.inputs.some((name) => above.has(name))) above.add(layer.name)
  const signals = new Map<string, Tensor>([[plan.from, signal]])
  const sparse = new SparseSignals()
  for (const window of [...plan.layers].reverse()) {
    const { layer, reads } = window
    const arriving = signals.get(layer.name)
    if (layer.name === to || arriving === undefined || !above.has(layer.name)) continue
    const start = corrected(context, layer, arriving)
    const own = { ...layerContext(context, window), sparse: sparse.at(layer.name) }
    const sent = layer.implementation.backward(own, start, saved[layer.name] ?? {}, rules)
    sparse.sent(layer, rules)
    for (const [index, name] of layer.inputs.entries()) {
      if (!above.has(name)) continue
      const below = windowOf(plan, name)
      const part = masked(context, name, widened(context, partAt(sent, index), partAt(reads, index), below.range))
      const others = signals.get(name)
      signals.set(name, others === undefined ? part : tf.add(others, part))
    }
  }
  const result = signals.get(to)
  if (result === undefined) throw new RangeError(`${to} does not lie below ${plan.from}`)
  return result
}

/** Whether the walk down through a layer needs what was saved there. */
export function needsSaved({ type }: LayerSpec, rules: WalkRules): boolean {
  if (RECTIFIERS.has(type)) return rules.relu !== 'deconvnet'
  if (type === 'lrn') return rules.lrn === 'derivative'
  return type === 'max-pool' || type === 'sigmoid' || type === 'tanh' || type === 'softmax'
}

/**
 * What a whole walk up has saved, cut to the windows.
 * @param saved of a walk up over one picture or more, `[pictures, height, width, channels]`
 * @param places by layer, int32 `[units * rows * columns]`: `(picture * height + row) * width + column` of the windows' cells
 */
export function gatherSaved(
  context: WindowContext,
  saved: Readonly<Record<string, Tensors>>,
  places: Tensors,
  units: number,
): Record<string, Tensors> {
  const { tf, plan } = context
  const gathered: Record<string, Tensors> = {}
  for (const [name, index] of Object.entries(places)) {
    const { layer, range } = windowOf(plan, name)
    const cut = Object.entries(need(saved, name)).map(([key, tensor]): [string, Tensor] => {
      const [pictures = 1, height = 1, width = 1, channels = 1] = tensor.shape
      const cells = tf.gather(tf.reshape(tensor, [pictures * height * width, channels]), index as Tensor1D)
      return [key, tf.reshape(cells, [units, range.rows.size, range.columns.size, channels])]
    })
    gathered[name] = withoutOutside(context, layer, Object.fromEntries(cut))
  }
  return gathered
}

/** The layer's context at the size of its window: padding is part of the window already. */
function layerContext(
  { tf, plan, weights }: WindowContext,
  { layer, range, reads }: LayerWindow,
): LayerContext<LayerType> {
  const inputShapes = layer.inputs.map((name, index): Shape => {
    const { rows, columns } = partAt(reads, index)
    return [rows.size, columns.size, windowOf(plan, name).layer.shape[2] ?? 1]
  })
  const own = layer.parameters.length === 0 ? {} : need(weights, layer.name)
  const outputShape = [range.rows.size, range.columns.size, layer.shape[2] ?? 1]
  return { tf, spec: withoutPadding(layer.spec), inputShapes, outputShape, weights: own }
}

function withoutPadding(spec: LayerSpec): LayerSpec {
  switch (spec.type) {
    case 'conv2d':
      return { ...spec, padding: 'valid' }
    case 'max-pool':
      return { ...spec, padding: 'valid', rounding: 'floor' }
    case 'avg-pool':
      return { ...spec, padding: 'valid', rounding: 'floor', divisor: 'kernel' }
    case 'padding':
      return { ...spec, amounts: [0, 0, 0, 0] }
    default:
      return spec
  }
}

/** Cells outside the input as the layer takes them: 0, the padding layer's value, or what loses against everything. */
function prepared(context: WindowContext, layer: GraphLayer, input: Tensor, name: string, index: number): Tensor {
  const { spec } = layer
  const outside = spec.type === 'max-pool' ? LOWEST : spec.type === 'padding' ? spec.value : 0
  const mask = context.masks[name]
  if (outside === 0 || mask === undefined) return input
  const { tf, plan } = context
  const window = windowOf(plan, layer.name)
  const whole = tf.mul(mask.rows, mask.columns)
  const own = cropped(context, whole, windowOf(plan, name).range, partAt(window.reads, index))
  return tf.add(input, tf.mul(tf.sub(1, own), outside))
}

/** The part of a producer's window that one of its readers needs. */
function cropped({ tf }: WindowContext, x: Tensor, from: WindowRange, to: WindowRange): Tensor {
  const { top, left, same } = placeIn(from, to)
  if (same) return x
  const [units = 1, , , channels = 1] = x.shape
  return tf.slice(x as Tensor4D, [0, top, left, 0], [units, to.rows.size, to.columns.size, channels])
}

/** The transpose of `cropped`: zeros around. */
function widened({ tf }: WindowContext, x: Tensor, from: WindowRange, to: WindowRange): Tensor {
  const { top, left, same } = placeIn(to, from)
  if (same) return x
  return tf.pad(x as Tensor4D, [
    [0, 0],
    [top, to.rows.size - top - from.rows.size],
    [left, to.columns.size - left - from.columns.size],
    [0, 0],
  ])
}

function placeIn(outer: WindowRange, inner: WindowRange): { top: number; left: number; same: boolean } {
  const top = inner.rows.offset - outer.rows.offset
  const left = inner.columns.offset - outer.columns.offset
  return { top, left, same: inner.rows.size === outer.rows.size && inner.columns.size === outer.columns.size }
}

function masked({ tf, masks }: WindowContext, layer: string, x: Tensor): Tensor {
  const mask = masks[layer]
  return mask === undefined ? x : tf.mul(x, tf.mul(mask.rows, mask.columns))
}

function corrected({ tf, corrections }: WindowContext, { name }: GraphLayer, x: Tensor): Tensor {
  const correction = corrections[name]
  return correction === undefined ? x : tf.mul(x, tf.mul(correction.rows, correction.columns))
}

/** Pools that do not exist select no cell: -1. */
function withoutOutside({ tf, masks }: WindowContext, { name, spec }: GraphLayer, saved: Tensors): Tensors {
  const mask = masks[name]
  if (mask === undefined || spec.type !== 'max-pool') return saved
  const whole = tf.mul(mask.rows, mask.columns)
  return { winners: tf.sub(tf.mul(tf.add(need(saved, 'winners'), 1), whole), 1) }
}

function partAt<V>(list: readonly V[], index: number): V {
  const value = list[index]
  if (value === undefined) throw new RangeError(`there is no part ${index} of ${list.length}`)
  return value
}

function valueNamed(values: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const value = values.get(name)
  if (value === undefined) throw new RangeError(`${name} has not been computed`)
  return value
}
