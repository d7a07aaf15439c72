import { expect, it } from 'vitest'
import { contactSheetPlace, contactSheetTile, sheetColumns } from './contact-sheet.ts'

it('lays out sheets near to square', () => {
  expect(sheetColumns(64)).toBe(8)
  expect(sheetColumns(0)).toBe(1)
})

it('finds the size and the place of a picture on a sheet with gaps', () => {
  const tile = contactSheetTile(5, { width: 3 * 12 + 2, height: 2 * 9 + 2 })
  expect(tile).toEqual({ width: 10, height: 7 })
  expect(contactSheetPlace(0, 5, tile)).toEqual({ left: 2, top: 2 })
  expect(contactSheetPlace(4, 5, tile)).toEqual({ left: 14, top: 11 })
})
