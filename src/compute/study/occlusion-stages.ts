/**
 * What a square changes in a picture, layer by layer: near the picture only a block of each map, which is all that has to be computed again. A
 * stage goes from one layer to a higher one inside the block; between stages the block is set into the map of the clean picture.
 */
import { layerNamed, type Graph, type GraphLayer } from '../network/graph.ts'
import {
  hasWindows,
  planWindows,
  startOf,
  windowOf,
  type WindowPlan,
  type WindowRange,
} from '../network/windowed-plan.ts'
import type { OcclusionGrid } from './occlusion-grid.ts'

/** First row and column of a block, one a position of the square. */
export interface Blocks {
  readonly rows: readonly number[]
  readonly columns: readonly number[]
  /** `[rows, columns]` of every block. */
  readonly size: readonly [number, number]
}

export interface OcclusionStage {
  /** The layer that the stage starts from. */
  readonly bottom: GraphLayer
  readonly top: GraphLayer
  readonly plan: WindowPlan
  /** What the square changes in `bottom`, and in `top`. */
  readonly below: Blocks
  readonly above: Blocks
}

/** Cutting a value of a stage's lowest layer costs about as much as so many multiplications. */
const MULTIPLICATIONS_A_VALUE = 60

/**
 * The stages up to the layer from which whole maps are cheaper; none for networks whose first layers branch.
 * @param highest the last layer at which a stage may end, because its whole map is asked for
 */
export function occlusionStages(graph: Graph, grid: OcclusionGrid, highest: string): OcclusionStage[] {
  const stages: OcclusionStage[] = []
  let bottom = graph.input
  let below = blocksOf(grid)
  for (const top of joints(graph, highest)) {
    const above = changed(graph, bottom, top, below)
    const plan = planWindows(graph, top.name, 'sum', { block: above.size, bottom: bottom.name })
    if (!hasWindows(plan) || !saves(plan, bottom)) break
    stages.push({ bottom, top, plan, below, above })
    bottom = top
    below = above
  }
  return stages
}

/**
 * How much of the picture the squares of an axis change, in sizes of the maps, summed up over the layers at which stages may end; by position.
 * @param axis 0: rows, 1: columns
 */
export function changedExtents(graph: Graph, grid: OcclusionGrid, highest: string, axis: 0 | 1): number[] {
  const starts = axis === 0 ? grid.rows : grid.columns
  const extents = starts.map(() => 0)
  let bottom = graph.input
  let ranges: readonly Range[] = starts.map((start): Range => [start, start + grid.window[axis]])
  for (const top of joints(graph, highest)) {
    ranges = changedRanges(graph, bottom, top, ranges, axis)
    for (const [index, [from, to]] of ranges.entries())
      extents[index] = (extents[index] ?? 0) + (to - from) / (top.shape[axis] ?? 1)
    bottom = top
  }
  return extents
}

/** Whether computing inside the blocks costs less than whole maps, the cutting included. */
function saves(plan: WindowPlan, bottom: GraphLayer): boolean {
  const { rows, columns } = windowOf(plan, bottom.name).range
  const cut = rows.size * columns.size * (bottom.shape[2] ?? 1) * MULTIPLICATIONS_A_VALUE
  return plan.work.inside + cut < plan.work.whole
}

/** Places in `[clean map, blocks of the batch]` of the cells of windows of a layer: those in the block come from it. */
export function cellSources(
  { shape }: GraphLayer,
  blocks: Blocks,
  windows: readonly { readonly top: number; readonly left: number }[],
  [rows, columns]: readonly [number, number],
): Int32Array {
  const [height = 1, width = 1] = shape
  const [blockRows, blockColumns] = blocks.size
  const places = new Int32Array(windows.length * rows * columns)
  let at = 0
  for (const [index, { top, left }] of windows.entries()) {
    const blockTop = blocks.rows[index] ?? 0
    const blockLeft = blocks.columns[index] ?? 0
    const start = height * width + index * blockRows * blockColumns
    for (let row = top; row < top + rows; row++) {
      for (let column = left; column < left + columns; column++) {
        const [down, right] = [row - blockTop, column - blockLeft]
        const inBlock = down >= 0 && down < blockRows && right >= 0 && right < blockColumns
        places[at++] = inBlock
          ? start + down * blockColumns + right
          : Math.min(Math.max(row, 0), height - 1) * width + Math.min(Math.max(column, 0), width - 1)
      }
    }
  }
  return places
}

/** Where the windows of a stage's bottom layer begin, one a position. */
export function stageWindows({
  bottom,
  plan,
  above,
}: OcclusionStage): { top: number; left: number; range: WindowRange }[] {
  const { range } = windowOf(plan, bottom.name)
  return above.rows.map((row, index) => {
    const [top, left] = startOf(range, row, above.columns[index] ?? 0)
    return { top, left, range }
  })
}

function blocksOf({ rows, columns, window }: OcclusionGrid): Blocks {
  return {
    rows: rows.flatMap((row) => columns.map(() => row)),
    columns: rows.flatMap(() => columns),
    size: window,
  }
}

/**
 * Layers that everything above depends on through them alone: inputs of convolutions in the chain at the network's beginning, and the layer that is
 * recorded where the chain leads to it.
 */
function joints(graph: Graph, highest: string): GraphLayer[] {
  const found: GraphLayer[] = []
  const readers = (name: string): number => graph.layers.filter(({ inputs }) => inputs.includes(name)).length
  for (const [index, layer] of graph.layers.entries()) {
    const [input, ...others] = layer.inputs
    const continues =
      input === graph.layers[index - 1]?.name && others.length === 0 && (input === undefined || readers(input) === 1)
    if (!continues) break
    if (layer.shape.length !== 3) break
    if (layer.spec.type === 'conv2d' && index > 1 && input !== undefined) found.push(layerNamed(graph, input))
    if (layer.name === highest) {
      if (layer.spec.type !== 'input') found.push(layer)
      break
    }
  }
  return found
}

/** Half-open. */
type Range = readonly [from: number, to: number]

/** Ranges of cells of `top` that see something of ranges of `bottom`, along one axis. */
function changedRanges(
  graph: Graph,
  bottom: GraphLayer,
  top: GraphLayer,
  before: readonly Range[],
  axis: 0 | 1,
): readonly Range[] {
  const between = graph.layers.slice(graph.layers.indexOf(bottom) + 1, graph.layers.indexOf(top) + 1)
  let ranges = before
  for (const layer of between) {
    const reach = layer.implementation.receptiveField(layer.spec, layer.inputShapes)
    if (reach === 'global') continue
    const field = axis === 0 ? reach.rows : reach.columns
    const extent = layer.shape[axis] ?? 1
    ranges = ranges.map(([from, to]) => [
      Math.max(0, Math.ceil((from - field.offset - field.size + 1) / field.stride)),
      Math.min(extent, Math.floor((to - 1 - field.offset) / field.stride) + 1),
    ])
  }
  return ranges
}

/** The units of `top` that see something of the blocks of `bottom`, in blocks of one size that lie inside the layer. */
function changed(graph: Graph, bottom: GraphLayer, top: GraphLayer, below: Blocks): Blocks {
  const along = (starts: readonly number[], size: number, axis: 0 | 1): { starts: number[]; size: number } => {
    const before = starts.map((start): Range => [start, start + size])
    const ranges = changedRanges(graph, bottom, top, before, axis)
    const widest = Math.max(1, ...ranges.map(([from, to]) => to - from))
    const extent = top.shape[axis] ?? 1
    return { starts: ranges.map(([from]) => Math.max(0, Math.min(from, extent - widest))), size: widest }
  }
  const rows = along(below.rows, below.size[0], 0)
  const columns = along(below.columns, below.size[1], 1)
  return { rows: rows.starts, columns: columns.starts, size: [rows.size, columns.size] }
}
