/** Arrays whose axes lie in another order than row-major. */
import { sizeOf } from '../../shared/size-of.ts'

/**
 * The values in row-major order.
 * @param strides of each axis, in elements of `stored`
 */
export function gatherStrided(
  stored: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
): Float32Array {
  const values = new Float32Array(sizeOf(shape))
  const index = new Array<number>(shape.length).fill(0)
  let place = 0
  for (let to = 0; to < values.length; to++) {
    values[to] = stored[place] ?? 0
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1
      place += strides[axis] ?? 0
      if (next < (shape[axis] ?? 1)) {
        index[axis] = next
        break
      }
      place -= next * (strides[axis] ?? 0)
      index[axis] = 0
    }
  }
  return values
}
