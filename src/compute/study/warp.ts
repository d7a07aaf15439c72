/** Moving, scaling and turning pictures: bilinear interpolation of floats between pixel centres. */
import type { TransformationKind } from '../../shared/experiments/invariance.ts'

export interface Warp {
  readonly kind: TransformationKind
  /** Pixels (down, or to the right), a factor (2 is twice as large), or degrees counter-clockwise. */
  readonly value: number
  readonly direction: 'vertical' | 'horizontal'
}

/**
 * The picture `[height, width, channels]` moved, or scaled or turned about its centre.
 * @param fill 'edge': outside the picture its nearest pixel counts; a number: that value
 */
export function warped(
  picture: Float32Array,
  [height, width, channels]: readonly [number, number, number],
  warp: Warp,
  fill: 'edge' | number,
): Float32Array {
  const source = sourceOf(warp, (height - 1) / 2, (width - 1) / 2)
  const result = new Float32Array(picture.length)
  const at = (row: number, column: number, channel: number): number => {
    const inside = row >= 0 && row < height && column >= 0 && column < width
    if (!inside && fill !== 'edge') return fill
    return picture[(clip(row, height) * width + clip(column, width)) * channels + channel] ?? 0
  }
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [y, x] = source(row, column)
      const top = Math.floor(y)
      const left = Math.floor(x)
      const down = y - top
      const right = x - left
      for (let channel = 0; channel < channels; channel++) {
        const upper = mix(at(top, left, channel), right === 0 ? 0 : at(top, left + 1, channel), right)
        const lower =
          down === 0 ? 0 : mix(at(top + 1, left, channel), right === 0 ? 0 : at(top + 1, left + 1, channel), right)
        result[(row * width + column) * channels + channel] = mix(upper, lower, down)
      }
    }
  }
  return result
}

/** Where the value of a pixel of the result comes from. */
function sourceOf({ kind, value, direction }: Warp, middleRow: number, middleColumn: number) {
  switch (kind) {
    case 'translation':
      return (row: number, column: number): readonly [number, number] =>
        direction === 'vertical' ? [row - value, column] : [row, column - value]
    case 'scale':
      return (row: number, column: number): readonly [number, number] => [
        middleRow + (row - middleRow) / value,
        middleColumn + (column - middleColumn) / value,
      ]
    case 'rotation': {
      const angle = (value * Math.PI) / 180
      // Quarter turns meet pixel centres exactly.
      const cos = tidy(Math.cos(angle))
      const sin = tidy(Math.sin(angle))
      return (row: number, column: number): readonly [number, number] => {
        const y = row - middleRow
        const x = column - middleColumn
        return [middleRow + cos * y + sin * x, middleColumn - sin * y + cos * x]
      }
    }
  }
}

function tidy(value: number): number {
  return Math.abs(value - Math.round(value)) < 1e-12 ? Math.round(value) : value
}

function mix(a: number, b: number, part: number): number {
  return part === 0 ? a : a + part * (b - a)
}

function clip(place: number, size: number): number {
  return Math.min(Math.max(place, 0), size - 1)
}
