/** Caffe's layers as ConvScope's: settings with Caffe's defaults, weights in ConvScope's layout. */
import type { ImportedTensor } from '../imported-network.ts'
import {
  UnsupportedOperator,
  type LayerDraft,
  type LayerOutput,
  type NetworkAssembly,
} from '../assembly/network-assembly.ts'
import { rearranged } from '../assembly/stored-values.ts'
import type { StoredBlob } from './blob.ts'
import type { ConvolutionParameter, Layer } from './schema.ts'

export interface LayerSite {
  readonly assembly: NetworkAssembly
  readonly name: string
  readonly layer: Layer
  readonly inputs: readonly LayerOutput[]
  readonly blobs: readonly StoredBlob[]
  /** For BatchNorm: the Scale layer that follows it and nothing else reads. */
  readonly scale: { readonly layer: Layer; readonly blobs: readonly StoredBlob[] } | undefined
}
type Convert = (site: LayerSite) => LayerOutput
type Four = [number, number, number, number]

/** By Caffe's type. Where an operator has no counterpart they throw UnsupportedOperator. */
export const caffeLayers: Readonly<Record<string, Convert>> = {
  Convolution: convolution,
  Deconvolution: deconvolution,
  InnerProduct: innerProduct,
  Pooling: pooling,
  LRN: normalisation,
  BatchNorm: batchNorm,
  Scale: scale,
  Bias: bias,
  Power: power,
  ReLU: (site) => {
    const slope = site.layer.relu_param?.negative_slope ?? 0
    return simple(site, slope === 0 ? { type: 'relu' } : { type: 'leaky-relu', slope })
  },
  ELU: (site) => simple(site, { type: 'elu', alpha: site.layer.elu_param?.alpha ?? 1 }),
  Sigmoid: (site) => simple(site, { type: 'sigmoid' }),
  TanH: (site) => simple(site, { type: 'tanh' }),
  Dropout: (site) => simple(site, { type: 'dropout', rate: site.layer.dropout_param?.dropout_ratio ?? 0.5 }),
  Softmax: softmax,
  SoftmaxWithLoss: softmax,
  Flatten: (site) => {
    const { axis = 1, end_axis: end = -1 } = site.layer.flatten_param ?? {}
    if (axis !== 1 || (end !== -1 && end !== 3)) throw new UnsupportedOperator(`it flattens axes ${axis} to ${end}`)
    return site.assembly.flatten(site.name, input(site), 'chw')
  },
  Reshape: (site) => {
    const dims = site.layer.reshape_param?.shape?.dim ?? []
    const [batch, second, ...rest] = dims
    if (!((batch === 0 || batch === -1) && second !== 0 && second !== undefined && rest.every((size) => size === 1))) {
      throw new UnsupportedOperator(`it reshapes to [${dims.join(', ')}], which is not a flattening`)
    }
    return site.assembly.flatten(site.name, input(site), 'chw')
  },
  Concat: (site) => {
    const axis = site.layer.concat_param?.axis ?? site.layer.concat_param?.concat_dim ?? 1
    if (axis !== 1) throw new UnsupportedOperator(`it joins axis ${axis} and not the channels`)
    return site.inputs.length === 1 ? input(site) : simple(site, { type: 'concat' })
  },
  Eltwise: (site) => {
    const { operation = 'SUM', coeff = [] } = site.layer.eltwise_param ?? {}
    if (operation !== 'SUM' || coeff.some((factor) => factor !== 1)) {
      throw new UnsupportedOperator(operation === 'SUM' ? 'its sum has coefficients' : `its operation is ${operation}`)
    }
    return simple(site, { type: 'add' })
  },
}

function simple({ assembly, name, inputs }: LayerSite, draft: LayerDraft): LayerOutput {
  return assembly.add(name, draft, inputs)
}

function input({ inputs, assembly, name }: LayerSite): LayerOutput {
  const [first] = inputs
  if (first === undefined || inputs.length !== 1) {
    throw assembly.damaged(name, `it takes one input, not ${inputs.length}`)
  }
  return first
}

function convolution(site: LayerSite): LayerOutput {
  const settings = windowOf(site, site.layer.convolution_param)
  const { filters, groups } = settings
  const tensors = weightsOf(site, [2, 3, 1, 0], settings.bias)
  const [kernelHeight, kernelWidth] = settings.kernel
  const below = input(site)
  if (below.shape.length === 1) {
    // One place is left: a convolution of 1×1 is a fully connected layer.
    if (kernelHeight !== 1 || kernelWidth !== 1 || groups !== 1) {
      throw new UnsupportedOperator('it looks for a picture where one place is left')
    }
    const [kernel] = site.blobs
    return site.assembly.add(site.name, { type: 'dense', units: filters, bias: settings.bias }, [below], {
      ...tensors,
      ...(kernel ? { kernel: matrix(kernel, true) } : {}),
    })
  }
  return site.assembly.add(site.name, { type: 'conv2d', ...settings }, [below], tensors)
}

function deconvolution(site: LayerSite): LayerOutput {
  const { dilation, groups, ...settings } = windowOf(site, site.layer.convolution_param)
  if (groups !== 1) throw new UnsupportedOperator('a transposed convolution with groups')
  if (dilation.some((step) => step !== 1)) throw new UnsupportedOperator('a transposed convolution with dilation')
  // Stored as [in, out, height, width].
  const tensors = weightsOf(site, [2, 3, 1, 0], settings.bias)
  return site.assembly.add(site.name, { type: 'conv2d-transpose', ...settings }, [input(site)], tensors)
}

function innerProduct(site: LayerSite): LayerOutput {
  const {
    num_output: units = 0,
    bias_term: bias = true,
    axis = 1,
    transpose = false,
  } = site.layer.inner_product_param ?? {}
  if (axis !== 1) throw new UnsupportedOperator(`it works along axis ${axis}`)
  const flat = site.assembly.flatten(`${site.name}-flatten`, input(site), 'chw')
  const [kernel, shift] = site.blobs
  return site.assembly.add(site.name, { type: 'dense', units, bias }, [flat], {
    ...(kernel ? { kernel: matrix(kernel, !transpose) } : {}),
    ...(bias && shift ? { bias: vector(shift) } : {}),
  })
}

function pooling(site: LayerSite): LayerOutput {
  const parameter = site.layer.pooling_param
  const method = parameter?.pool ?? 'MAX'
  if (method !== 'MAX' && method !== 'AVE') throw new UnsupportedOperator(`pooling of the kind ${method}`)
  if (parameter?.global_pooling === true) {
    const below = input(site)
    if (below.shape.length === 1) return below
    return simple(site, { type: method === 'MAX' ? 'global-max-pool' : 'global-avg-pool' })
  }
  const { kernel_size: size, stride: step, pad = 0, round_mode: rounding = 'CEIL' } = parameter ?? {}
  const kernel = pair(parameter?.kernel_h, parameter?.kernel_w, size)
  const stride = pair(parameter?.stride_h, parameter?.stride_w, step ?? 1)
  const [vertical, horizontal] = pair(parameter?.pad_h, parameter?.pad_w, pad)
  const padding: Four = [vertical, vertical, horizontal, horizontal]
  const windows = { kernel, stride, padding, rounding: rounding === 'CEIL' ? ('ceil' as const) : ('floor' as const) }
  return simple(
    site,
    method === 'MAX' ? { type: 'max-pool', ...windows } : { type: 'avg-pool', ...windows, divisor: 'caffe' },
  )
}

function normalisation(site: LayerSite): LayerOutput {
  const { local_size: size = 5, alpha = 1, beta = 0.75, k = 1, norm_region: region } = site.layer.lrn_param ?? {}
  if (region !== undefined && region !== 'ACROSS_CHANNELS') {
    throw new UnsupportedOperator('normalisation within a channel (norm_region: WITHIN_CHANNEL)')
  }
  return simple(site, { type: 'lrn', size, alpha, beta, k, convention: 'caffe' })
}

function batchNorm(site: LayerSite): LayerOutput {
  const [mean, variance, factor] = site.blobs
  const [gain, shift] = site.scale?.blobs ?? []
  const shifted = site.scale !== undefined && (site.scale.layer.scale_param?.bias_term ?? false)
  // Caffe stores sums of moving averages and what to divide them by.
  const divided = (blob: StoredBlob): ImportedTensor => ({
    shape: [blob.values.count],
    values: () => {
      const divisor = factor === undefined || factor.values.count < 1 ? 1 : (factor.values.read(0, 1)[0] ?? 1)
      return blob.values.read(0, blob.values.count).map((value) => (divisor === 0 ? 0 : value / divisor))
    },
  })
  return site.assembly.add(
    site.name,
    {
      type: 'batch-norm',
      epsilon: site.layer.batch_norm_param?.eps ?? 1e-5,
      scale: site.scale !== undefined,
      shift: shifted,
    },
    [input(site)],
    {
      ...(mean ? { mean: divided(mean) } : {}),
      ...(variance ? { variance: divided(variance) } : {}),
      ...(gain ? { scale: vector(gain) } : {}),
      ...(shifted && shift ? { shift: vector(shift) } : {}),
    },
  )
}

function scale(site: LayerSite): LayerOutput {
  const { axis = 1, num_axes: axes = 1, bias_term: shifted = false } = site.layer.scale_param ?? {}
  if (axis !== 1 || axes !== 1 || site.inputs.length !== 1) {
    throw new UnsupportedOperator('a product that is not one factor for each channel')
  }
  const [factors, shifts] = site.blobs
  if (factors === undefined || (shifted && shifts === undefined)) throw missingWeights(site)
  return site.assembly.affine(site.name, input(site), {
    scale: vector(factors),
    ...(shifted && shifts ? { shift: vector(shifts) } : {}),
  })
}

function bias(site: LayerSite): LayerOutput {
  const { axis = 1, num_axes: axes = 1 } = site.layer.bias_param ?? {}
  if (axis !== 1 || axes !== 1 || site.inputs.length !== 1) {
    throw new UnsupportedOperator('a sum that is not one term for each channel')
  }
  const [shifts] = site.blobs
  if (shifts === undefined) throw missingWeights(site)
  return site.assembly.affine(site.name, input(site), { shift: vector(shifts) })
}

function power(site: LayerSite): LayerOutput {
  const { power: exponent = 1, scale: factor = 1, shift = 0 } = site.layer.power_param ?? {}
  if (exponent !== 1) throw new UnsupportedOperator(`the power of ${exponent}`)
  const below = input(site)
  const channels = below.shape.at(-1) ?? 0
  const constant = (value: number): ImportedTensor => ({
    shape: [channels],
    values: () => new Float32Array(channels).fill(value),
  })
  return site.assembly.affine(site.name, below, { scale: constant(factor), shift: constant(shift) })
}

function softmax(site: LayerSite): LayerOutput {
  const axis = site.layer.softmax_param?.axis ?? 1
  if (axis !== 1) throw new UnsupportedOperator(`it works along axis ${axis}`)
  const [below] = site.inputs
  if (below === undefined) throw site.assembly.damaged(site.name, 'it has no input')
  return site.assembly.add(site.name, { type: 'softmax' }, [below])
}

function windowOf(site: LayerSite, parameter: ConvolutionParameter | undefined) {
  if (parameter === undefined) throw site.assembly.damaged(site.name, 'it has no convolution_param')
  const [sizeHeight, sizeWidth = sizeHeight] = parameter.kernel_size
  const [stepDown = 1, stepRight = stepDown] = parameter.stride
  const [padVertical = 0, padHorizontal = padVertical] = parameter.pad
  const [dilateDown = 1, dilateRight = dilateDown] = parameter.dilation
  if (parameter.axis !== undefined && parameter.axis !== 1) {
    throw new UnsupportedOperator(`it works along axis ${parameter.axis}`)
  }
  const vertical = parameter.pad_h ?? padVertical
  const horizontal = parameter.pad_w ?? padHorizontal
  return {
    filters: parameter.num_output ?? 0,
    kernel: [parameter.kernel_h ?? sizeHeight ?? 0, parameter.kernel_w ?? sizeWidth ?? 0] as [number, number],
    stride: [parameter.stride_h ?? stepDown, parameter.stride_w ?? stepRight] as [number, number],
    padding: [vertical, vertical, horizontal, horizontal] as Four,
    dilation: [dilateDown, dilateRight] as [number, number],
    groups: parameter.group ?? 1,
    bias: parameter.bias_term ?? true,
  }
}

function weightsOf(site: LayerSite, axes: readonly number[], bias: boolean): Record<string, ImportedTensor> {
  const [kernel, shift] = site.blobs
  if (kernel !== undefined && kernel.shape.length !== 4) {
    throw site.assembly.damaged(site.name, `its weights have the shape [${kernel.shape.join(', ')}], not four sizes`)
  }
  return {
    ...(kernel ? { kernel: rearranged(kernel.values, kernel.shape, axes) } : {}),
    ...(bias && shift ? { bias: vector(shift) } : {}),
  }
}

/** `[in, out]` of a blob whose last two sizes are those of a matrix (older files put ones before them, 1×1 kernels behind). */
function matrix(blob: StoredBlob, outFirst: boolean): ImportedTensor {
  const { shape, values } = blob
  const [first = 1, second = 1, ...rest] = shape
  const isKernel = shape.length === 4 && first * second > 1 && rest.every((size) => size === 1)
  const [rows, columns] = isKernel ? [first, second] : [shape.at(-2) ?? 1, shape.at(-1) ?? 1]
  if (rows * columns !== values.count) return rearranged(values, shape)
  return rearranged(values, [rows, columns], outFirst ? [1, 0] : [0, 1])
}

function vector(blob: StoredBlob): ImportedTensor {
  return rearranged(blob.values, [blob.values.count])
}

function pair(down: number | undefined, right: number | undefined, both: number | undefined): [number, number] {
  return [down ?? both ?? 0, right ?? both ?? 0]
}

function missingWeights(site: LayerSite) {
  return site.assembly.damaged(
    site.name,
    'its weights are not in the file',
    'Give the .caffemodel that belongs to this .prototxt.',
  )
}
