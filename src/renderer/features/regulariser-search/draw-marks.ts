/** Draws of a search with what the user thinks of them, on a canvas. */
import type { RunMarks } from '../../../shared/presets.ts'
import { formatCount } from '../../lib/format.ts'
import { drawTile, type Sheet } from '../../lib/picture-canvas.ts'

export type DrawMark = RunMarks[string]

/** For the name of a draw: `, starred`. */
export function markText(mark: DrawMark | undefined): string {
  if (mark === undefined) return ''
  return mark === 'star' ? ', starred' : ', rejected'
}

/** A tile of the sheet: a starred one with its star, a rejected one faint. */
export function drawMarked(
  context: CanvasRenderingContext2D,
  sheet: Sheet,
  draw: number,
  mark: DrawMark | undefined,
  left: number,
  top: number,
  width: number,
  height: number,
): void {
  context.globalAlpha = mark === 'reject' ? 0.25 : 1
  drawTile(context, sheet, draw, left, top, width, height)
  context.globalAlpha = 1
  if (mark === 'star') star(context, left + width - 9, top + 9)
}

/** Light within dark: to be seen on every picture. */
function star(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.beginPath()
  for (let point = 0; point < 10; point++) {
    const radius = point % 2 === 0 ? 7 : 3
    const angle = (point * Math.PI) / 5 - Math.PI / 2
    context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle))
  }
  context.closePath()
  context.fillStyle = '#ffd54a'
  context.strokeStyle = '#000'
  context.lineWidth = 1
  context.fill()
  context.stroke()
}

/** On the first picture of a group. */
export function groupNumber(context: CanvasRenderingContext2D, group: number, left: number, top: number): void {
  const text = formatCount(group)
  context.font = '600 11px sans-serif'
  context.textBaseline = 'middle'
  context.fillStyle = '#000'
  context.fillRect(left, top, context.measureText(text).width + 6, 14)
  context.fillStyle = '#fff'
  context.fillText(text, left + 3, top + 8)
}
