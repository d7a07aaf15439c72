/**
 * Max pooling with own switches: in every window the first maximum in row-major order wins, on every engine (the engines' own
 * kernels break ties differently). Windows are clipped to the input: padding never wins.
 */
import type { Tensor4D } from '@tensorflow/tfjs'
import type { BackwardRules } from '../../../shared/network/rules.ts'
import { maxPoolWithSwitches, unpoolBySwitches, type PoolGeometry } from '../../engines/tensorflow-walk-kernels.ts'
import { mapShape, need, only, type LayerImplementation, type Tensor, type TensorFlow } from '../layer.ts'
import {
  cellReader,
  padForWindows,
  placeInCells,
  sumInCells,
  windowOffsets,
  windowsOf,
  type AxisWindows,
  type Windows,
} from '../windows.ts'
import { poolingGeometry } from './pooling-geometry.ts'

/** The lowest finite float32; loses against every input. */
const LOWEST = -3.4028234663852886e38

export const maxPool: LayerImplementation<'max-pool'> = {
  ...poolingGeometry,
  forward({ tf, spec, inputShapes }, inputs, mode) {
    const [height, width] = mapShape(inputShapes)
    const windows = windowsOf(spec, height, width)
    const x = only(inputs) as Tensor4D
    if (mode.saving && !mode.training) {
      const [output, switches] = maxPoolWithSwitches(tf, x, poolGeometry(windows, x.shape)) ?? []
      if (output !== undefined && switches !== undefined) return { output, saved: { winners: switches } }
    }
    const padded = padForWindows(tf, x, windows, LOWEST)
    if (mode.training && (padded !== x || tf.getBackend() === 'wasm')) return { output: differentiable(tf, x, windows) }
    const output = tf.maxPool(padded, spec.kernel, spec.stride, 'valid')
    if (mode.training || !mode.saving) return { output }
    return { output, saved: { winners: winners(tf, padded, windows) } }
  },
  backward({ tf, spec, inputShapes }, signal, saved, rules) {
    const [height, width] = mapShape(inputShapes)
    const windows = windowsOf(spec, height, width)
    const index = need(saved, 'winners') as Tensor4D
    const geometry = poolGeometry(windows, signal.shape)
    const own = unpoolBySwitches(tf, signal as Tensor4D, index, geometry, rules.unpool)
    return [own ?? unpool(tf, windows, signal as Tensor4D, index, rules.unpool)]
  },
}

/** Pools have no dilation. `maps` have the batch and the channels. */
function poolGeometry({ rows, columns }: Windows, maps: readonly number[]): PoolGeometry {
  const [batch = 0, , , channels = 0] = maps
  return {
    inputShape: [batch, rows.input, columns.input, channels],
    windows: [rows.output, columns.output],
    kernel: [rows.kernel, columns.kernel],
    strides: [rows.stride, columns.stride],
    before: [rows.before, columns.before],
  }
}

/**
 * For training where the engine's own gradient cannot be trusted: with padding, and on wasm, whose kernel loses windows of which every
 * value is negative.
 */
function differentiable(tf: TensorFlow, x: Tensor4D, windows: Windows): Tensor4D {
  const { rows, columns } = windows
  const pool = tf.customGrad((input, save) => {
    if (typeof input === 'function' || typeof save !== 'function')
      throw new TypeError('unexpected arguments of a custom gradient')
    const padded = padForWindows(tf, input, windows, LOWEST)
    save([winners(tf, padded, windows)])
    return {
      value: tf.maxPool(padded, [rows.kernel, columns.kernel], [rows.stride, columns.stride], 'valid'),
      gradFunc: (signal, saved) => unpool(tf, windows, signal as Tensor4D, only(saved) as Tensor4D, 'sum'),
    }
  })
  return pool(x) as Tensor4D
}

/** Index (row-major in the window) of the first maximum of every window: float32 `[batch, rows, columns, channels]`. */
function winners(tf: TensorFlow, padded: Tensor4D, windows: Windows): Tensor4D {
  return tf.tidy(() => {
    const [batch, , , channels] = padded.shape
    let index = firstInside(tf, windows, batch, channels)
    const cellsAt = cellReader(tf, padded, windows)
    let best: Tensor4D | undefined
    for (const [place, offset] of windowOffsets(windows).entries()) {
      const cells = cellsAt(offset)
      if (best === undefined) {
        best = cells
        continue
      }
      const wins = tf.cast(tf.greater(cells, best), 'float32')
      // index + wins * (place - index): exact, since both are small integers.
      index = tf.add(index, tf.mul(wins, tf.sub(place, index)))
      best = tf.maximum(best, cells)
    }
    return index
  })
}

/** Where the scan of each window starts: its first cell that is not padding. */
function firstInside(tf: TensorFlow, { rows, columns }: Windows, batch: number, channels: number): Tensor4D {
  if (rows.before === 0 && columns.before === 0) return tf.zeros([batch, rows.output, columns.output, channels])
  const skipped = (axis: AxisWindows, window: number) => Math.max(axis.before - window * axis.stride, 0)
  const values = new Float32Array(rows.output * columns.output)
  for (let row = 0; row < rows.output; row++) {
    for (let column = 0; column < columns.output; column++) {
      values[row * columns.output + column] = skipped(rows, row) * columns.kernel + skipped(columns, column)
    }
  }
  const map = tf.tensor4d(values, [1, rows.output, columns.output, 1])
  return tf.tile(map, [batch, 1, 1, channels])
}

/**
 * Sends `[signals, rows, columns, channels]` to the winners (batch 1 or as many as there are signals); cells that no window
 * selects get 0.
 */
function unpool(
  tf: TensorFlow,
  windows: Windows,
  signal: Tensor4D,
  index: Tensor4D,
  rule: BackwardRules['unpool'],
): Tensor4D {
  const overlap = windows.rows.kernel > windows.rows.stride || windows.columns.kernel > windows.columns.stride
  const selected = (place: number): Tensor4D => tf.cast(tf.equal(index, place), 'float32')
  if (rule === 'sum' || !overlap) return sumInCells(tf, windows, (place) => tf.mul(signal, selected(place)))
  if (rule === 'overwrite') {
    return placeInCells(tf, windows, (place, shift, before) => {
      const mask = selected(place)
      const sent = shift(tf.mul(signal, mask))
      return before === undefined ? sent : tf.add(tf.mul(before, tf.sub(1, shift(mask))), sent)
    })
  }
  const largest = placeInCells(tf, windows, (place, shift, before) => {
    const mask = selected(place)
    const sent: Tensor4D = tf.add(shift(tf.mul(signal, mask)), tf.mul(tf.sub(1, shift(mask)), LOWEST))
    return before === undefined ? sent : tf.maximum(before, sent)
  })
  const reached = tf.minimum(sumInCells(tf, windows, selected), 1)
  return tf.mul(largest, reached)
}

/** Absolute places `row * width + column` in the unpadded input, int32 `[batch, rows, columns, channels]`, of saved winners. */
export function switchPlaces(tf: TensorFlow, windows: Windows, index: Tensor): Tensor4D {
  return tf.tidy(() => {
    const { rows, columns } = windows
    const starts = (axis: AxisWindows) =>
      Array.from({ length: axis.output }, (_, window) => window * axis.stride - axis.before)
    const top = tf.tensor4d(starts(rows), [1, rows.output, 1, 1], 'int32')
    const left = tf.tensor4d(starts(columns), [1, 1, columns.output, 1], 'int32')
    const place = tf.cast(index as Tensor4D, 'int32')
    const down = tf.floorDiv(place, tf.scalar(columns.kernel, 'int32'))
    const right = tf.sub(place, tf.mul(down, tf.scalar(columns.kernel, 'int32')))
    const row = tf.add(top, down)
    const column = tf.add(left, right)
    return tf.add(tf.mul(row, tf.scalar(columns.input, 'int32')), column)
  })
}
