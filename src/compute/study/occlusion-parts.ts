/**
 * Squares near the edge of a picture change less of it than those in the middle. Positions of an axis are parted in two where that saves
 * computing, so that the blocks of each part are only as large as its own positions need.
 */
import type { Graph } from '../network/graph.ts'
import type { OcclusionGrid } from './occlusion-grid.ts'
import { changedExtents, occlusionStages, type OcclusionStage } from './occlusion-stages.ts'

export interface OcclusionPart {
  readonly grid: OcclusionGrid
  /** Of the part's positions, row by row, among those of the whole grid. */
  readonly positions: readonly number[]
  readonly stages: readonly OcclusionStage[]
}

/** Parts of fewer positions make batches too small to be fast. */
const FEWEST_POSITIONS = 16
/** Share of the extents that a cut has to save. */
const WORTHWHILE = 0.1

/** One part, or up to four: rows near the edge or not, columns near the edge or not. */
export function occlusionParts(graph: Graph, grid: OcclusionGrid, highest: string): OcclusionPart[] {
  const whole = partOf(graph, grid, highest, grid.rows, grid.columns)
  if (whole.stages.length === 0) return [whole]
  const rows = halves(changedExtents(graph, grid, highest, 0), grid.rows)
  const columns = halves(changedExtents(graph, grid, highest, 1), grid.columns)
  const parts = rows.flatMap((own) => columns.map((others) => partOf(graph, grid, highest, own, others)))
  return parts.every(({ positions }) => positions.length >= FEWEST_POSITIONS) ? parts : [whole]
}

function partOf(
  graph: Graph,
  grid: OcclusionGrid,
  highest: string,
  rows: readonly number[],
  columns: readonly number[],
): OcclusionPart {
  const own = { ...grid, rows, columns }
  return {
    grid: own,
    positions: rows.flatMap((row) =>
      columns.map((column) => grid.rows.indexOf(row) * grid.columns.length + grid.columns.indexOf(column)),
    ),
    stages: occlusionStages(graph, own, highest),
  }
}

/** The starts in one or two lists: every list costs its largest extent for each of its starts. */
function halves(extents: readonly number[], starts: readonly number[]): (readonly number[])[] {
  const largest = Math.max(...extents)
  const costOf = (limit: number): number =>
    extents.reduce((sum, extent) => sum + (extent <= limit ? limit : largest), 0)
  const best = extents.reduce((least, extent) => (costOf(extent) < costOf(least) ? extent : least), largest)
  if (costOf(best) > (1 - WORTHWHILE) * largest * extents.length) return [starts]
  const among = (isSmall: boolean) => starts.filter((_, index) => (extents[index] ?? 0) <= best === isSmall)
  return [among(true), among(false)]
}
