/** What each kind of layer is in ONNX (opset 17): maps `[batch, channels, height, width]`, vectors `[batch, units]`. */
import type { LayerOf, LayerType } from '../../shared/network/spec.ts'
import { need } from '../network/layer.ts'
import { reachedExtent, windowsOf, type Windows } from '../network/windows.ts'
import type { GraphLayer } from '../network/graph.ts'
import { rearranged, valuesInMemory } from '../importers/assembly/stored-values.ts'
import type { ImportedTensor } from '../importers/imported-network.ts'
import type { Attribute, OnnxModel } from './onnx-model.ts'

export interface LayerSite {
  readonly model: OnnxModel
  readonly layer: GraphLayer
  /** By parameter name, in ConvScope's layout. */
  readonly weights: Readonly<Record<string, ImportedTensor>>
}

/** Adds the nodes of a layer; the last one gives the value that has the layer's name. */
export function addOnnxLayer(site: LayerSite): void {
  const { layer } = site
  const write = writers[layer.spec.type] as (site: LayerSite, spec: LayerOf<LayerType>) => void
  write(site, layer.spec)
}

type Writer<T extends LayerType> = (site: LayerSite, spec: LayerOf<T>) => void

const simple =
  (operator: string, attributes: Readonly<Record<string, Attribute>> = {}) =>
  ({ model, layer }: LayerSite): void => {
    model.node(operator, layer.inputs, layer.name, attributes)
  }

const writers: { readonly [T in LayerType]: Writer<T> } = {
  input: () => undefined,
  conv2d: convolution,
  'conv2d-transpose': transposed,
  relu: simple('Relu'),
  'leaky-relu': (site, { slope }) => simple('LeakyRelu', { alpha: { float: slope } })(site),
  relu6: ({ model, layer }) => {
    const bounds = [scalar(site(layer), 'min', 0, model), scalar(site(layer), 'max', 6, model)]
    model.node('Clip', [...layer.inputs, ...bounds], layer.name)
  },
  elu: (at, { alpha }) => simple('Elu', { alpha: { float: alpha } })(at),
  silu: ({ model, layer }) => {
    const gate = model.node('Sigmoid', layer.inputs, site(layer)('sigmoid'))
    model.node('Mul', [...layer.inputs, gate], layer.name)
  },
  gelu,
  sigmoid: simple('Sigmoid'),
  tanh: simple('Tanh'),
  'max-pool': ({ model, layer }, spec) => {
    model.node('MaxPool', layer.inputs, layer.name, windowAttributes(windowsIn(layer, spec)))
  },
  'avg-pool': averagePool,
  'global-max-pool': pooledWhole('GlobalMaxPool'),
  'global-avg-pool': pooledWhole('GlobalAveragePool'),
  lrn: (at, { size, alpha, beta, k, convention }) => {
    // ONNX divides alpha by the size.
    const own = convention === 'caffe' ? alpha : alpha * size
    simple('LRN', { size: { int: size }, alpha: { float: own }, beta: { float: beta }, bias: { float: k } })(at)
  },
  'batch-norm': normalised,
  dense: ({ model, layer, weights }, { bias }) => {
    const names = [parameter(model, layer, 'kernel', need(weights, 'kernel'))]
    if (bias) names.push(parameter(model, layer, 'bias', need(weights, 'bias')))
    model.node('Gemm', [...layer.inputs, ...names], layer.name)
  },
  dropout: simple('Identity'),
  softmax: simple('Softmax', { axis: { int: 1 } }),
  flatten: ({ model, layer }, { order }) => {
    const isMap = layer.inputShapes[0]?.length === 3
    const ordered =
      order === 'hwc' && isMap
        ? [model.node('Transpose', layer.inputs, site(layer)('hwc'), { perm: { ints: [0, 2, 3, 1] } })]
        : layer.inputs
    model.node('Flatten', ordered, layer.name, { axis: { int: 1 } })
  },
  padding: ({ model, layer }, { amounts: [top, bottom, left, right], value }) => {
    const pads = model.integers(site(layer)('pads'), [0, 0, top, left, 0, 0, bottom, right])
    model.node('Pad', [...layer.inputs, pads, scalar(site(layer), 'value', value, model)], layer.name, {
      mode: { text: 'constant' },
    })
  },
  upsample: ({ model, layer }, { factor, method }) => {
    const [down, right] = factor
    const scales = model.tensor(site(layer)('scales'), [4], () => Float32Array.of(1, 1, down, right))
    const nearest = {
      mode: { text: 'nearest' },
      coordinate_transformation_mode: { text: 'asymmetric' },
      nearest_mode: { text: 'floor' },
    }
    const linear = { mode: { text: 'linear' }, coordinate_transformation_mode: { text: 'half_pixel' } }
    model.node('Resize', [...layer.inputs, '', scales], layer.name, method === 'nearest' ? nearest : linear)
  },
  add: ({ model, layer }) => {
    model.node(layer.inputs.length === 2 ? 'Add' : 'Sum', layer.inputs, layer.name)
  },
  concat: simple('Concat', { axis: { int: 1 } }),
}

/** Names of values inside a layer. */
function site(layer: GraphLayer): (name: string) => string {
  return (name) => `${layer.name}/${name}`
}

function scalar(name: (name: string) => string, title: string, value: number, model: OnnxModel): string {
  return model.tensor(name(title), [], () => Float32Array.of(value))
}

function parameter(model: OnnxModel, layer: GraphLayer, name: string, { shape, values }: ImportedTensor): string {
  return model.tensor(site(layer)(name), shape, values)
}

/** A kernel `[height, width, a, b]` as `[b, a, height, width]`. */
function turnedKernel(kernel: ImportedTensor): ImportedTensor {
  const { shape } = kernel
  const axes = [3, 2, 0, 1]
  const values = () => rearranged(valuesInMemory(kernel.values()), shape, axes).values()
  return { shape: axes.map((axis) => shape[axis] ?? 1), values }
}

type WindowSpec = Parameters<typeof windowsOf>[0]

function windowsIn(layer: GraphLayer, spec: WindowSpec): Windows {
  const [height = 1, width = 1] = layer.inputShapes[0] ?? []
  return windowsOf(spec, height, width)
}

/** Padding as far as the windows reach, so that rounding down gives exactly them. */
function windowAttributes({ rows, columns }: Windows): Record<string, Attribute> {
  const after = (axis: Windows['rows']): number => Math.max(reachedExtent(axis) - axis.before - axis.input, 0)
  return {
    kernel_shape: { ints: [rows.kernel, columns.kernel] },
    strides: { ints: [rows.stride, columns.stride] },
    pads: { ints: [rows.before, columns.before, after(rows), after(columns)] },
  }
}

function convolution({ model, layer, weights }: LayerSite, spec: LayerOf<'conv2d'>): void {
  const names = [parameter(model, layer, 'kernel', turnedKernel(need(weights, 'kernel')))]
  if (spec.bias) names.push(parameter(model, layer, 'bias', need(weights, 'bias')))
  model.node('Conv', [...layer.inputs, ...names], layer.name, {
    ...windowAttributes(windowsIn(layer, spec)),
    dilations: { ints: spec.dilation },
    group: { int: spec.groups },
  })
}

function transposed({ model, layer, weights }: LayerSite, spec: LayerOf<'conv2d-transpose'>): void {
  const [height = 1, width = 1] = layer.inputShapes[0] ?? []
  const [rows = 1, columns = 1] = layer.shape
  const [top, , left] = typeof spec.padding === 'string' ? [0, 0, 0] : spec.padding
  const axis = (input: number, output: number, index: 0 | 1, stated: number) => {
    const full = (input - 1) * spec.stride[index] + spec.kernel[index]
    const before = spec.padding === 'same' ? Math.floor(Math.max(full - input * spec.stride[index], 0) / 2) : stated
    const after = full - before - output
    return { before, after: Math.max(after, 0), more: Math.max(-after, 0) }
  }
  const down = axis(height, rows, 0, top)
  const across = axis(width, columns, 1, left)
  // [height, width, out, in] → [in, out, height, width].
  const names = [parameter(model, layer, 'kernel', turnedKernel(need(weights, 'kernel')))]
  if (spec.bias) names.push(parameter(model, layer, 'bias', need(weights, 'bias')))
  model.node('ConvTranspose', [...layer.inputs, ...names], layer.name, {
    kernel_shape: { ints: spec.kernel },
    strides: { ints: spec.stride },
    pads: { ints: [down.before, across.before, down.after, across.after] },
    output_padding: { ints: [down.more, across.more] },
  })
}

/** Caffe divides by the cells inside the padded map: the padding becomes a layer of its own where windows reach behind it. */
function averagePool({ model, layer }: LayerSite, spec: LayerOf<'avg-pool'>): void {
  const windows = windowsIn(layer, spec)
  const { rows, columns } = windows
  const attributes = { ...windowAttributes(windows), count_include_pad: { int: spec.divisor === 'valid' ? 0 : 1 } }
  const beyond = [rows, columns].map((axis) => reachedExtent(axis) - axis.before - axis.input - axis.after)
  const [bottom = 0, right = 0] = beyond.map((size) => Math.max(size, 0))
  if (spec.divisor !== 'caffe' || bottom + right === 0) {
    model.node('AveragePool', layer.inputs, layer.name, attributes)
    return
  }
  const pads = model.integers(site(layer)('pads'), [0, 0, rows.before, columns.before, 0, 0, rows.after, columns.after])
  const inputs = [...layer.inputs, pads, scalar(site(layer), 'zero', 0, model)]
  const padded = model.node('Pad', inputs, site(layer)('padded'), { mode: { text: 'constant' } })
  model.node('AveragePool', [padded], layer.name, {
    ...attributes,
    pads: { ints: [0, 0, bottom, right] },
    count_include_pad: { int: 0 },
  })
}

function pooledWhole(operator: string) {
  return ({ model, layer }: LayerSite): void => {
    const pooled = model.node(operator, layer.inputs, site(layer)('pooled'))
    model.node('Flatten', [pooled], layer.name, { axis: { int: 1 } })
  }
}

function normalised({ model, layer, weights }: LayerSite, spec: LayerOf<'batch-norm'>): void {
  const { mean, variance } = { mean: need(weights, 'mean'), variance: need(weights, 'variance') }
  const constant = (value: number): ImportedTensor => ({
    shape: mean.shape,
    values: () => new Float32Array(mean.shape[0] ?? 0).fill(value),
  })
  const inputs = [
    parameter(model, layer, 'scale', spec.scale ? need(weights, 'scale') : constant(1)),
    parameter(model, layer, 'shift', spec.shift ? need(weights, 'shift') : constant(0)),
    parameter(model, layer, 'mean', mean),
    parameter(model, layer, 'variance', variance),
  ]
  model.node('BatchNormalization', [...layer.inputs, ...inputs], layer.name, { epsilon: { float: spec.epsilon } })
}

/** x · (1 + erf(x / √2)) / 2, or with tanh(√(2/π) · (x + 0.044715 x³)) (Hendrycks & Gimpel 2016), in torch's order of operations. */
function gelu({ model, layer }: LayerSite, { approximation }: LayerOf<'gelu'>): void {
  const [x = ''] = layer.inputs
  const name = site(layer)
  const value = (title: string, number: number): string => scalar(name, title, number, model)
  const bent = approximation === 'none' ? erfOf() : tanhOf()
  const sum = model.node('Add', [bent, value('one', 1)], name('sum'))
  const product = model.node('Mul', [x, sum], name('product'))
  model.node('Mul', [product, value('half', 0.5)], layer.name)

  function erfOf(): string {
    return model.node('Erf', [model.node('Div', [x, value('root', Math.SQRT2)], name('scaled'))], name('erf'))
  }
  function tanhOf(): string {
    const square = model.node('Mul', [x, x], name('square'))
    const cube = model.node('Mul', [square, x], name('cube'))
    const cubic = model.node('Mul', [cube, value('cubic', 0.044715)], name('bent'))
    const inner = model.node('Add', [x, cubic], name('inner'))
    const scaled = model.node('Mul', [inner, value('factor', Math.sqrt(2 / Math.PI))], name('scaled'))
    return model.node('Tanh', [scaled], name('tanh'))
  }
}
