/** Number of values of an array of this shape; 1 for a scalar's, `[]`. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1)
}
