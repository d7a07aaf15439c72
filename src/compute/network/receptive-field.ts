/** Which pixels a unit sees: exact boxes, and the regular grid (size, stride, offset) that describes them. */
import type { AxisField } from '../../shared/network/page.ts'
import type { AxisReach, Reach, Shape } from './layer.ts'

/** Half-open `[row0, row1, column0, column1]`. */
export type Box = readonly [number, number, number, number]

type Range = readonly [number, number]
const REMEMBERED_RANGES = 4096
interface AxisView {
  readonly field: AxisField
  /** Pixel rows that a range of this layer's rows sees, before clipping to the picture. */
  reach(from: number, to: number): Range
}
/** From the units of one layer to the pixels; 'global' where every unit sees all of them. */
export type View = 'global' | { readonly rows: AxisView; readonly columns: AxisView }

const ownPixel: AxisView = { field: { size: 1, stride: 1, offset: 0 }, reach: (from, to) => [from, to] }
export const PIXELS: View = { rows: ownPixel, columns: ownPixel }

/** The view of a layer whose units read `reach` of each of its inputs. */
export function viewThrough(reach: Reach, below: readonly View[]): View {
  if (reach === 'global') return 'global'
  const rows: AxisView[] = []
  const columns: AxisView[] = []
  for (const view of below) {
    if (view === 'global') return 'global'
    rows.push(compose(reach.rows, view.rows))
    columns.push(compose(reach.columns, view.columns))
  }
  return { rows: unite(rows), columns: unite(columns) }
}

function compose(upper: AxisReach, lower: AxisView): AxisView {
  const { size, stride, offset } = lower.field
  return {
    field: {
      size: (upper.size - 1) * stride + size,
      stride: upper.stride * stride,
      offset: offset + upper.offset * stride,
    },
    reach: (from, to) => {
      const [start, end] = upper.reach(from, to)
      // A unit of a transposed convolution may read nothing: it then sees no pixel.
      if (end <= start) {
        const [place] = lower.reach(start, start + 1)
        return [place, place]
      }
      return lower.reach(start, end)
    },
  }
}

/** Branches that meet: from the first pixel that any of them sees to the last. */
function unite(views: readonly AxisView[]): AxisView {
  const [first, ...others] = views
  if (first === undefined) throw new RangeError('a layer without inputs')
  if (others.length === 0) return first
  const united = others.reduce((one, other) => {
    const offset = Math.min(one.field.offset, other.field.offset)
    const end = Math.max(one.field.offset + one.field.size, other.field.offset + other.field.size)
    return {
      field: { size: end - offset, stride: one.field.stride, offset },
      reach: (from, to) => {
        const a = one.reach(from, to)
        const b = other.reach(from, to)
        if (a[0] === a[1]) return b
        if (b[0] === b[1]) return a
        return [Math.min(a[0], b[0]), Math.max(a[1], b[1])]
      },
    }
  }, first)
  return { field: united.field, reach: remembered((from, to) => united.reach(from, to)) }
}

/** Without it, every meeting of branches would multiply the ways down. */
function remembered(reach: AxisView['reach']): AxisView['reach'] {
  const known = new Map<string, Range>()
  return (from, to) => {
    const key = `${from} ${to}`
    const before = known.get(key)
    if (before !== undefined) return before
    const range = reach(from, to)
    if (known.size >= REMEMBERED_RANGES) known.clear()
    known.set(key, range)
    return range
  }
}

/** The pixels that the unit at (row, column) sees, before clipping; the whole picture `[height, width, …]` for a global view. */
export function boxOf(view: View, row: number, column: number, [height = 1, width = 1]: Shape): Box {
  if (view === 'global') return [0, height, 0, width]
  return [...view.rows.reach(row, row + 1), ...view.columns.reach(column, column + 1)]
}

/** The part of a box that lies inside a picture `[height, width, …]`. */
export function clipBox([top, bottom, left, right]: Box, [height = 1, width = 1]: Shape): Box {
  const clip = (value: number, size: number): number => Math.min(Math.max(value, 0), size)
  return [clip(top, height), clip(bottom, height), clip(left, width), clip(right, width)]
}
