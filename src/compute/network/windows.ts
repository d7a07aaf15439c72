/** Sliding windows: geometry, and moving values between windows and cells by operations that every engine computes alike. */
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import type { Padding } from '../../shared/network/spec.ts'
import type { AxisReach, Reach, Tensor, TensorFlow } from './layer.ts'

/** Windows along one axis: window i reads `i * stride - before + offset * dilation` for offsets 0 … kernel - 1. */
export interface AxisWindows {
  readonly input: number
  readonly output: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  /** As stated by the layer; 'ceil' windows may reach further. */
  readonly after: number
}
export interface Windows {
  readonly rows: AxisWindows
  readonly columns: AxisWindows
}

interface WindowSpec {
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: Padding
  readonly dilation?: readonly [number, number]
  readonly rounding?: 'floor' | 'ceil'
}

/** Cells from the first to the last that one window reads. */
export function extent(axis: Pick<AxisWindows, 'kernel' | 'dilation'>): number {
  return (axis.kernel - 1) * axis.dilation + 1
}

/** Cells of the padded axis that all windows together reach. */
export function reachedExtent(axis: AxisWindows): number {
  return (axis.output - 1) * axis.stride + extent(axis)
}

function axisWindows(input: number, spec: WindowSpec, axis: 0 | 1): AxisWindows {
  const kernel = spec.kernel[axis]
  const stride = spec.stride[axis]
  const dilation = spec.dilation?.[axis] ?? 1
  const field = extent({ kernel, dilation })
  if (spec.padding === 'same') {
    const output = Math.ceil(input / stride)
    const total = Math.max((output - 1) * stride + field - input, 0)
    const before = Math.floor(total / 2)
    return { input, output, kernel, stride, dilation, before, after: total - before }
  }
  const [top, bottom, left, right] = spec.padding === 'valid' ? [0, 0, 0, 0] : spec.padding
  const before = axis === 0 ? top : left
  const after = axis === 0 ? bottom : right
  const room = input + before + after - field
  if (room < 0) {
    throw new RangeError(
      `its window of ${field} ${axis === 0 ? 'rows' : 'columns'} is larger than the padded input of ${input + before + after}`,
    )
  }
  let output = (spec.rounding === 'ceil' ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
  // Caffe's rule: a last window that would start behind the input is dropped.
  if (spec.rounding === 'ceil' && output > 1 && (output - 1) * stride >= input + before) output -= 1
  return { input, output, kernel, stride, dilation, before, after }
}

/** @throws RangeError when a window is larger than the padded input. */
export function windowsOf(spec: WindowSpec, height: number, width: number): Windows {
  return { rows: axisWindows(height, spec, 0), columns: axisWindows(width, spec, 1) }
}

function axisReach(axis: AxisWindows): AxisReach {
  const { stride, before } = axis
  const size = extent(axis)
  return {
    size,
    stride,
    offset: -before,
    reach: (from, to) => [from * stride - before, (to - 1) * stride - before + size],
  }
}

/** Which input pixels the windows reach, by row and by column. */
export function reachOf(windows: Windows): Reach {
  return { rows: axisReach(windows.rows), columns: axisReach(windows.columns) }
}

/** `[batch, height, width, channels]` with `value` around it, at least as far as the windows reach. */
export function padForWindows(tf: TensorFlow, x: Tensor, { rows, columns }: Windows, value: number): Tensor4D {
  const bottom = Math.max(reachedExtent(rows) - rows.before - rows.input, 0)
  const right = Math.max(reachedExtent(columns) - columns.before - columns.input, 0)
  if (rows.before + bottom + columns.before + right === 0) return x as Tensor4D
  return tf.pad(
    x as Tensor4D,
    [
      [0, 0],
      [rows.before, bottom],
      [columns.before, right],
      [0, 0],
    ],
    value,
  )
}

/** Undoes `padForWindows`. */
export function cropPadding(tf: TensorFlow, padded: Tensor, { rows, columns }: Windows): Tensor4D {
  const [batch = 0, height, width, channels = 0] = padded.shape
  if (height === rows.input && width === columns.input) return padded as Tensor4D
  return tf.slice(padded as Tensor4D, [0, rows.before, columns.before, 0], [batch, rows.input, columns.input, channels])
}

/** Row and column of every cell of a window, in row-major order, in cells of the padded input from the window's first. */
export function windowOffsets({ rows, columns }: Windows): { readonly row: number; readonly column: number }[] {
  return Array.from({ length: rows.kernel * columns.kernel }, (_, index) => ({
    row: Math.floor(index / columns.kernel) * rows.dilation,
    column: (index % columns.kernel) * columns.dilation,
  }))
}

/** The cell at one offset of every window, `[batch, rows, columns, channels]`. */
export type CellReader = (offset: { readonly row: number; readonly column: number }) => Tensor4D

/**
 * Reads cells of `[batch, padded height, padded width, channels]` by their offset in the windows. Cells are sorted by phase (place within
 * one stride), each cut out once in contiguous pieces: a slice with strides takes TensorFlow ten times as long.
 */
export function cellReader(tf: TensorFlow, padded: Tensor4D, { rows, columns }: Windows): CellReader {
  const [batch, height, width, channels] = padded.shape
  const [down, right] = [rows.stride, columns.stride]
  const [gridRows, gridColumns] = [Math.ceil(height / down), Math.ceil(width / right)]
  const more = [gridRows * down - height, gridColumns * right - width] as const
  const whole =
    more[0] + more[1] === 0
      ? padded
      : tf.pad(padded, [
          [0, 0],
          [0, more[0]],
          [0, more[1]],
          [0, 0],
        ])
  const lines = tf.reshape(whole, [batch * gridRows, down, gridColumns, right * channels])
  const phases = new Map<number, Tensor4D>()
  const phaseAt = (row: number, column: number): Tensor4D => {
    if (down === 1 && right === 1) return padded
    const known = phases.get(row * right + column)
    if (known !== undefined) return known
    const cut = tf.slice(lines, [0, row, 0, column * channels], [batch * gridRows, 1, gridColumns, channels])
    const phase: Tensor4D = tf.reshape(cut, [batch, gridRows, gridColumns, channels])
    phases.set(row * right + column, phase)
    return phase
  }
  return ({ row, column }) => {
    const begin: [number, number, number, number] = [0, Math.floor(row / down), Math.floor(column / right), 0]
    return tf.slice(phaseAt(row % down, column % right), begin, [batch, rows.output, columns.output, channels])
  }
}

/** Moves `[batch, rows, columns, channels]` to where one offset of the windows lies; `fill` comes to the cells no window reaches. */
type Shift = (term: Tensor4D, fill?: number) => Tensor4D
/**
 * Adds the windows that see a cell at one offset (`index` in row-major order) to what was there `before`. For every cell, it is called
 * in the row-major order of the windows that share it.
 */
export type Meet = (index: number, shift: Shift, before: Tensor4D | undefined) => Tensor4D

/**
 * Sends values from windows back to their cells: `[batch, rows, columns, channels]` a cell of the window →
 * `[batch, input height, input width, channels]`, 0 where no window reads.
 *
 * Cells are sorted by phase (place within one stride). Within a phase, sending back is a shift on the grid of windows, so only the
 * last step, in which the phases are woven together, works at the size of the input.
 */
export function placeInCells(tf: TensorFlow, windows: Windows, meet: Meet): Tensor4D {
  const { rows, columns } = windows
  const gridRows = Math.ceil(Math.max(reachedExtent(rows), rows.before + rows.input) / rows.stride)
  const gridColumns = Math.ceil(Math.max(reachedExtent(columns), columns.before + columns.input) / columns.stride)

  const phases: (Tensor4D | undefined)[] = new Array<undefined>(rows.stride * columns.stride).fill(undefined)
  // A shared cell is at a smaller offset in a later window: going through the offsets backwards meets the first window first.
  for (const [index, offset] of [...windowOffsets(windows).entries()].reverse()) {
    const top = Math.floor(offset.row / rows.stride)
    const left = Math.floor(offset.column / columns.stride)
    const bottom = gridRows - rows.output - top
    const right = gridColumns - columns.output - left
    const still = top + left + bottom + right === 0
    const shift: Shift = (term, fill = 0) =>
      still
        ? term
        : tf.pad(
            term,
            [
              [0, 0],
              [top, bottom],
              [left, right],
              [0, 0],
            ],
            fill,
          )
    const phase = (offset.row % rows.stride) * columns.stride + (offset.column % columns.stride)
    phases[phase] = meet(index, shift, phases[phase])
  }

  const filled = phases.find((phase) => phase !== undefined)
  if (filled === undefined) throw new RangeError('a window without cells')
  const [batch, , , channels] = filled.shape
  let empty: Tensor4D | undefined
  const full = phases.map((phase) => phase ?? (empty ??= tf.zeros([batch, gridRows, gridColumns, channels])))
  const woven = interleave(tf, full, rows.stride, columns.stride)
  const [, height, width] = woven.shape
  if (height === rows.input && width === columns.input) return woven
  return tf.slice(woven, [0, rows.before, columns.before, 0], [batch, rows.input, columns.input, channels])
}

/** Weaves `down * right` maps of one size into one: cell (i, j) of map (a, e) comes to (i * down + a, j * right + e). Differentiable. */
export function interleave(tf: TensorFlow, maps: readonly Tensor4D[], down: number, right: number): Tensor4D {
  const [first] = maps
  if (first === undefined || maps.length !== down * right) throw new RangeError('one map a phase is needed')
  const [batch, height, width, channels] = first.shape
  if (maps.length === 1) return first
  const lines: Tensor3D[] = []
  for (let row = 0; row < down; row++) {
    const line = maps.slice(row * right, (row + 1) * right)
    const joined = line.length === 1 ? line[0] : tf.concat(line, 3)
    if (joined !== undefined) lines.push(tf.reshape(joined, [batch * height, 1, width * right * channels]))
  }
  const joined = lines.length === 1 ? lines[0] : tf.concat(lines, 1)
  if (joined === undefined) throw new RangeError('no maps')
  return tf.reshape(joined, [batch, height * down, width * right, channels])
}

/** Sums what meets in a cell: the transpose of reading windows. `term` gives the values sent to one offset. */
export function sumInCells(tf: TensorFlow, windows: Windows, term: (index: number) => Tensor4D): Tensor4D {
  return placeInCells(tf, windows, (index, shift, before) => {
    const shifted = shift(term(index))
    return before === undefined ? shifted : tf.add(before, shifted)
  })
}
