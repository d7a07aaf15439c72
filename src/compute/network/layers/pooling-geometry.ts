/** What max and average pooling have in common: windows over a map, without parameters. */
import { mapShape, type LayerImplementation } from '../layer.ts'
import { reachOf, windowsOf, type Windows } from '../windows.ts'

type Pooling = LayerImplementation<'max-pool' | 'avg-pool'>

export const poolingGeometry: Pick<Pooling, 'outputShape' | 'receptiveField' | 'parameters'> = {
  outputShape(spec, inputShapes) {
    const [height, width, channels] = mapShape(inputShapes)
    const windows = windowsOf(spec, height, width)
    requireInput(windows)
    return [windows.rows.output, windows.columns.output, channels]
  },
  receptiveField(spec, inputShapes) {
    const [height, width] = mapShape(inputShapes)
    return reachOf(windowsOf(spec, height, width))
  },
  parameters: () => [],
}

/** @throws RangeError when a window lies in the padding alone. */
function requireInput({ rows, columns }: Windows): void {
  for (const axis of [rows, columns]) {
    if (axis.before >= axis.kernel || (axis.output - 1) * axis.stride >= axis.before + axis.input) {
      throw new RangeError('a window would lie in the padding alone')
    }
  }
}
