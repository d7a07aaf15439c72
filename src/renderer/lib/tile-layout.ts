/** A scrolling grid of equal tiles. Sizes in CSS pixels. */
export interface TileLayout {
  readonly columns: number
  readonly rows: number
  readonly tileWidth: number
  readonly tileHeight: number
  readonly gap: number
  /** Width left over, split evenly to both sides. */
  readonly inset: number
  readonly contentHeight: number
}

/** As many columns as fit in `width`, at least one; `gap` also stands around the grid. */
export function layOutTiles(
  count: number,
  width: number,
  tileWidth: number,
  tileHeight: number,
  gap: number,
): TileLayout {
  const columns = Math.max(1, Math.floor((width - gap) / (tileWidth + gap)))
  const rows = Math.ceil(count / columns)
  const used = columns * (tileWidth + gap) - gap
  return {
    columns,
    rows,
    tileWidth,
    tileHeight,
    gap,
    inset: Math.max(gap, Math.floor((width - used) / 2)),
    contentHeight: rows * (tileHeight + gap) + gap,
  }
}

/**
 * The size of the tiles, enlarged by whole multiples of a picture's size as long as all of them still fit into the room and the
 * longer side stays within `most` pixels.
 */
export function growTiles(
  count: number,
  room: { readonly width: number; readonly height: number },
  tile: { readonly width: number; readonly height: number },
  picture: { readonly width: number; readonly height: number },
  gap: number,
  most = 128,
): { width: number; height: number } {
  let [width, height] = [tile.width, tile.height]
  while (Math.max(width + picture.width, height + picture.height) <= most) {
    const next = layOutTiles(count, room.width, width + picture.width, height + picture.height, gap)
    const wide = next.columns * (next.tileWidth + gap) + gap
    if (next.contentHeight > room.height || wide > room.width) break
    width = next.tileWidth
    height = next.tileHeight
  }
  return { width, height }
}

/** Upper left corner of a tile in the content. */
export function tilePlace(layout: TileLayout, index: number): { left: number; top: number } {
  const { columns, tileWidth, tileHeight, gap, inset } = layout
  return {
    left: inset + (index % columns) * (tileWidth + gap),
    top: gap + Math.floor(index / columns) * (tileHeight + gap),
  }
}

/** The tile at a place of the content, or undefined between and beside the tiles. */
export function tileAt(layout: TileLayout, count: number, x: number, y: number): number | undefined {
  const { columns, tileWidth, tileHeight, gap, inset } = layout
  const column = Math.floor((x - inset) / (tileWidth + gap))
  const row = Math.floor((y - gap) / (tileHeight + gap))
  if (column < 0 || column >= columns || row < 0) return undefined
  if (x - inset - column * (tileWidth + gap) >= tileWidth || y - gap - row * (tileHeight + gap) >= tileHeight)
    return undefined
  const index = row * columns + column
  return index < count ? index : undefined
}

/** Tiles `first` … `end - 1` touch the part of the content that is in view. */
export function visibleTiles(
  layout: TileLayout,
  count: number,
  top: number,
  height: number,
): { first: number; end: number } {
  const pitch = layout.tileHeight + layout.gap
  const firstRow = Math.max(0, Math.floor((top - layout.gap) / pitch))
  const endRow = Math.ceil((top + height) / pitch)
  return { first: Math.min(count, firstRow * layout.columns), end: Math.min(count, endRow * layout.columns) }
}

/** The scroll position nearest to `top` at which the whole tile is in view. */
export function scrollToTile(layout: TileLayout, index: number, top: number, height: number): number {
  const place = tilePlace(layout, index).top
  const low = place + layout.tileHeight + layout.gap - height
  const high = place - layout.gap
  return Math.max(0, Math.min(high, Math.max(low, top)))
}

/** Where a key leads in a grid of `columns` columns; undefined for keys that do not move. */
export function moveByKey(
  key: string,
  index: number,
  count: number,
  columns: number,
  pageRows = 1,
): number | undefined {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * pageRows,
    PageDown: columns * pageRows,
    Home: -Infinity,
    End: Infinity,
  }
  const step = steps[key]
  if (step === undefined || count === 0) return undefined
  const target = index + step
  // Up from the first row and down from the last one stay; pages stop at the ends.
  if (key === 'ArrowUp' && target < 0) return index
  if (key === 'ArrowDown' && target >= count) return index
  return Math.min(count - 1, Math.max(0, target))
}

/** The largest whole factor by which a picture fits, at least 1. */
export function wholeFactor(width: number, height: number, roomWidth: number, roomHeight: number): number {
  return Math.max(1, Math.floor(Math.min(roomWidth / width, roomHeight / height)))
}
