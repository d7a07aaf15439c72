/** Many pictures of one size as one picture: row by row, nearly square, with gaps between and around them. */

export const CONTACT_SHEET_GAP_PIXELS = 2

/** Columns of the nearly square sheet that holds `count` pictures. */
export const sheetColumns = (count: number): number => Math.max(1, Math.ceil(Math.sqrt(count)))

/** Size in pixels of each of `count` pictures on a contact sheet of this size. */
export function contactSheetTile(
  count: number,
  { width, height }: { readonly width: number; readonly height: number },
): { width: number; height: number } {
  const columns = sheetColumns(count)
  const rows = Math.max(1, Math.ceil(count / columns))
  const side = (whole: number, parts: number): number =>
    (whole - CONTACT_SHEET_GAP_PIXELS) / parts - CONTACT_SHEET_GAP_PIXELS
  return { width: side(width, columns), height: side(height, rows) }
}

/** Upper left corner of a picture on a contact sheet, in pixels. */
export function contactSheetPlace(
  index: number,
  count: number,
  { width, height }: { readonly width: number; readonly height: number },
): { left: number; top: number } {
  const columns = sheetColumns(count)
  const at = (place: number, side: number): number =>
    CONTACT_SHEET_GAP_PIXELS + place * (side + CONTACT_SHEET_GAP_PIXELS)
  return { left: at(index % columns, width), top: at(Math.floor(index / columns), height) }
}
