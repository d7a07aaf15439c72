import { expect, it } from 'vitest'
import { boxBetween, fittedBox, movedBox, resizedBox } from './boxes.ts'

const room = { height: 10, width: 8 }

it('lies between two pixels in whatever order', () => {
  expect(boxBetween([2, 3], [5, 1])).toEqual([2, 6, 1, 4])
  expect(boxBetween([4, 4], [4, 4])).toEqual([4, 5, 4, 5])
})

it('moves as far as the room goes and keeps its size', () => {
  expect(movedBox([2, 6, 1, 4], 1, -1, room)).toEqual([3, 7, 0, 3])
  expect(movedBox([2, 6, 1, 4], 99, -99, room)).toEqual([6, 10, 0, 3])
})

it('is resized at its lower right corner, never to nothing', () => {
  expect(resizedBox([2, 6, 1, 4], 1, 2, room)).toEqual([2, 7, 1, 6])
  expect(resizedBox([2, 6, 1, 4], -99, 99, room)).toEqual([2, 3, 1, 8])
})

it('is typed and fits', () => {
  expect(fittedBox(2, 3, 4, 2, room)).toEqual([2, 6, 3, 5])
  expect(fittedBox(9, 7, 4, 2, room)).toEqual([6, 10, 6, 8])
  expect(fittedBox(-3, 0, 40, 0, room)).toEqual([0, 10, 0, 1])
})
