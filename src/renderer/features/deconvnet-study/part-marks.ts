import * as z from 'zod'
import type { PixelBox } from '../../lib/boxes.ts'

/** A picture whose parts are marked. */
export interface MarkedPicture {
  readonly dataset: string
  readonly split: string
  readonly index: number
}

/** A named box on a picture, in pixels of the network's input. */
export interface PartMark extends MarkedPicture {
  readonly part: string
  readonly box: PixelBox
}

export const samePicture = (a: MarkedPicture, b: MarkedPicture): boolean =>
  a.dataset === b.dataset && a.split === b.split && a.index === b.index

export const marksOn = (marks: readonly PartMark[], picture: MarkedPicture): readonly PartMark[] =>
  marks.filter((mark) => samePicture(mark, picture))

/** Marks a part of a picture; once a picture and name. */
export function withMark(marks: readonly PartMark[], mark: PartMark): readonly PartMark[] {
  const at = marks.findIndex((known) => samePicture(known, mark) && known.part === mark.part)
  return at < 0 ? [...marks, mark] : marks.with(at, mark)
}

export const withoutMark = (marks: readonly PartMark[], picture: MarkedPicture, part: string): readonly PartMark[] =>
  marks.filter((mark) => !samePicture(mark, picture) || mark.part !== part)

/** The boxes of one picture on another too, where that has none of these names yet. */
export function copiedMarks(marks: readonly PartMark[], from: MarkedPicture, to: MarkedPicture): readonly PartMark[] {
  const { dataset, split, index } = to
  const known = new Set(marksOn(marks, to).map(({ part }) => part))
  const copies = marksOn(marks, from).filter(({ part }) => !known.has(part))
  return [...marks, ...copies.map((mark) => ({ ...mark, dataset, split, index }))]
}

/** Names of parts in the order in which they were first marked. */
export const partNames = (marks: readonly PartMark[]): readonly string[] => [...new Set(marks.map(({ part }) => part))]

/** Pictures with marks in the order in which they were first marked. */
export function markedPictures(marks: readonly PartMark[]): readonly MarkedPicture[] {
  return marks.filter((mark, at) => marks.findIndex((other) => samePicture(other, mark)) === at)
}

/** The part that is drawn next on a picture: the first name that it lacks, or else the one that was drawn. */
export function nextPart(marks: readonly PartMark[], picture: MarkedPicture, drawn: string): string {
  const known = new Set(marksOn(marks, picture).map(({ part }) => part))
  return partNames(marks).find((part) => !known.has(part)) ?? drawn
}

/** A sentence for the first picture that lacks a part which others have; undefined where all have all. */
export function whatIsMissing(marks: readonly PartMark[]): string | undefined {
  const names = partNames(marks)
  for (const picture of markedPictures(marks)) {
    const known = new Set(marksOn(marks, picture).map(({ part }) => part))
    const missing = names.filter((name) => !known.has(name))
    if (missing.length > 0) return `Picture ${picture.index} of ${picture.dataset} lacks: ${missing.join(', ')}.`
  }
  return undefined
}

/** The pictures of a correspondence's document. */
export function picturesOf(marks: readonly PartMark[]): { picture: MarkedPicture; parts: Record<string, PixelBox> }[] {
  return markedPictures(marks).map((picture) => {
    const { dataset, split, index } = picture
    return {
      picture: { dataset, split, index },
      parts: Object.fromEntries(marksOn(marks, picture).map(({ part, box }) => [part, box])),
    }
  })
}

const side = z.number().int().nonnegative()
const StoredMark = z.object({
  ...{ dataset: z.string(), split: z.string(), index: side, part: z.string().min(1) },
  box: z.tuple([side, side, side, side]),
})
const StoredMarks = z.record(z.string(), z.array(StoredMark))

/** Marks by network. */
export type MarksByNetwork = Readonly<Record<string, readonly PartMark[]>>

/** What was remembered; nothing where that is missing or damaged. */
export function readMarks(text: string | null): MarksByNetwork {
  try {
    return StoredMarks.parse(JSON.parse(text ?? '{}'))
  } catch {
    return {}
  }
}
