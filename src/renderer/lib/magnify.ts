const LARGEST = 64

/** Middle of what is in sight, as fractions of the picture's width and height. */
export interface Centre {
  readonly x: number
  readonly y: number
}

export const MIDDLE: Centre = { x: 0.5, y: 0.5 }

/**
 * The next whole magnification in steps of about a quarter; 0 (fit) where it comes to the one that fits.
 * @param current screen pixels a picture pixel; 0 where the picture fits
 * @param fit the largest whole factor at which all of the picture is in sight
 */
export function nextMagnification(current: number, fit: number, direction: 1 | -1): number {
  const from = current || fit
  const next = Math.min(LARGEST, Math.max(1, from + direction * Math.max(1, Math.round(from / 4))))
  const passesFit = direction > 0 ? from < fit && next >= fit : from > fit && next <= fit
  return passesFit || next === fit || (!current && direction < 0) ? 0 : next
}

/** How far an axis is scrolled so that the centre is in the middle, within what can be scrolled. */
export function scrollOf(centre: number, content: number, room: number): number {
  return Math.round(Math.min(Math.max(0, content - room), Math.max(0, centre * content - room / 2)))
}

/** The centre along an axis that keeps the point `fraction` of the content at `offset` in the room. */
export function centreFor(fraction: number, offset: number, content: number, room: number): number {
  return (fraction * content - offset + room / 2) / content
}
