import type { AxisField, LayerPage } from '../../shared/network/page.ts'

/** Half-open box of input pixels. */
export interface Box {
  readonly row0: number
  readonly row1: number
  readonly column0: number
  readonly column1: number
}

const along = (field: AxisField, at: number, extent: number): [from: number, to: number] => {
  const from = Math.floor(field.offset + at * field.stride)
  return [Math.max(0, Math.min(extent, from)), Math.max(0, Math.min(extent, from + field.size))]
}

/** Pixels of an input of `[height, width]` that reach the unit at `[row, column]`; undefined where all do. */
export function receptiveBox(
  layer: Pick<LayerPage, 'receptiveField'>,
  position: readonly [row: number, column: number],
  input: readonly [height: number, width: number],
): Box | undefined {
  if (!layer.receptiveField) return undefined
  const [row0, row1] = along(layer.receptiveField.rows, position[0], input[0])
  const [column0, column1] = along(layer.receptiveField.columns, position[1], input[1])
  return { row0, row1, column0, column1 }
}

/** The half-open box `[row0, row1, column0, column1]` of a result. */
export function boxOf(field: readonly [number, number, number, number] | null): Box | undefined {
  return field ? { row0: field[0], row1: field[1], column0: field[2], column1: field[3] } : undefined
}
