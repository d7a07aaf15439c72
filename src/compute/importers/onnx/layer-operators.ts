/** ONNX's operators that become layers with windows or weights. */
import { UnsupportedOperator, type LayerDraft } from '../assembly/network-assembly.ts'
import type { ImportedTensor } from '../imported-network.ts'
import { axisOf, channelAxis, type Activation, type NodeSite, type Value } from './node-site.ts'
import { dimsOf, numbersOf, parameterOf, type Constant } from './tensor.ts'
import { paddingOf, pair, transposedPadding, type Four, type Pair } from './windows.ts'

export type Operator = (site: NodeSite) => Value

export const layerOperators: Readonly<Record<string, Operator>> = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: (site) => pooling(site, (windows) => ({ type: 'max-pool', ...windows })),
  AveragePool: (site) => {
    const divisor = site.integer('count_include_pad', 0) === 0 ? 'valid' : 'caffe'
    return pooling(site, (windows) => ({ type: 'avg-pool', ...windows, divisor }))
  },
  GlobalMaxPool: (site) => globalPooling(site, 'global-max-pool'),
  GlobalAveragePool: (site) => globalPooling(site, 'global-avg-pool'),
  LRN: (site) =>
    site.layer({
      type: 'lrn',
      size: site.integer('size', 0),
      alpha: site.float('alpha', 1e-4),
      beta: site.float('beta', 0.75),
      k: site.float('bias', 1),
      convention: 'caffe',
    }),
  BatchNormalization: batchNormalisation,
  Gemm: gemm,
  Pad: padding,
  Resize: resize,
  Upsample: resize,
}

/** The matrix product with a constant, and the sum after it where there is one. */
export function dense(site: NodeSite, bias: Constant | undefined): Activation {
  const below = site.activation()
  const weights = site.requiredConstant(1)
  if (weights.axes.length !== 2 || below.output.shape.length !== 1 || below.dims.length !== 2) {
    throw new UnsupportedOperator('a product that is not one of units and a matrix')
  }
  const units = dimsOf(weights)[1] ?? 0
  return site.layer(
    { type: 'dense', units, bias: bias !== undefined },
    { kernel: parameterOf(weights, [0, 1]), ...(bias ? { bias: spread(bias, units) } : {}) },
  )
}

/** One value for each of `units`, from a list or a single number. */
export function spread(
  constant: Constant,
  units: number,
  change: (value: number) => number = (value) => value,
): ImportedTensor {
  return {
    shape: [units],
    values: () => {
      const numbers = numbersOf(constant)
      return new Float32Array(units).map((_, unit) => change(numbers[numbers.length === 1 ? 0 : unit] ?? 0))
    },
  }
}

function convolution(site: NodeSite): Value {
  const below = mapOf(site)
  const weights = site.requiredConstant(1)
  const bias = site.constant(2)
  const [filters = 0, , kernelHeight = 0, kernelWidth = 0] = dimsOf(weights)
  if (weights.axes.length !== 4) throw new UnsupportedOperator(`a convolution along ${weights.axes.length - 2} axes`)
  const groups = site.integer('group', 1)
  const tensors: Readonly<Record<string, ImportedTensor>> = bias ? { bias: spread(bias, bias.values.count) } : {}
  if (below.output.shape.length === 1) {
    // One place is left: a convolution of 1×1 is a fully connected layer.
    if (kernelHeight !== 1 || kernelWidth !== 1 || groups !== 1) {
      throw new UnsupportedOperator('it looks for a picture where one place is left')
    }
    const flat: Constant = { ...weights, shape: weights.shape.slice(0, 2), axes: [0, 1] }
    return site.layer(
      { type: 'dense', units: filters, bias: bias !== undefined },
      { ...tensors, kernel: parameterOf(flat, [1, 0]) },
    )
  }
  const dilation = pair(site, 'dilations', 1)
  const kernel: Pair = [kernelHeight, kernelWidth]
  const stride = pair(site, 'strides', 1)
  return site.layer(
    {
      type: 'conv2d',
      filters,
      kernel,
      stride,
      padding: paddingOf(site, below, kernel, stride, dilation),
      dilation,
      groups,
      bias: bias !== undefined,
    },
    { kernel: parameterOf(weights, [2, 3, 1, 0]), ...tensors },
  )
}

function transposedConvolution(site: NodeSite): Value {
  const below = mapOf(site)
  const weights = site.requiredConstant(1)
  const bias = site.constant(2)
  const [, filters = 0, kernelHeight = 0, kernelWidth = 0] = dimsOf(weights)
  if (weights.axes.length !== 4 || below.output.shape.length !== 3) {
    throw new UnsupportedOperator('a transposed convolution that is not one of pictures')
  }
  if (site.integer('group', 1) !== 1) throw new UnsupportedOperator('a transposed convolution with groups')
  if (pair(site, 'dilations', 1).some((step) => step !== 1)) {
    throw new UnsupportedOperator('a transposed convolution with dilation')
  }
  const kernel: Pair = [kernelHeight, kernelWidth]
  const stride = pair(site, 'strides', 1)
  const outputPadding = pair(site, 'output_padding', 0)
  return site.layer(
    {
      type: 'conv2d-transpose',
      filters,
      kernel,
      stride,
      padding: transposedPadding(site, below, kernel, stride, outputPadding),
      outputPadding,
      bias: bias !== undefined,
    },
    { kernel: parameterOf(weights, [2, 3, 1, 0]), ...(bias ? { bias: spread(bias, bias.values.count) } : {}) },
  )
}

function pooling(
  site: NodeSite,
  draft: (windows: { kernel: Pair; stride: Pair; padding: Four | 'same'; rounding: 'ceil' | 'floor' }) => LayerDraft,
): Value {
  const below = mapOf(site)
  if (below.output.shape.length === 1) throw new UnsupportedOperator('it pools where one place is left')
  if (pair(site, 'dilations', 1).some((step) => step !== 1)) throw new UnsupportedOperator('pooling with dilation')
  const kernel = pair(site, 'kernel_shape', 0)
  const stride = pair(site, 'strides', 1)
  const rounding = site.integer('ceil_mode', 0) === 1 ? 'ceil' : 'floor'
  return site.layer(draft({ kernel, stride, padding: paddingOf(site, below, kernel, stride, [1, 1]), rounding }))
}

function globalPooling(site: NodeSite, type: 'global-max-pool' | 'global-avg-pool'): Value {
  const below = mapOf(site)
  return below.output.shape.length === 1 ? below : site.layer({ type })
}

function batchNormalisation(site: NodeSite): Value {
  const below = site.activation()
  if (channelAxis(below) !== 1)
    throw new UnsupportedOperator('it normalises along an axis that is not that of the channels')
  if (site.integer('training_mode', 0) !== 0)
    throw new UnsupportedOperator('normalisation by the batch (training_mode)')
  const parameter = (index: number): ImportedTensor => {
    const constant = site.requiredConstant(index)
    return spread(constant, constant.values.count)
  }
  return site.layer(
    { type: 'batch-norm', epsilon: site.float('epsilon', 1e-5) },
    { scale: parameter(1), shift: parameter(2), mean: parameter(3), variance: parameter(4) },
  )
}

function gemm(site: NodeSite): Value {
  const below = site.activation()
  const weights = site.requiredConstant(1)
  const bias = site.constant(2)
  if (site.integer('transA', 0) !== 0 || weights.axes.length !== 2 || below.dims.length !== 2) {
    throw new UnsupportedOperator('a product that is not one of units and a matrix')
  }
  const outFirst = site.integer('transB', 0) !== 0
  const units = dimsOf(weights)[outFirst ? 0 : 1] ?? 0
  const kernel = parameterOf(weights, outFirst ? [1, 0] : [0, 1])
  const alpha = site.float('alpha', 1)
  const beta = site.float('beta', 1)
  if (bias !== undefined && bias.values.count !== units && bias.values.count !== 1) {
    throw site.damaged(`its bias has ${bias.values.count} values for ${units} units`)
  }
  return site.layer(
    { type: 'dense', units, bias: bias !== undefined },
    {
      kernel: alpha === 1 ? kernel : { ...kernel, values: () => kernel.values().map((value) => value * alpha) },
      ...(bias ? { bias: spread(bias, units, (value) => value * beta) } : {}),
    },
  )
}

function padding(site: NodeSite): Value {
  const below = site.activation()
  const mode = site.text('mode', 'constant')
  if (mode !== 'constant') throw new UnsupportedOperator(`padding of the kind ${mode}`)
  const amounts = site.settings('pads', 1) ?? []
  const fill = site.constant(2)
  const value = fill === undefined ? site.float('value', 0) : (numbersOf(fill)[0] ?? 0)
  const rank = below.dims.length
  const axes = site.constant(3)
  const named =
    axes === undefined
      ? below.dims.map((_, axis) => axis)
      : Array.from(numbersOf(axes)).map((axis) => axisOf(axis, rank))
  const sides = (axis: number): Pair => {
    const place = named.indexOf(axis)
    return place === -1 ? [0, 0] : [amounts[place] ?? 0, amounts[place + named.length] ?? 0]
  }
  const [rows, columns] = below.layout === 'chw' ? [2, 3] : [1, 2]
  const others = below.dims.map((_, axis) => axis).filter((axis) => axis !== rows && axis !== columns)
  if (others.some((axis) => sides(axis).some((amount) => amount !== 0))) {
    throw new UnsupportedOperator('padding of channels or batch')
  }
  const four: Four = [...sides(rows), ...sides(columns)]
  if (four.every((amount) => amount === 0)) return below
  if (below.output.shape.length === 1 || four.some((amount) => amount < 0))
    throw new UnsupportedOperator('negative padding')
  return site.layer({ type: 'padding', amounts: four, value })
}

function resize(site: NodeSite): Value {
  const below = mapOf(site)
  const [height = 1, width = 1] = below.output.shape
  if (below.output.shape.length === 1) throw new UnsupportedOperator('it enlarges where one place is left')
  const old = site.node.op_type === 'Upsample' || site.opset < 11
  const sizes = old ? undefined : site.constant(3)
  const scales = old ? (site.floats('scales') ?? site.settings('', 1)) : site.settings('', 2)
  const [, , down = NaN, right = NaN] =
    sizes === undefined
      ? (scales ?? [])
      : Array.from(numbersOf(sizes)).map((size, axis) => (axis === 2 ? size / height : size / width))
  if (![down, right].every((factor) => Number.isInteger(factor) && factor >= 1)) {
    throw new UnsupportedOperator('resizing by a factor that is no whole number')
  }
  if (down === 1 && right === 1) return below
  const mode = site.text('mode', 'nearest')
  const places = old ? 'asymmetric' : site.text('coordinate_transformation_mode', 'half_pixel')
  const rounding = old ? 'floor' : site.text('nearest_mode', 'round_prefer_floor')
  const factor: Pair = [down, right]
  if (mode === 'nearest') {
    const whole =
      (places === 'asymmetric' &&
        (rounding === 'floor' || (rounding === 'round_prefer_floor' && down <= 2 && right <= 2))) ||
      (places.endsWith('half_pixel') && rounding.startsWith('round_prefer'))
    if (!whole) throw new UnsupportedOperator(`nearest resizing with ${places} and ${rounding}`)
    return site.layer({ type: 'upsample', factor, method: 'nearest' })
  }
  if (mode !== 'linear' || !places.endsWith('half_pixel'))
    throw new UnsupportedOperator(`resizing of the kind ${mode}, ${places}`)
  return site.layer({ type: 'upsample', factor, method: 'bilinear' })
}

/** The first input, its channels in ONNX's place. */
function mapOf(site: NodeSite): Activation {
  const below = site.activation()
  if (below.dims.length !== 4) throw site.damaged(`it takes four sizes, not ${below.dims.length}`)
  if (below.layout !== 'chw') throw new UnsupportedOperator('its channels are not in ONNX’s place')
  return below
}
