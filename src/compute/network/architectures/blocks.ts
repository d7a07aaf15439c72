/** Rows of layers that published networks share. */
import type { LayerInput } from './architecture.ts'

type ConvolutionInput = Extract<LayerInput, { type: 'conv2d' }>

export interface ConvolutionOptions {
  readonly stride?: number
  /** On all four sides. */
  readonly pad?: number
  readonly groups?: number
}

/** A square convolution. */
export function convolution(
  name: string,
  filters: number,
  kernel: number,
  options: ConvolutionOptions = {},
): ConvolutionInput {
  const { stride = 1, pad = 0, groups = 1 } = options
  return {
    name,
    type: 'conv2d',
    filters,
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: [pad, pad, pad, pad],
    groups,
  }
}

/** The layers `conv<block>` and `relu<block>`. */
export function rectifiedConvolution(
  block: string,
  filters: number,
  kernel: number,
  options: ConvolutionOptions = {},
): LayerInput[] {
  return [convolution(`conv${block}`, filters, kernel, options), { name: `relu${block}`, type: 'relu' }]
}

/** A square convolution without bias: the normalisation after it has one. */
export function bareConvolution(
  name: string,
  filters: number,
  kernel: number,
  options: ConvolutionOptions = {},
): ConvolutionInput {
  return { ...convolution(name, filters, kernel, options), bias: false }
}

/** Square max pooling. 'ceil' is Caffe's rounding. */
export function maxPooling(
  name: string,
  kernel: number,
  stride: number,
  options: { readonly rounding?: 'floor' | 'ceil'; readonly padding?: readonly [number, number, number, number] } = {},
): Extract<LayerInput, { type: 'max-pool' }> {
  const { rounding = 'floor', padding = [0, 0, 0, 0] } = options
  return {
    name,
    type: 'max-pool',
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: [...padding],
    rounding,
  }
}

/** Two fully connected layers of 4096 with dropout one half, and the classifier: fc6 to fc8 of Krizhevsky et al. (2012). */
export function classifier4096(outputs: number): LayerInput[] {
  return [
    // The weights of Caffe and torch are in this order.
    { name: 'flatten', type: 'flatten', order: 'chw' },
    { name: 'fc6', type: 'dense', units: 4096 },
    { name: 'relu6', type: 'relu' },
    { name: 'drop6', type: 'dropout', rate: 0.5 },
    { name: 'fc7', type: 'dense', units: 4096 },
    { name: 'relu7', type: 'relu' },
    { name: 'drop7', type: 'dropout', rate: 0.5 },
    { name: 'fc8', type: 'dense', units: outputs },
    { name: 'prob', type: 'softmax' },
  ]
}
