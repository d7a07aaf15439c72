/** Gradients of convolutions as convolutions, which XNNPACK runs fast; tfjs's WebAssembly backend has plain loops or nothing. */
import type { NamedAttrMap, Tensor, Tensor4D } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'
import { attribute, pairAttribute, type KernelBody } from './kernel-registry.ts'

type Shape4 = [number, number, number, number]

interface Geometry {
  readonly top: number
  readonly left: number
  readonly strideHeight: number
  readonly strideWidth: number
  readonly outHeight: number
  readonly outWidth: number
}

function geometry(
  tf: Tfjs,
  attrs: NamedAttrMap,
  inputShape: Shape4,
  filterShape: Shape4,
  depthwise: boolean,
): Geometry {
  const { padInfo, strideHeight, strideWidth, outHeight, outWidth } = tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    [...pairAttribute(attrs['strides'])] as [number, number],
    [...pairAttribute(attrs['dilations'] ?? 1)] as [number, number],
    attribute<'valid' | 'same'>(attrs, 'pad'),
    attribute<'floor'>(attrs, 'dimRoundingMode'),
    depthwise,
  )
  return { top: padInfo.top, left: padInfo.left, strideHeight, strideWidth, outHeight, outWidth }
}

/** Zero padding (positive) or cutting (negative) at the four sides of two neighbouring axes. */
function frame(tf: Tfjs, x: Tensor4D, axis: 1 | 2, [before, after]: readonly [number, number]): Tensor4D {
  const shape: Shape4 = [...x.shape]
  const begin: Shape4 = [0, 0, 0, 0]
  begin[axis] = Math.max(0, -before)
  shape[axis] -= Math.max(0, -before) + Math.max(0, -after)
  const cut = before < 0 || after < 0 ? tf.slice(x, begin, shape) : x
  if (before <= 0 && after <= 0) return cut
  const pads: [number, number][] = [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ]
  pads[axis] = [Math.max(0, before), Math.max(0, after)]
  return tf.pad(cut, pads) as Tensor4D
}

/** The part of the padded input that the windows cover: [batch or channels, needHeight, needWidth, …]. */
function covered(tf: Tfjs, x: Tensor4D, at: Geometry, filterHeight: number, filterWidth: number): Tensor4D {
  const needHeight = (at.outHeight - 1) * at.strideHeight + filterHeight
  const needWidth = (at.outWidth - 1) * at.strideWidth + filterWidth
  const tall = frame(tf, x, 1, [at.top, needHeight - x.shape[1] - at.top])
  return frame(tf, tall, 2, [at.left, needWidth - x.shape[2] - at.left])
}

/** Puts stride − 1 zeros after every row and column. */
function stuff(tf: Tfjs, dy: Tensor4D, strideHeight: number, strideWidth: number): Tensor4D {
  const [batch, height, width, channels] = dy.shape
  const columns =
    strideWidth === 1
      ? dy
      : tf.pad(tf.reshape(dy, [batch * height, width, 1, channels]), [
          [0, 0],
          [0, 0],
          [0, strideWidth - 1],
          [0, 0],
        ])
  const wide = width * strideWidth
  const rows =
    strideHeight === 1
      ? columns
      : tf.pad(tf.reshape(columns, [batch * height, 1, wide, channels]), [
          [0, 0],
          [0, strideHeight - 1],
          [0, 0],
          [0, 0],
        ])
  return tf.reshape(rows, [batch, height * strideHeight, wide, channels])
}

/** dy, zero-stuffed and framed so that a valid correlation with the flipped filter has the input's size. */
function spread(
  tf: Tfjs,
  dy: Tensor4D,
  at: Geometry,
  input: Shape4,
  filterHeight: number,
  filterWidth: number,
): Tensor4D {
  const stuffed = stuff(tf, dy, at.strideHeight, at.strideWidth)
  const top = filterHeight - 1 - at.top
  const left = filterWidth - 1 - at.left
  const tall = frame(tf, stuffed, 1, [top, input[1] + filterHeight - 1 - stuffed.shape[1] - top])
  return frame(tf, tall, 2, [left, input[2] + filterWidth - 1 - stuffed.shape[2] - left])
}

/** dW = x, with batch and channels exchanged, correlated with dy as a filter that is dilated by the stride. */
export function convolutionFilterGradient(tf: Tfjs): KernelBody {
  return ({ inputs, attrs }) =>
    tf.tidy(() => {
      const x = inputs['x'] as Tensor4D
      const dy = inputs['dy'] as Tensor4D
      const filterShape = attribute<Shape4>(attrs, 'filterShape')
      const at = geometry(tf, attrs, x.shape, filterShape, false)
      const channelsFirst = tf.transpose(x, [3, 1, 2, 0])
      const seen = covered(tf, channelsFirst, at, filterShape[0], filterShape[1])
      const filter = tf.transpose(dy, [1, 2, 0, 3])
      const result = tf.conv2d(seen, filter, 1, 'valid', 'NHWC', [at.strideHeight, at.strideWidth])
      return tf.transpose(result, [1, 2, 0, 3])
    })
}

/** dx = dy, spread by the stride, correlated with the flipped filter. */
export function convolutionInputGradient(tf: Tfjs): KernelBody {
  return ({ inputs, attrs }) =>
    tf.tidy(() => {
      const dy = inputs['dy'] as Tensor4D
      const filter = inputs['filter'] as Tensor4D
      const inputShape = attribute<Shape4>(attrs, 'inputShape')
      const at = geometry(tf, attrs, inputShape, filter.shape, false)
      const wide = spread(tf, dy, at, inputShape, filter.shape[0], filter.shape[1])
      const flipped = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2])
      return tf.conv2d(wide, flipped, 1, 'valid')
    })
}

/** One tap of the filter at a time: the sum over batch and places of the input seen by the tap times dy. */
export function depthwiseFilterGradient(tf: Tfjs): KernelBody {
  return ({ inputs, attrs }) =>
    tf.tidy(() => {
      const x = inputs['x'] as Tensor4D
      const dy = inputs['dy'] as Tensor4D
      const filterShape = attribute<Shape4>(attrs, 'filterShape')
      const [filterHeight, filterWidth, channels, multiplier] = filterShape
      const at = geometry(tf, attrs, x.shape, filterShape, true)
      const [batch, outHeight, outWidth] = dy.shape
      const seen = covered(tf, x, at, filterHeight, filterWidth)
      const taps: Tensor[] = []
      const perChannel = tf.reshape(dy, [batch * outHeight * outWidth, channels, multiplier])
      for (let row = 0; row < filterHeight; row++) {
        for (let column = 0; column < filterWidth; column++) {
          const end = [
            batch,
            row + (outHeight - 1) * at.strideHeight + 1,
            column + (outWidth - 1) * at.strideWidth + 1,
            channels,
          ]
          const part = tf.stridedSlice(seen, [0, row, column, 0], end, [1, at.strideHeight, at.strideWidth, 1])
          const repeated = tf.reshape(part, [batch * outHeight * outWidth, channels, 1])
          taps.push(tf.sum(tf.mul(perChannel, repeated), 0))
        }
      }
      return tf.reshape(tf.stack(taps), filterShape)
    })
}

/** As for the full convolution, channel by channel; with a multiplier, the gradients of its outputs are summed. */
export function depthwiseInputGradient(tf: Tfjs): KernelBody {
  return ({ inputs, attrs }) =>
    tf.tidy(() => {
      const dy = inputs['dy'] as Tensor4D
      const filter = inputs['filter'] as Tensor4D
      const inputShape = attribute<Shape4>(attrs, 'inputShape')
      const [filterHeight, filterWidth, channels, multiplier] = filter.shape
      const at = geometry(tf, attrs, inputShape, filter.shape, true)
      const wide = spread(tf, dy, at, inputShape, filterHeight, filterWidth)
      const flipped = tf.reshape(tf.reverse(filter, [0, 1]), [filterHeight, filterWidth, channels * multiplier, 1])
      const each = tf.depthwiseConv2d(wide, flipped as Tensor4D, 1, 'valid')
      return multiplier === 1 ? each : tf.sum(tf.reshape(each, [...inputShape, multiplier]), -1)
    })
}
