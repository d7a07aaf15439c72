import { describe, expect, it } from 'vitest'
import {
  copiedMarks,
  marksOn,
  nextPart,
  partNames,
  picturesOf,
  whatIsMissing,
  withMark,
  withoutMark,
  type PartMark,
} from './part-marks.ts'

const on = (index: number) => ({ dataset: 'animals', split: 'test', index })
const mark = (index: number, part: string, row = 0): PartMark => ({ ...on(index), part, box: [row, row + 2, 3, 5] })
const marks = [mark(1, 'eye'), mark(1, 'nose', 4), mark(7, 'eye', 2)]

describe('marks of parts', () => {
  it('are one for each picture and name', () => {
    const next = withMark(marks, mark(7, 'eye', 9))
    expect(next).toHaveLength(3)
    expect(marksOn(next, on(7))).toEqual([mark(7, 'eye', 9)])
    expect(withMark(marks, mark(7, 'nose'))).toHaveLength(4)
    expect(withoutMark(marks, on(1), 'eye')).toEqual([marks[1], marks[2]])
  })

  it('are copied to another picture, where they do not hide what is there', () => {
    const copied = copiedMarks(marks, on(1), on(7))
    expect(marksOn(copied, on(7))).toEqual([mark(7, 'eye', 2), mark(7, 'nose', 4)])
    expect(marksOn(copiedMarks(marks, on(1), on(8)), on(8))).toEqual([mark(8, 'eye'), mark(8, 'nose', 4)])
  })

  it('know what comes next and what is missing', () => {
    expect(partNames(marks)).toEqual(['eye', 'nose'])
    expect(nextPart(marks, on(7), 'eye')).toBe('nose')
    expect(nextPart(marks, on(1), 'nose')).toBe('nose')
    expect(whatIsMissing(marks)).toBe('Picture 7 of animals lacks: nose.')
    expect(whatIsMissing(copiedMarks(marks, on(1), on(7)))).toBeUndefined()
    expect(whatIsMissing([])).toBeUndefined()
  })

  it('become the pictures of a document', () => {
    expect(picturesOf(marks)).toEqual([
      { picture: on(1), parts: { eye: [0, 2, 3, 5], nose: [4, 6, 3, 5] } },
      { picture: on(7), parts: { eye: [2, 4, 3, 5] } },
    ])
  })
})
