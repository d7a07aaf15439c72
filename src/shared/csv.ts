/** Tables as comma-separated values (RFC 4180), for spreadsheets and other programs. */

export type CsvCell = string | number | null

export interface CsvTable {
  readonly columns: readonly string[]
  /** One cell a column. */
  readonly rows: Iterable<readonly CsvCell[]>
}

/**
 * UTF-8, a line of names first, lines ended by CR LF. Numbers with as many digits as bring the same value back; what is missing (null, NaN,
 * infinities) is an empty cell. Text that a spreadsheet would take for a formula gets an apostrophe in front.
 * @throws RangeError for a row of another length than the names
 */
export function encodeCsv({ columns, rows }: CsvTable): Uint8Array {
  const lines = [columns.map(cellText).join(',')]
  for (const row of rows) {
    if (row.length !== columns.length) throw new RangeError(`a row of ${row.length} cells in ${columns.length} columns`)
    lines.push(row.map(cellText).join(','))
  }
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n`)
}

function cellText(cell: CsvCell): string {
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : ''
  if (cell === null) return ''
  const harmless = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
