/** Half-open box of pixels, `[row0, row1, column0, column1]`. */
export type PixelBox = readonly [row0: number, row1: number, column0: number, column1: number]

export interface BoxRoom {
  readonly height: number
  readonly width: number
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

/** The box between two pixels, both inside it. */
export function boxBetween(
  [rowA, columnA]: readonly [number, number],
  [rowB, columnB]: readonly [number, number],
): PixelBox {
  return [Math.min(rowA, rowB), Math.max(rowA, rowB) + 1, Math.min(columnA, columnB), Math.max(columnA, columnB) + 1]
}

/** The box moved by whole pixels, as far as the room goes. */
export function movedBox(
  [row0, row1, column0, column1]: PixelBox,
  rows: number,
  columns: number,
  room: BoxRoom,
): PixelBox {
  const down = clamp(rows, -row0, room.height - row1)
  const right = clamp(columns, -column0, room.width - column1)
  return [row0 + down, row1 + down, column0 + right, column1 + right]
}

/** The box with its lower and right edge moved: at least one pixel, and inside the room. */
export function resizedBox(
  [row0, row1, column0, column1]: PixelBox,
  rows: number,
  columns: number,
  room: BoxRoom,
): PixelBox {
  return [row0, clamp(row1 + rows, row0 + 1, room.height), column0, clamp(column1 + columns, column0 + 1, room.width)]
}

/** A box with its upper left corner and size, moved and cut to fit into the room. */
export function fittedBox(row: number, column: number, height: number, width: number, room: BoxRoom): PixelBox {
  const [tall, wide] = [clamp(height, 1, room.height), clamp(width, 1, room.width)]
  const [top, left] = [clamp(row, 0, room.height - tall), clamp(column, 0, room.width - wide)]
  return [top, top + tall, left, left + wide]
}
