/**
 * Where the receptive field of a unit lies in every layer below it: windows of one size for all units of a layer, so that units of many
 * places go through the network as one batch. Windows may reach over the edge of a layer, as the padding does.
 */
import type { UnpoolRule } from '../../shared/network/rules.ts'
import { layerNamed, type Graph, type GraphLayer } from './graph.ts'
import type { AxisReach } from './layer.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** Along one axis: the window of the unit at place i holds the cells `i * stride + offset` … `+ size - 1` of the layer. */
export interface AxisWindow {
  readonly size: number
  readonly stride: number
  readonly offset: number
}

/** A range of cells on both axes. */
export interface WindowRange {
  readonly rows: AxisWindow
  readonly columns: AxisWindow
}

export interface LayerWindow {
  readonly layer: GraphLayer
  /** The cells that are computed. */
  readonly range: WindowRange
  /** The cells that the layer reads of each of its inputs. */
  readonly reads: readonly WindowRange[]
}

export interface WindowPlan {
  readonly graph: Graph
  readonly from: string
  /** What `from` depends on, in the order of the network, the input layer first. */
  readonly layers: readonly LayerWindow[]
  readonly byName: ReadonlyMap<string, LayerWindow>
  /** Multiplications inside the windows of one unit, and of a whole walk. */
  readonly work: { readonly inside: number; readonly whole: number }
  /** The first divided by the second; below 1 it pays. */
  readonly share: number
}

/** Why units of a layer cannot be computed inside windows. */
export interface NoWindows {
  readonly reason: string
}

export interface PlanOptions {
  /** `[rows, columns]` of a block of units instead of one; its first unit is the one that is placed. */
  readonly block?: readonly [number, number]
  /** The layer at which the windows end; the input layer when left out. Every way down from `from` has to lead to it. */
  readonly bottom?: string
}

/**
 * The windows of the units of `from` down to the input.
 * @param unpool under 'overwrite' and 'max' a window also holds the pools that share cells with those that it needs
 * @returns the reason where units have no windows of one size: dense and global layers, transposed convolutions and upsampling
 */
export function planWindows(
  graph: Graph,
  from: string,
  unpool: UnpoolRule,
  { block: [blockRows, blockColumns] = [1, 1], bottom = graph.input.name }: PlanOptions = {},
): WindowPlan | NoWindows {
  const top = layerNamed(graph, from)
  const first = { stride: 1, offset: 0 }
  const ranges = new Map<string, WindowRange>([
    [top.name, { rows: { ...first, size: blockRows }, columns: { ...first, size: blockColumns } }],
  ])
  const windows: LayerWindow[] = []
  for (const layer of [...graph.layers].reverse()) {
    const needed = ranges.get(layer.name)
    if (needed === undefined) continue
    if (layer.shape.length !== 3) return { reason: `units of ${layer.name} have no places` }
    const range = unpool === 'sum' ? needed : withSharingPools(layer, needed)
    if (layer.name === bottom || layer.inputs.length === 0) {
      windows.push({ layer, range, reads: [] })
      continue
    }
    const reach = layer.implementation.receptiveField(layer.spec, layer.inputShapes)
    if (reach === 'global') return { reason: `units of ${layer.name} see all of ${layer.inputs.join(', ')}` }
    if (!Number.isInteger(reach.rows.stride) || !Number.isInteger(reach.columns.stride)) {
      return { reason: `units of ${layer.name} read windows of several sizes` }
    }
    const read = { rows: readBy(range.rows, reach.rows), columns: readBy(range.columns, reach.columns) }
    for (const name of layer.inputs) {
      const others = ranges.get(name)
      const both = others === undefined ? read : united(others, read)
      if (both === undefined) return { reason: `the branches that meet in ${layer.name} have different strides` }
      ranges.set(name, both)
    }
    windows.push({ layer, range, reads: layer.inputs.map(() => read) })
  }
  const layers = windows.reverse()
  const work = workOf(layers)
  return {
    graph,
    from,
    layers,
    byName: new Map(layers.map((window) => [window.layer.name, window])),
    work,
    share: work.whole > 0 ? work.inside / work.whole : 1,
  }
}

/** Windows that hold more of the network than this cost more than they save. */
const LARGEST_SHARE = 0.8

/** The windows of the units of `from` where there are any and computing inside them saves something. */
export function worthwhileWindows(graph: Graph, from: string, unpool: UnpoolRule): WindowPlan | undefined {
  const plan = planWindows(graph, from, unpool)
  return hasWindows(plan) && plan.share <= LARGEST_SHARE ? plan : undefined
}

export function hasWindows(plan: WindowPlan | NoWindows): plan is WindowPlan {
  return 'layers' in plan
}

/** The window of a layer of the plan; its absence is a defect of the caller. */
export function windowOf(plan: WindowPlan, layer: string): LayerWindow {
  const window = plan.byName.get(layer)
  if (window === undefined) throw new RangeError(`${layer} is not below ${plan.from}`)
  return window
}

/** First row and column of a unit's window; negative where it reaches over the edge. */
export function startOf({ rows, columns }: WindowRange, row: number, column: number): readonly [number, number] {
  return [row * rows.stride + rows.offset, column * columns.stride + columns.offset]
}

/** Whether all cells of a unit's window exist. */
export function isInside(layer: GraphLayer, range: WindowRange, row: number, column: number): boolean {
  const [height = 0, width = 0] = layer.shape
  const [top, left] = startOf(range, row, column)
  return top >= 0 && left >= 0 && top + range.rows.size <= height && left + range.columns.size <= width
}

function readBy(axis: AxisWindow, reach: AxisReach): AxisWindow {
  return {
    size: (axis.size - 1) * reach.stride + reach.size,
    stride: axis.stride * reach.stride,
    offset: axis.offset * reach.stride + reach.offset,
  }
}

function united(a: WindowRange, b: WindowRange): WindowRange | undefined {
  const rows = unitedAxis(a.rows, b.rows)
  const columns = unitedAxis(a.columns, b.columns)
  return rows && columns ? { rows, columns } : undefined
}

function unitedAxis(a: AxisWindow, b: AxisWindow): AxisWindow | undefined {
  if (a.stride !== b.stride) return undefined
  const offset = Math.min(a.offset, b.offset)
  return { stride: a.stride, offset, size: Math.max(a.offset + a.size, b.offset + b.size) - offset }
}

/** A later pool that shares a cell and sends 0 decides under 'overwrite' and 'max', so it has to be there. */
function withSharingPools({ spec }: GraphLayer, { rows, columns }: WindowRange): WindowRange {
  if (spec.type !== 'max-pool') return { rows, columns }
  const widened = (axis: AxisWindow, index: 0 | 1): AxisWindow => {
    const around = Math.floor((spec.kernel[index] - 1) / spec.stride[index])
    return { size: axis.size + 2 * around, stride: axis.stride, offset: axis.offset - around }
  }
  return { rows: widened(rows, 0), columns: widened(columns, 1) }
}

function workOf(layers: readonly LayerWindow[]): WindowPlan['work'] {
  let inside = 0
  let whole = 0
  for (const { layer, range, reads } of layers) {
    if (reads.length === 0) continue
    const cells = range.rows.size * range.columns.size
    const [height = 1, width = 1] = layer.shape
    const kernel = layer.parameters.find(({ name }) => name === 'kernel')
    // Layers without a kernel count as a few operations a value.
    const perCell = kernel === undefined ? 4 * (layer.shape[2] ?? 1) : sizeOf(kernel.shape)
    inside += cells * perCell
    whole += height * width * perCell
  }
  return { inside, whole }
}
