/** Where the receptive fields of a batch of units lie in their pictures. */
import type { Tensor1D } from '@tensorflow/tfjs'
import type { Tfjs } from '../engines/engine.ts'
import { cellPlaces, poolCorrections, windowMasks, type PlacedUnit } from '../network/windowed-batch.ts'
import { startOf, windowOf, type WindowPlan } from '../network/windowed-plan.ts'
import type { PoolCorrections, WindowMasks } from '../network/windowed-walk.ts'

export type AscentField = {
  /** Int32 `[batch * rows * columns]`: the pixel of `[batch * height * width]` that each cell of a field is. */
  readonly cells: Tensor1D
  /** Int32 `[batch * height * width]`: the cell of the fields that each pixel is; their number for pixels outside. */
  readonly places: Tensor1D
  readonly masks: WindowMasks
  readonly corrections: PoolCorrections
}

/**
 * @param units one a picture; `picture` counts the pictures
 * @param overEdge the layers over whose edge some field reaches: `layersOverEdge`
 */
export function ascentField(
  tf: Tfjs,
  plan: WindowPlan,
  units: readonly PlacedUnit[],
  overEdge: readonly string[],
): AscentField {
  const input = windowOf(plan, plan.graph.input.name)
  return {
    cells: tf.tensor1d(cellPlaces(input, units), 'int32'),
    places: tf.tensor1d(pixelPlaces(plan, units), 'int32'),
    masks: windowMasks(tf, plan, overEdge, units),
    corrections: poolCorrections(tf, plan, overEdge, units),
  }
}

function pixelPlaces(plan: WindowPlan, units: readonly PlacedUnit[]): Int32Array {
  const { graph } = plan
  const { range } = windowOf(plan, graph.input.name)
  const [height = 1, width = 1] = graph.input.shape
  const size = range.rows.size * range.columns.size
  const places = new Int32Array(units.length * height * width).fill(units.length * size)
  for (const [index, { picture, row, column }] of units.entries()) {
    const [top, left] = startOf(range, row, column)
    for (let down = Math.max(top, 0); down < Math.min(top + range.rows.size, height); down++) {
      for (let right = Math.max(left, 0); right < Math.min(left + range.columns.size, width); right++) {
        places[(picture * height + down) * width + right] =
          index * size + (down - top) * range.columns.size + right - left
      }
    }
  }
  return places
}
