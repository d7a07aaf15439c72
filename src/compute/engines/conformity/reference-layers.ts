/** Convolution, pooling and normalisation by their definitions, in double precision. Images are [batch, height, width, channels]. */
import { add, build, get, zeros, type Array64 } from './array64.ts'

export type Padding = 'valid' | 'same'

interface Window {
  readonly out: number
  readonly before: number
}

/** Output size and zeros before the first row, after TensorFlow's rule: 'same' puts the odd zero behind. */
function windowOf(size: number, kernel: number, stride: number, padding: Padding): Window {
  if (padding === 'valid') return { out: Math.floor((size - kernel) / stride) + 1, before: 0 }
  const out = Math.ceil(size / stride)
  return { out, before: Math.floor(Math.max(0, (out - 1) * stride + kernel - size) / 2) }
}

const dimensions = (array: Array64): [number, number, number, number] => {
  const [a = 0, b = 0, c = 0, d = 0] = array.shape
  return [a, b, c, d]
}

/** Correlation with a filter [height, width, in, out]. */
export function convolution(x: Array64, filter: Array64, stride: number, padding: Padding): Array64 {
  const [batch, height, width, channels] = dimensions(x)
  const [filterHeight, filterWidth, , outChannels] = dimensions(filter)
  const vertical = windowOf(height, filterHeight, stride, padding)
  const horizontal = windowOf(width, filterWidth, stride, padding)
  return build([batch, vertical.out, horizontal.out, outChannels], ([n = 0, row = 0, column = 0, out = 0]) => {
    let sum = 0
    for (let i = 0; i < filterHeight; i++) {
      for (let j = 0; j < filterWidth; j++) {
        for (let c = 0; c < channels; c++) {
          sum +=
            get(x, n, row * stride + i - vertical.before, column * stride + j - horizontal.before, c) *
            get(filter, i, j, c, out)
        }
      }
    }
    return sum
  })
}

/** The transposed map of `convolution`: y [batch, h, w, out] to images of `shape`, with a filter [height, width, in, out]. */
export function transposedConvolution(
  y: Array64,
  filter: Array64,
  shape: readonly number[],
  stride: number,
  padding: Padding,
): Array64 {
  const [batch, rows, columns, outChannels] = dimensions(y)
  const [filterHeight, filterWidth, channels] = dimensions(filter)
  const top = windowOf(shape[1] ?? 0, filterHeight, stride, padding).before
  const left = windowOf(shape[2] ?? 0, filterWidth, stride, padding).before
  const result = zeros(shape)
  for (let n = 0; n < batch; n++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (let out = 0; out < outChannels; out++) {
          const value = get(y, n, row, column, out)
          for (let i = 0; i < filterHeight; i++) {
            for (let j = 0; j < filterWidth; j++) {
              for (let c = 0; c < channels; c++) {
                add(
                  result,
                  [n, row * stride + i - top, column * stride + j - left, c],
                  value * get(filter, i, j, c, out),
                )
              }
            }
          }
        }
      }
    }
  }
  return result
}

/** Every channel by its own filters [height, width, channels, multiplier]; output channel = channel × multiplier + index. */
export function depthwiseConvolution(x: Array64, filter: Array64, stride: number, padding: Padding): Array64 {
  const [batch, height, width, channels] = dimensions(x)
  const [filterHeight, filterWidth, , multiplier] = dimensions(filter)
  const vertical = windowOf(height, filterHeight, stride, padding)
  const horizontal = windowOf(width, filterWidth, stride, padding)
  return build(
    [batch, vertical.out, horizontal.out, channels * multiplier],
    ([n = 0, row = 0, column = 0, out = 0]) => {
      const c = Math.floor(out / multiplier)
      let sum = 0
      for (let i = 0; i < filterHeight; i++) {
        for (let j = 0; j < filterWidth; j++) {
          const value = get(x, n, row * stride + i - vertical.before, column * stride + j - horizontal.before, c)
          sum += value * get(filter, i, j, c, out % multiplier)
        }
      }
      return sum
    },
  )
}

/** Maximum or mean over square windows; cells outside the image do not take part. */
export function pooling(kind: 'max' | 'average', x: Array64, size: number, stride: number, padding: Padding): Array64 {
  const [batch, height, width, channels] = dimensions(x)
  const vertical = windowOf(height, size, stride, padding)
  const horizontal = windowOf(width, size, stride, padding)
  return build([batch, vertical.out, horizontal.out, channels], ([n = 0, row = 0, column = 0, c = 0]) => {
    const values: number[] = []
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const at = [row * stride + i - vertical.before, column * stride + j - horizontal.before] as const
        if (at[0] >= 0 && at[0] < height && at[1] >= 0 && at[1] < width) values.push(get(x, n, at[0], at[1], c))
      }
    }
    return kind === 'max' ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0) / values.length
  })
}

/** x / (bias + alpha Σ x²)^beta, the sum over the 2·radius + 1 channels around each. */
export function responseNormalisation(x: Array64, radius: number, bias: number, alpha: number, beta: number): Array64 {
  return build(x.shape, ([n = 0, row = 0, column = 0, c = 0]) => {
    let squares = 0
    for (let k = c - radius; k <= c + radius; k++) squares += get(x, n, row, column, k) ** 2
    return get(x, n, row, column, c) / (bias + alpha * squares) ** beta
  })
}
