/** Positions of a square that moves over a picture, and the mean of what was recorded over the squares that cover a pixel. */
import { ConvScopeError } from '../../shared/errors.ts'

export interface OcclusionGrid {
  /** First rows of the positions, from the top. */
  readonly rows: readonly number[]
  readonly columns: readonly number[]
  readonly window: readonly [number, number]
  /** `[height, width]` of the picture. */
  readonly size: readonly [number, number]
}

/** @throws ConvScopeError 'invalid-input' where the square is larger than the picture */
export function occlusionGrid(
  size: readonly [number, number],
  window: readonly [number, number],
  stride: readonly [number, number],
  positions: 'complete' | 'partial',
): OcclusionGrid {
  if (window[0] > size[0] || window[1] > size[1]) {
    throw new ConvScopeError(
      'invalid-input',
      `A square of ${window.join(' × ')} is larger than the network's input of ${size.join(' × ')}`,
      { remedy: 'Choose a smaller square.' },
    )
  }
  const starts = (axis: 0 | 1): number[] => {
    const room = (size[axis] - window[axis]) / stride[axis]
    const count = (positions === 'complete' ? Math.floor(room) : Math.ceil(room)) + 1
    return Array.from({ length: count }, (_, index) => index * stride[axis])
  }
  return { rows: starts(0), columns: starts(1), window, size }
}

/** How many squares cover each pixel, `[height, width]`. */
export function coverage(grid: OcclusionGrid): Int32Array {
  const counts = new Int32Array(grid.size[0] * grid.size[1])
  eachCovered(grid, (pixel) => {
    counts[pixel] = (counts[pixel] ?? 0) + 1
  })
  return counts
}

/** The mean of a grid's values over the squares that cover each pixel; 0 where none does. */
export function meanMap(grid: OcclusionGrid, values: ArrayLike<number>, counts: Int32Array): Float32Array {
  const sums = new Float64Array(counts.length)
  eachCovered(grid, (pixel, position) => {
    sums[pixel] = (sums[pixel] ?? 0) + (values[position] ?? NaN)
  })
  return Float32Array.from(sums, (sum, pixel) => {
    const count = counts[pixel] ?? 0
    return count > 0 ? sum / count : 0
  })
}

function eachCovered(
  { rows, columns, window, size }: OcclusionGrid,
  cover: (pixel: number, position: number) => void,
): void {
  for (const [down, top] of rows.entries()) {
    for (const [across, left] of columns.entries()) {
      for (let row = top; row < Math.min(top + window[0], size[0]); row++) {
        for (let column = left; column < Math.min(left + window[1], size[1]); column++) {
          cover(row * size[1] + column, down * columns.length + across)
        }
      }
    }
  }
}
