/** What a batch of units needs besides tensors of values: which cells of its windows exist, and where they lie. */
import type { LayerOf } from '../../shared/network/spec.ts'
import { mapShape, type TensorFlow } from './layer.ts'
import {
  isInside,
  startOf,
  type AxisWindow,
  type LayerWindow,
  type WindowPlan,
  type WindowRange,
} from './windowed-plan.ts'
import type { PoolCorrections, WindowMasks } from './windowed-walk.ts'
import { windowsOf, type AxisWindows } from './windows.ts'

/** A unit of the plan's top layer; `picture` counts within the pictures of the call. */
export interface PlacedUnit {
  readonly picture: number
  readonly channel: number
  readonly row: number
  readonly column: number
}

/** The layers over whose edge the window of some unit reaches. */
export function layersOverEdge(plan: WindowPlan, units: readonly PlacedUnit[]): string[] {
  return plan.layers
    .filter(({ layer, range }) => units.some(({ row, column }) => !isInside(layer, range, row, column)))
    .map(({ layer }) => layer.name)
}

export function windowMasks(
  tf: TensorFlow,
  plan: WindowPlan,
  layers: readonly string[],
  units: readonly PlacedUnit[],
): WindowMasks {
  return tensorsByLayer(tf, plan, layers, units, ({ layer: { shape } }, axis, cell) =>
    cell >= 0 && cell < (shape[axis] ?? 0) ? 1 : 0,
  )
}

/** Only of average pools that divide by less than the kernel's size at an edge. */
export function poolCorrections(
  tf: TensorFlow,
  plan: WindowPlan,
  layers: readonly string[],
  units: readonly PlacedUnit[],
): PoolCorrections {
  return tensorsByLayer(tf, plan, poolsWithCorrection(plan, layers), units, ({ layer }, axis, cell) => {
    const spec = layer.spec as LayerOf<'avg-pool'>
    const [height, width] = mapShape(layer.inputShapes)
    const windows = windowsOf(spec, height, width)
    return correction(axis === 0 ? windows.rows : windows.columns, spec.divisor, cell)
  })
}

/** Places of the windows' cells in `[pictures * height * width]` of a layer; those outside are clipped to the edge. */
export function cellPlaces({ layer, range }: LayerWindow, units: readonly PlacedUnit[]): Int32Array {
  const [height = 1, width = 1] = layer.shape
  const { rows, columns } = range
  const places = new Int32Array(units.length * rows.size * columns.size)
  let at = 0
  for (const { picture, row, column } of units) {
    const [top, left] = startOf(range, row, column)
    for (let down = 0; down < rows.size; down++) {
      const line = (picture * height + clip(top + down, height)) * width
      for (let right = 0; right < columns.size; right++) places[at++] = line + clip(left + right, width)
    }
  }
  return places
}

/** Windows of pictures `[height, width, channels]`, zeros outside: `[units, rows, columns, channels]`. */
export function cutWindows(
  pictures: readonly Float32Array[],
  [height, width, channels]: readonly [number, number, number],
  range: WindowRange,
  units: readonly PlacedUnit[],
): Float32Array {
  const { rows, columns } = range
  const size = rows.size * columns.size * channels
  const windows = new Float32Array(units.length * size)
  for (const [index, { picture, row, column }] of units.entries()) {
    const values = pictures[picture]
    if (values === undefined) throw new RangeError(`there is no picture ${picture}`)
    eachLine([height, width, channels], range, row, column, (inPicture, inWindow, count) =>
      windows.set(values.subarray(inPicture, inPicture + count), index * size + inWindow),
    )
  }
  return windows
}

/** The transpose of `cutWindows` for one unit: the part of the window inside the layer, set into `whole`. */
export function pasteWindow(
  window: Float32Array,
  range: WindowRange,
  unit: { readonly row: number; readonly column: number },
  whole: Float32Array,
  shape: readonly [number, number, number],
): void {
  eachLine(shape, range, unit.row, unit.column, (inWhole, inWindow, count) =>
    whole.set(window.subarray(inWindow, inWindow + count), inWhole),
  )
}

type Line = (inWhole: number, inWindow: number, count: number) => void

function eachLine(
  [height, width, channels]: readonly [number, number, number],
  range: WindowRange,
  row: number,
  column: number,
  line: Line,
): void {
  const [top, left] = startOf(range, row, column)
  const from = Math.max(left, 0)
  const to = Math.min(left + range.columns.size, width)
  if (to <= from) return
  for (let down = Math.max(top, 0); down < Math.min(top + range.rows.size, height); down++) {
    const inWindow = ((down - top) * range.columns.size + from - left) * channels
    line((down * width + from) * channels, inWindow, (to - from) * channels)
  }
}

/** Of these layers, the average pools whose divisor depends on the place. */
export function poolsWithCorrection(plan: WindowPlan, layers: readonly string[]): string[] {
  return plan.layers
    .filter(({ layer: { name, inputs, spec } }) => {
      const atEdge = layers.includes(name) || inputs.some((input) => layers.includes(input))
      return spec.type === 'avg-pool' && spec.divisor !== 'kernel' && atEdge
    })
    .map(({ layer }) => layer.name)
}

function correction(axis: AxisWindows, divisor: LayerOf<'avg-pool'>['divisor'], window: number): number {
  if (window < 0 || window >= axis.output) return 0
  const start = window * axis.stride - axis.before
  const end = start + axis.kernel
  const inside =
    divisor === 'caffe'
      ? Math.min(end, axis.input + axis.after) - start
      : Math.min(end, axis.input) - Math.max(start, 0)
  return axis.kernel / inside
}

function tensorsByLayer(
  tf: TensorFlow,
  plan: WindowPlan,
  layers: readonly string[],
  units: readonly PlacedUnit[],
  value: (window: LayerWindow, axis: 0 | 1, cell: number) => number,
): WindowMasks {
  const tensors: WindowMasks = {}
  for (const window of plan.layers) {
    if (!layers.includes(window.layer.name)) continue
    const along = (axis: 0 | 1, { size, stride, offset }: AxisWindow): Float32Array =>
      Float32Array.from({ length: units.length * size }, (_, index) => {
        const unit = units[Math.floor(index / size)]
        const place = (axis === 0 ? unit?.row : unit?.column) ?? 0
        return value(window, axis, place * stride + offset + (index % size))
      })
    const { rows, columns } = window.range
    tensors[window.layer.name] = {
      rows: tf.tensor4d(along(0, rows), [units.length, rows.size, 1, 1]),
      columns: tf.tensor4d(along(1, columns), [units.length, 1, columns.size, 1]),
    }
  }
  return tensors
}

function clip(cell: number, size: number): number {
  return Math.min(Math.max(cell, 0), size - 1)
}
