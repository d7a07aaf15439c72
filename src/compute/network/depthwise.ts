/**
 * Depthwise convolution: every input channel has its own filters. Kernel `[height, width, 1, channels * multiplier]`, the filters of a
 * channel side by side. The gradients are written out: not every engine has them.
 */
import type { Tensor4D } from '@tensorflow/tfjs'
import type { TensorFlow } from './layer.ts'
import { cellReader, sumInCells, windowOffsets, type Windows } from './windows.ts'

/** `[batch, padded height, padded width, channels]` → `[batch, rows, columns, channels * multiplier]`. */
export function depthwise(
  tf: TensorFlow,
  padded: Tensor4D,
  kernel: Tensor4D,
  windows: Windows,
  differentiable: boolean,
): Tensor4D {
  if (!differentiable) return convolve(tf, padded, kernel, windows)
  const convolution = tf.customGrad((x, w, save) => {
    const maps = x as Tensor4D
    const weights = w as Tensor4D
    if (typeof save !== 'function') throw new TypeError('the library gave no way to save tensors')
    save([maps, weights])
    return {
      value: convolve(tf, maps, weights, windows),
      gradFunc: (signal, saved) => {
        const [savedMaps, savedKernel] = saved
        if (savedMaps === undefined || savedKernel === undefined) throw new RangeError('nothing was saved')
        const whole = wholeInput(windows, savedMaps as Tensor4D)
        return [
          depthwiseInputGradient(tf, signal as Tensor4D, savedKernel as Tensor4D, whole, padded.shape[3]),
          kernelGradient(tf, savedMaps as Tensor4D, signal as Tensor4D, savedKernel.shape, windows),
        ]
      },
    }
  })
  return convolution(padded, kernel) as Tensor4D
}

/** The same windows over an input that is padded already. */
function wholeInput({ rows, columns }: Windows, padded: Tensor4D): Windows {
  return {
    rows: { ...rows, input: padded.shape[1], before: 0, after: 0 },
    columns: { ...columns, input: padded.shape[2], before: 0, after: 0 },
  }
}

function convolve(tf: TensorFlow, padded: Tensor4D, kernel: Tensor4D, windows: Windows): Tensor4D {
  const { rows, columns } = windows
  const channels = padded.shape[3]
  const multiplier = kernel.shape[3] / channels
  if (rows.stride === columns.stride && rows.dilation === 1 && columns.dilation === 1) {
    const filters: Tensor4D = tf.reshape(kernel, [kernel.shape[0], kernel.shape[1], channels, multiplier])
    return tf.depthwiseConv2d(padded, filters, rows.stride, 'valid')
  }
  const cellsAt = cellReader(tf, padded, windows)
  let sum: Tensor4D | undefined
  for (const [place, offset] of windowOffsets(windows).entries()) {
    const term = tf.mul(repeatChannels(tf, cellsAt(offset), multiplier), kernelCell(tf, kernel, place))
    sum = sum === undefined ? (term as Tensor4D) : tf.add(sum, term)
  }
  if (sum === undefined) throw new RangeError('a kernel without cells')
  return sum
}

/** `[batch, rows, columns, channels * multiplier]` → the unpadded input, `[batch, height, width, channels]`. */
export function depthwiseInputGradient(
  tf: TensorFlow,
  signal: Tensor4D,
  kernel: Tensor4D,
  windows: Windows,
  channels: number,
): Tensor4D {
  const sum = sumInCells(tf, windows, (place) => tf.mul(signal, kernelCell(tf, kernel, place)))
  const multiplier = kernel.shape[3] / channels
  if (multiplier === 1) return sum
  const [batch, height, width] = sum.shape
  return tf.sum(tf.reshape(sum, [batch, height, width, channels, multiplier]), 4)
}

function kernelGradient(
  tf: TensorFlow,
  padded: Tensor4D,
  signal: Tensor4D,
  kernelShape: number[],
  windows: Windows,
): Tensor4D {
  const multiplier = signal.shape[3] / padded.shape[3]
  const cellsAt = cellReader(tf, padded, windows)
  const cells = windowOffsets(windows).map((offset) =>
    tf.sum(tf.mul(repeatChannels(tf, cellsAt(offset), multiplier), signal), [0, 1, 2]),
  )
  return tf.reshape(tf.stack(cells), kernelShape as [number, number, number, number])
}

/** The weights at one place of the window, for all filters: `[1, 1, 1, channels * multiplier]`. */
function kernelCell(tf: TensorFlow, kernel: Tensor4D, place: number): Tensor4D {
  const [, width, , filters] = kernel.shape
  return tf.slice(kernel, [Math.floor(place / width), place % width, 0, 0], [1, 1, 1, filters])
}

/** Every channel `times` times, side by side. */
function repeatChannels(tf: TensorFlow, maps: Tensor4D, times: number): Tensor4D {
  if (times === 1) return maps
  const [batch, height, width, channels] = maps.shape
  const cells = tf.tile(tf.reshape(maps, [batch * height * width, channels, 1]), [1, 1, times])
  return tf.reshape(cells, [batch, height, width, channels * times])
}
