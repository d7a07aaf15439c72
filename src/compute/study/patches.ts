/** Patches: what a unit sees of a picture, in the frame of its whole receptive field. */
import type { Network } from '../network/network.ts'
import { layerNamed } from '../network/graph.ts'
import { cutWindows, pasteWindow } from '../network/windowed-batch.ts'
import type { WindowRange } from '../network/windowed-plan.ts'

/**
 * The receptive field of the layer's units, as a window of the input: also where it reaches over the edge, so that patches of border units stay
 * aligned. The whole picture where every unit sees all of it, and on an axis where the field is larger than the picture.
 */
export function fieldRange(network: Network, layer: string): WindowRange {
  const { view } = layerNamed(network.graph, layer)
  const [height = 1, width = 1] = network.graph.input.shape
  const whole = (size: number) => ({ size, stride: 0, offset: 0 })
  if (view === 'global') return { rows: whole(height), columns: whole(width) }
  const { rows, columns } = { rows: view.rows.field, columns: view.columns.field }
  const isWindow = (field: typeof rows, size: number) =>
    field.size <= size && Number.isInteger(field.stride) && Number.isInteger(field.offset)
  return {
    rows: isWindow(rows, height) ? rows : whole(height),
    columns: isWindow(columns, width) ? columns : whole(width),
  }
}

/** A window cut to another range of the same unit: what lies outside the first is 0. `shape` is the layer's `[height, width, channels]`. */
export function recut(
  window: Float32Array,
  from: WindowRange,
  to: WindowRange,
  unit: { readonly row: number; readonly column: number },
  shape: readonly [number, number, number],
): Float32Array {
  const whole = new Float32Array(shape[0] * shape[1] * shape[2])
  pasteWindow(window, from, unit, whole, shape)
  return cutWindows([whole], shape, to, [{ picture: 0, channel: 0, row: unit.row, column: unit.column }])
}
