/** What each class of Keras layer becomes. */
import type { ImportedTensor } from '../imported-network.ts'
import {
  UnsupportedOperator,
  type LayerDraft,
  type LayerOutput,
  type NetworkAssembly,
} from '../assembly/network-assembly.ts'
import { activationDraft, activationLayer } from './activations.ts'
import { activationOf, countOf, flagOf, numberOf, paddingOf, pairOf, requireChannelsLast } from './settings.ts'
import type { Json, KerasLayer } from './topology.ts'
import { sizeOf } from '../../../shared/size-of.ts'

/** Parameters of a layer by Keras' own names: `kernel`, `gamma`, `depthwise_kernel` … */
export type KerasWeights = Readonly<Record<string, ImportedTensor>>

export interface LayerSite {
  readonly assembly: NetworkAssembly
  readonly layer: KerasLayer
  readonly inputs: readonly LayerOutput[]
  readonly weights: KerasWeights
}

/** Layers that do nothing but in training. */
const PASSING = new Set([
  'SpatialDropout2D',
  'GaussianNoise',
  'GaussianDropout',
  'AlphaDropout',
  'ActivityRegularization',
  'RandomFlip',
  'RandomRotation',
  'RandomZoom',
  'RandomContrast',
  'RandomTranslation',
  'RandomBrightness',
])

/** Adds the layer. @throws UnsupportedOperator for what ConvScope does not have */
export function addLayer(site: LayerSite): LayerOutput {
  const { layer, inputs, assembly } = site
  const { className, config, name } = layer
  const [input] = inputs
  if (input === undefined) throw assembly.damaged(name, 'it has no input')
  requireChannelsLast(config)
  if (PASSING.has(className)) return input
  const activation = activationLayer(className, config)
  if (activation !== undefined) return activated(site, input, activation)
  const make = Object.hasOwn(makers, className) ? makers[className] : undefined
  if (make === undefined) throw new UnsupportedOperator('')
  return withActivation(site, make(site, input, config))
}

type Maker = (site: LayerSite, input: LayerOutput, config: Json) => LayerOutput

const plain =
  (draft: (config: Json) => LayerDraft): Maker =>
  ({ assembly, layer, inputs }, _input, config) =>
    assembly.add(layer.name, draft(config), inputs)

const makers: Readonly<Record<string, Maker>> = {
  Conv2D: convolution,
  Convolution2D: convolution,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  Conv2DTranspose: transposed,
  Dense: dense,
  Activation: (_site, input) => input,
  Flatten: ({ assembly, layer }, input) => assembly.flatten(layer.name, input, 'hwc'),
  Reshape: reshape,
  Dropout: plain((config) => ({ type: 'dropout', rate: numberOf(config, 'rate', 0.5) })),
  MaxPooling2D: plain((config) => ({ type: 'max-pool', ...poolWindow(config) })),
  AveragePooling2D: plain((config) => ({ type: 'avg-pool', ...poolWindow(config), divisor: 'valid' })),
  GlobalMaxPooling2D: plain((config) => pooledWhole(config, 'global-max-pool')),
  GlobalAveragePooling2D: plain((config) => pooledWhole(config, 'global-avg-pool')),
  BatchNormalization: normalised,
  ZeroPadding2D: plain((config) => ({ type: 'padding', amounts: borders(config['padding']) })),
  UpSampling2D: plain(upsampling),
  Add: plain(() => ({ type: 'add' })),
  Concatenate: concatenated,
  Rescaling: rescaled,
  Normalization: standardised,
}

function withActivation(site: LayerSite, output: LayerOutput): LayerOutput {
  const { name, config } = activationOf(site.layer.config)
  const draft = activationDraft(name, config)
  if (draft === undefined) return output
  // A layer of its own, so that both what it gets and what it gives can be looked at.
  const title = site.layer.className === 'Activation' ? site.layer.name : `${site.layer.name}-${draft.type}`
  return activated(site, output, draft, title)
}

function activated(
  { assembly, layer }: LayerSite,
  input: LayerOutput,
  draft: LayerDraft,
  name = layer.name,
): LayerOutput {
  return assembly.add(name, draft, [input])
}

/** The parameters that the layer asks for, under ConvScope's names. */
function parameters(weights: KerasWeights, names: Readonly<Record<string, string>>): Record<string, ImportedTensor> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([own, theirs]) => {
      const tensor = weights[theirs]
      return tensor === undefined ? [] : [[own, tensor]]
    }),
  )
}

function withBias(config: Json): { bias: boolean } {
  return { bias: flagOf(config, 'use_bias', true) }
}

function convolution({ assembly, layer, weights }: LayerSite, input: LayerOutput, config: Json): LayerOutput {
  const draft = {
    type: 'conv2d',
    filters: countOf(config, 'filters'),
    kernel: pairOf(config, 'kernel_size'),
    stride: pairOf(config, 'strides', [1, 1]),
    padding: paddingOf(config),
    dilation: pairOf(config, 'dilation_rate', [1, 1]),
    groups: countOf(config, 'groups', 1),
    ...withBias(config),
  } as const
  return assembly.add(layer.name, draft, [input], parameters(weights, { kernel: 'kernel', bias: 'bias' }))
}

/** Kernels `[kh, kw, in, multiplier]`: the numbers of a convolution in as many groups as there are channels. */
function depthwise(
  { assembly, layer, weights }: LayerSite,
  input: LayerOutput,
  config: Json,
  { name = layer.name, bias = flagOf(config, 'use_bias', true) } = {},
): LayerOutput {
  const channels = input.shape.at(-1) ?? 0
  const filters = channels * countOf(config, 'depth_multiplier', 1)
  const kernel = weights['depthwise_kernel'] ?? weights['kernel']
  const [height = 0, width = 0, inputs = 0, multiplier = 0] = kernel?.shape ?? []
  const turned = kernel && { shape: [height, width, 1, inputs * multiplier], values: kernel.values }
  const draft = {
    type: 'conv2d',
    filters,
    kernel: pairOf(config, 'kernel_size'),
    stride: pairOf(config, 'strides', [1, 1]),
    padding: paddingOf(config),
    dilation: pairOf(config, 'dilation_rate', [1, 1]),
    groups: channels,
    bias,
  } as const
  const own = bias ? parameters(weights, { bias: 'bias' }) : {}
  return assembly.add(name, draft, [input], { ...own, ...(turned === undefined ? {} : { kernel: turned }) })
}

/** A depthwise convolution without bias, then one of 1×1. */
function separable(site: LayerSite, input: LayerOutput, config: Json): LayerOutput {
  const { assembly, layer, weights } = site
  const between = depthwise(site, input, config, { name: `${layer.name}-depthwise`, bias: false })
  const draft = { type: 'conv2d', filters: countOf(config, 'filters'), kernel: [1, 1], ...withBias(config) } as const
  return assembly.add(
    layer.name,
    { ...draft, kernel: [1, 1] },
    [between],
    parameters(weights, { kernel: 'pointwise_kernel', bias: 'bias' }),
  )
}

function transposed({ assembly, layer, weights }: LayerSite, input: LayerOutput, config: Json): LayerOutput {
  const kernel = pairOf(config, 'kernel_size')
  const stride = pairOf(config, 'strides', [1, 1])
  const padding = paddingOf(config)
  const [rows, columns] = pairOf(config, 'dilation_rate', [1, 1])
  if (rows !== 1 || columns !== 1) throw new UnsupportedOperator('a dilated transposed convolution')
  if (config['output_padding'] !== undefined && config['output_padding'] !== null)
    throw new UnsupportedOperator('an output padding of its own')
  // Keras makes `valid` maps at least as large as the strides reach.
  const outputPadding: [number, number] =
    padding === 'valid' ? [Math.max(stride[0] - kernel[0], 0), Math.max(stride[1] - kernel[1], 0)] : [0, 0]
  const draft = {
    type: 'conv2d-transpose',
    filters: countOf(config, 'filters'),
    kernel,
    stride,
    padding,
    outputPadding,
  } as const
  return assembly.add(
    layer.name,
    { ...draft, ...withBias(config) },
    [input],
    parameters(weights, { kernel: 'kernel', bias: 'bias' }),
  )
}

/** Of a map, Keras multiplies every place: a convolution of 1×1. */
function dense({ assembly, layer, weights }: LayerSite, input: LayerOutput, config: Json): LayerOutput {
  const units = countOf(config, 'units')
  const own = parameters(weights, { kernel: 'kernel', bias: 'bias' })
  if (input.shape.length === 1)
    return assembly.add(layer.name, { type: 'dense', units, ...withBias(config) }, [input], own)
  const { kernel } = own
  const wide =
    kernel === undefined ? own : { ...own, kernel: { shape: [1, 1, ...kernel.shape], values: kernel.values } }
  return assembly.add(
    layer.name,
    { type: 'conv2d', filters: units, kernel: [1, 1], ...withBias(config) },
    [input],
    wide,
  )
}

/** Only where nothing but the number of axes changes. */
function reshape({ assembly, layer }: LayerSite, input: LayerOutput, config: Json): LayerOutput {
  const { shape } = input
  const count = sizeOf(shape)
  const target = Array.isArray(config['target_shape']) ? config['target_shape'].map(Number) : []
  const known = sizeOf(target.filter((size) => size > 0))
  const sizes = target.map((size) => (size === -1 ? count / known : size))
  if (sizes.join() === shape.join()) return input
  if (sizes.length === 1) return assembly.flatten(layer.name, input, 'hwc')
  throw new UnsupportedOperator(`[${shape.join(', ')}] to [${sizes.join(', ')}]`)
}

function poolWindow(config: Json) {
  const kernel = pairOf(config, 'pool_size', [2, 2])
  return { kernel, stride: pairOf(config, 'strides', kernel), padding: paddingOf(config) }
}

function pooledWhole(config: Json, type: 'global-max-pool' | 'global-avg-pool'): LayerDraft {
  if (config['keepdims'] === true) throw new UnsupportedOperator('keepdims')
  return { type }
}

function normalised({ assembly, layer, weights }: LayerSite, input: LayerOutput, config: Json): LayerOutput {
  const axis: unknown = Array.isArray(config['axis']) ? config['axis'][0] : (config['axis'] ?? -1)
  if (axis !== -1 && axis !== input.shape.length)
    throw new UnsupportedOperator(`normalisation along the axis ${JSON.stringify(axis)}`)
  const draft = {
    type: 'batch-norm',
    epsilon: numberOf(config, 'epsilon', 1e-3),
    scale: flagOf(config, 'scale', true),
    shift: flagOf(config, 'center', true),
  } as const
  const names = { scale: 'gamma', shift: 'beta', mean: 'moving_mean', variance: 'moving_variance' }
  return assembly.add(layer.name, draft, [input], parameters(weights, names))
}

/** A number, `[rows, columns]` or `[[top, bottom], [left, right]]`. */
function borders(value: unknown): [number, number, number, number] {
  const [rows, columns] = Array.isArray(value) ? (value as unknown[]) : [value ?? 1, value ?? 1]
  const sides = (side: unknown): [unknown, unknown] => (Array.isArray(side) ? [side[0], side[1]] : [side, side])
  const all = [...sides(rows), ...sides(columns)]
  const [top, bottom, left, right] = all.map((size) =>
    typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : NaN,
  )
  if (
    top === undefined ||
    bottom === undefined ||
    left === undefined ||
    right === undefined ||
    all.some((size) => typeof size !== 'number')
  )
    throw new UnsupportedOperator(`its padding is ${JSON.stringify(value)}`)
  return [top, bottom, left, right]
}

function upsampling(config: Json): LayerDraft {
  const method = config['interpolation'] ?? 'nearest'
  if (method !== 'nearest' && method !== 'bilinear')
    throw new UnsupportedOperator(`interpolation ${JSON.stringify(method)}`)
  return { type: 'upsample', factor: pairOf(config, 'size', [2, 2]), method }
}

function concatenated({ assembly, layer, inputs }: LayerSite, input: LayerOutput, config: Json): LayerOutput {
  const axis = config['axis'] ?? -1
  if (axis !== -1 && axis !== input.shape.length)
    throw new UnsupportedOperator(`along the axis ${JSON.stringify(axis)}`)
  return assembly.add(layer.name, { type: 'concat' }, inputs)
}

/** In the middle of a network; at its beginning both belong to the preprocessing. */
function rescaled({ assembly, layer }: LayerSite, input: LayerOutput, config: Json): LayerOutput {
  const channels = input.shape.at(-1) ?? 0
  const constant = (value: number) => ({ shape: [channels], values: () => new Float32Array(channels).fill(value) })
  const scale = constant(numberOf(config, 'scale', 1))
  return assembly.affine(layer.name, input, { scale, shift: constant(numberOf(config, 'offset', 0)) })
}

function standardised({ assembly, layer, weights }: LayerSite, input: LayerOutput): LayerOutput {
  const { mean, variance } = weights
  const channels = input.shape.at(-1) ?? 0
  if (mean === undefined || variance === undefined || mean.values().length !== channels)
    throw new UnsupportedOperator('statistics that are not one for each channel')
  const flat = (tensor: ImportedTensor) => ({ shape: [channels], values: tensor.values })
  const draft = { type: 'batch-norm', epsilon: 1e-14, scale: false, shift: false } as const
  return assembly.add(layer.name, draft, [input], { mean: flat(mean), variance: flat(variance) })
}
