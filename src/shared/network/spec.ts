/**
 * `NetworkSpec`: a layer graph as JSON. Weights lie in a safetensors file under `<layer>/<parameter>`.
 * Activations are `[batch, height, width, channels]` or `[batch, units]`. Convolution kernels are
 * `[kernelHeight, kernelWidth, inChannels / groups, outChannels]`, transposed ones
 * `[kernelHeight, kernelWidth, outChannels, inChannels]`, dense kernels `[in, out]`.
 */
import * as z from 'zod'
import { LibraryName } from '../values.ts'

const size = z.number().int().positive()
const SizePair = z.tuple([size, size])
const extent = z.number().int().nonnegative()

/** Pixels added at `[top, bottom, left, right]`, or 'same' (output = ceil(input / stride), odd pixel at bottom/right), or 'valid'. */
export const Padding = z.union([z.literal('same'), z.literal('valid'), z.tuple([extent, extent, extent, extent])])
export type Padding = z.infer<typeof Padding>

const base = {
  /** Unique in the network. */
  name: LibraryName,
  /** Names of the layers that feed this one; the layer listed before it when left out. */
  inputs: z.array(LibraryName).min(1).optional(),
}
const layer = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ ...base, type: z.literal(type), ...shape })

const window = { kernel: SizePair, stride: SizePair, padding: Padding.default('valid') }
/** 'ceil' is Caffe's rule: the last window is dropped if it would start in the padding. */
const rounding = z.enum(['floor', 'ceil']).default('floor')

export const LayerSpec = z.discriminatedUnion('type', [
  layer('input', { shape: z.tuple([size, size, size]) }),
  layer('conv2d', {
    filters: size,
    kernel: SizePair,
    stride: SizePair.default([1, 1]),
    padding: Padding.default('valid'),
    dilation: SizePair.default([1, 1]),
    /** Equal to the input channels for a depthwise convolution. */
    groups: size.default(1),
    bias: z.boolean().default(true),
  }),
  layer('conv2d-transpose', {
    filters: size,
    kernel: SizePair,
    stride: SizePair.default([1, 1]),
    padding: Padding.default('same'),
    /** Rows and columns added at the bottom and right of the output (torch's output_padding). */
    outputPadding: z.tuple([extent, extent]).default([0, 0]),
    bias: z.boolean().default(true),
  }),
  layer('relu', {}),
  layer('leaky-relu', { slope: z.number().nonnegative().default(0.01) }),
  layer('relu6', {}),
  layer('elu', { alpha: z.number().positive().default(1) }),
  layer('silu', {}),
  layer('gelu', { approximation: z.enum(['none', 'tanh']).default('none') }),
  layer('sigmoid', {}),
  layer('tanh', {}),
  layer('max-pool', { ...window, rounding }),
  layer('avg-pool', {
    ...window,
    rounding,
    /** 'caffe': by the window clipped to the padded input; 'valid': by the input pixels inside; 'kernel': always by the kernel's size. */
    divisor: z.enum(['caffe', 'valid', 'kernel']).default('caffe'),
  }),
  layer('global-max-pool', {}),
  layer('global-avg-pool', {}),
  layer('lrn', {
    /** Channels in the window. */
    size,
    alpha: z.number(),
    beta: z.number(),
    k: z.number().positive().default(1),
    /** 'caffe' (also torch, ONNX) divides alpha by `size`; 'krizhevsky' (also MatConvNet, tfjs) does not. */
    convention: z.enum(['caffe', 'krizhevsky']).default('caffe'),
  }),
  layer('batch-norm', {
    epsilon: z.number().positive().default(1e-5),
    scale: z.boolean().default(true),
    shift: z.boolean().default(true),
  }),
  layer('dense', { units: size, bias: z.boolean().default(true) }),
  /** Active in training only. */
  layer('dropout', { rate: z.number().min(0).lt(1) }),
  layer('softmax', {}),
  /** The order in which height, width and channels are laid out: 'chw' for weights from Caffe, torch and ONNX. */
  layer('flatten', { order: z.enum(['hwc', 'chw']).default('hwc') }),
  layer('padding', { amounts: z.tuple([extent, extent, extent, extent]), value: z.number().default(0) }),
  layer('upsample', { factor: SizePair, method: z.enum(['nearest', 'bilinear']).default('nearest') }),
  layer('add', {}),
  layer('concat', {}),
])
export type LayerSpec = z.infer<typeof LayerSpec>
export type LayerType = LayerSpec['type']
export type LayerOf<T extends LayerType> = Extract<LayerSpec, { type: T }>

/** Where the weights file holds the mean picture of a pipeline that subtracts one. */
export const MEAN_IMAGE_TENSOR = 'preprocessing/mean'

/** From a picture of bytes to the network's input: resize, crop, channel order, `(value * scale - mean) / std`. */
export const Preprocessing = z.strictObject({
  resize: z
    .strictObject({
      /** 'exact': to this height and width, whatever the aspect; 'short-side': the short side to the smaller of them. */
      mode: z.enum(['exact', 'short-side']),
      height: size,
      width: size,
      filter: z.enum(['caffe', 'opencv-linear', 'pil-bilinear', 'nearest']),
    })
    .optional(),
  crop: z.strictObject({ mode: z.literal('centre'), height: size, width: size }).optional(),
  channelOrder: z.enum(['grey', 'rgb', 'bgr']),
  scale: z.number().default(1 / 255),
  /** One a channel, in network channel order, after `scale`. */
  mean: z.array(z.number()).default([]),
  /**
   * Subtracted in place of `mean`, which then holds the averages of its channels: a picture of the input's shape, in network channel
   * order, after `scale`.
   */
  meanImage: z.literal(MEAN_IMAGE_TENSOR).optional(),
  std: z.array(z.number().positive()).default([]),
})
export type Preprocessing = z.infer<typeof Preprocessing>

export const NetworkSpec = z.strictObject({
  format: z.literal('convscope-network'),
  version: z.literal(1),
  name: LibraryName,
  title: z.string(),
  /** Where it was published. */
  source: z.string().default(''),
  preprocessing: Preprocessing,
  /** Class names in the order of the outputs; empty where there are none. */
  classes: z.array(z.string()).default([]),
  /** In an order in which every layer stands after its inputs; the first is the input, the last the output. */
  layers: z.array(LayerSpec).min(2).max(5000),
})
export type NetworkSpec = z.infer<typeof NetworkSpec>
