import { expect, it } from 'vitest'
import type { Picture } from '../experiments/pictures.ts'
import { climbingSheet, curveItems } from './sheets.ts'

const picture = (level: number): Picture => ({ width: 1, height: 1, channels: 1, pixels: new Uint8Array([level]) })
const items = [0, 1].flatMap((setting) => [0, 1, 2, 3].map((start) => ({ setting, start })))
const pictures = items.map(({ setting, start }) => picture(100 * (setting + 1) + start))

/** Levels of the pictures in a row of the sheet, without the gaps. */
function levels({ width, pixels }: Picture, row: number): number[] {
  return [...pixels.subarray(row * width, (row + 1) * width)].filter((level) => level >= 100)
}

it('shows several settings of one unit each as a square of its starts', () => {
  const sheet = climbingSheet(items, pictures)
  expect(levels(sheet, 4)).toEqual([100, 101, 200, 201])
  expect(levels(sheet, 7)).toEqual([102, 103, 202, 203])
})

it('shows others side by side', () => {
  expect(levels(climbingSheet(items.slice(0, 4), pictures.slice(0, 4)), 2)).toEqual([100, 101])
  const units = items.map(({ setting }) => ({ setting, start: 0 }))
  expect(levels(climbingSheet(units, pictures), 2)).toEqual([100, 101, 102])
})

it('draws a curve a setting, or of the first pictures of one', () => {
  expect(curveItems(items)).toEqual([0, 4])
  expect(curveItems(Array.from({ length: 12 }, () => ({ setting: 0 })))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
})
