/** Curves as a picture, for files: a frame, a line at 0, and the lines. Numbers stand in the result. */
import { classColour } from '../../shared/class-colours.ts'
import type { Picture } from '../experiments/pictures.ts'

const GROUND = 255
const FRAME = 120
const ZERO = 205
const MARGIN = 6

/** @param lines y values of each line over the same x values; they are scaled to the largest and smallest of all, and 0 */
export function plot(
  x: readonly number[],
  lines: readonly (readonly number[])[],
  width: number,
  height: number,
): Picture {
  const pixels = new Uint8Array(width * height * 3).fill(GROUND)
  const set = (row: number, column: number, colour: readonly number[]): void => {
    if (row >= 0 && row < height && column >= 0 && column < width) pixels.set(colour, (row * width + column) * 3)
  }
  const all = lines.flat().filter(Number.isFinite)
  const low = Math.min(0, ...all)
  const high = Math.max(0, ...all)
  const [left = 0, right = 1] = [x[0], x.at(-1)]
  const columnOf = (value: number): number => MARGIN + ((value - left) / (right - left || 1)) * (width - 1 - 2 * MARGIN)
  const rowOf = (value: number): number =>
    height - 1 - MARGIN - ((value - low) / (high - low || 1)) * (height - 1 - 2 * MARGIN)
  for (let column = 0; column < width; column++) {
    set(Math.round(rowOf(0)), column, [ZERO, ZERO, ZERO])
    set(0, column, [FRAME, FRAME, FRAME])
    set(height - 1, column, [FRAME, FRAME, FRAME])
  }
  for (let row = 0; row < height; row++) {
    set(row, 0, [FRAME, FRAME, FRAME])
    set(row, width - 1, [FRAME, FRAME, FRAME])
  }
  for (const [index, line] of lines.entries()) {
    for (let place = 1; place < line.length; place++) {
      const from = [rowOf(line[place - 1] ?? 0), columnOf(x[place - 1] ?? 0)] as const
      const to = [rowOf(line[place] ?? 0), columnOf(x[place] ?? 0)] as const
      stroke(from, to, (row, column) => {
        set(row, column, classColour(index))
        set(row + 1, column, classColour(index))
      })
    }
  }
  return { width, height, channels: 3, pixels }
}

function stroke(
  from: readonly [number, number],
  to: readonly [number, number],
  set: (row: number, column: number) => void,
): void {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]))))
  for (let step = 0; step <= steps; step++) {
    const part = step / steps
    set(Math.round(from[0] + part * (to[0] - from[0])), Math.round(from[1] + part * (to[1] - from[1])))
  }
}
