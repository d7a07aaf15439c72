/** MatConvNet's layers as ConvScope's: settings with MatConvNet's defaults, weights in ConvScope's layout. */
import {
  UnsupportedOperator,
  type LayerDraft,
  type LayerOutput,
  type NetworkAssembly,
} from '../assembly/network-assembly.ts'
import { rearranged } from '../assembly/stored-values.ts'
import type { ImportedTensor } from '../imported-network.ts'
import { isNumbers, settingsOf, textOf, type MatFields, type MatNumbers } from './mat-value.ts'

export interface MatLayer {
  readonly name: string
  readonly type: string
  readonly fields: MatFields
}

type Four = [number, number, number, number]
type Pair = [number, number]
type Convert = (assembly: NetworkAssembly, layer: MatLayer, below: LayerOutput) => LayerOutput

/** Losses and other ends of training that compute nothing from a picture. */
const ENDS = new Set(['loss', 'pdist'])
/** What works on one place as on a picture. */
const PLACELESS = new Set(['conv', 'relu', 'sigmoid', 'lrn', 'normalize', 'dropout', 'softmax', 'softmaxloss', 'bnorm'])

const converters: Readonly<Record<string, Convert>> = {
  conv: convolution,
  convt: transposedConvolution,
  pool: pooling,
  lrn: normalisation,
  normalize: normalisation,
  bnorm: batchNormalisation,
  relu: (assembly, layer, below) => {
    const [slope = 0] = settingsOf(layer.fields.get('leak'))
    return assembly.add(layer.name, slope === 0 ? { type: 'relu' } : { type: 'leaky-relu', slope }, [below])
  },
  sigmoid: (assembly, layer, below) => assembly.add(layer.name, { type: 'sigmoid' }, [below]),
  dropout: (assembly, layer, below) => {
    const [rate = 0.5] = settingsOf(layer.fields.get('rate'))
    return assembly.add(layer.name, { type: 'dropout', rate }, [below])
  },
  softmax: (assembly, layer, below) => assembly.add(layer.name, { type: 'softmax' }, [below]),
  softmaxloss: (assembly, layer, below) => assembly.add(layer.name, { type: 'softmax' }, [below]),
}

/** Whether it computes nothing from a picture. */
export function isEnd({ type }: MatLayer): boolean {
  return ENDS.has(type)
}

/** Whether it does the same with a vector as with a picture of one place. */
export function keepsPlaceless({ type }: MatLayer): boolean {
  return PLACELESS.has(type)
}

/**
 * Adds one layer with one input.
 * @param isFree whether everything above it works on one place as on a picture: fully connected layers are stored as convolutions over
 * the whole picture
 * @throws UnsupportedOperator for a layer without a counterpart
 */
export function addMatLayer(
  assembly: NetworkAssembly,
  layer: MatLayer,
  below: LayerOutput,
  isFree: boolean,
): LayerOutput {
  const convert = Object.hasOwn(converters, layer.type) ? converters[layer.type] : undefined
  if (convert === undefined) throw new UnsupportedOperator()
  const whole = isFree && layer.type === 'conv' && coversAll(layer, below)
  return (whole ? dense : convert)(assembly, layer, below)
}

/** Adds a chain of layers (vl_simplenn); it ends below the first one without a counterpart. */
export function assembleChain(assembly: NetworkAssembly, layers: readonly MatLayer[], input: LayerOutput): void {
  const used = layers.filter((layer) => !isEnd(layer))
  const firstPlaceless = used.findLastIndex((layer) => !keepsPlaceless(layer)) + 1
  let below = input
  for (const [index, layer] of used.entries()) {
    try {
      below = addMatLayer(assembly, layer, below, index >= firstPlaceless)
    } catch (error) {
      if (!(error instanceof UnsupportedOperator)) throw error
      assembly.unsupported(layer.name, layer.type, error.message)
      return
    }
  }
}

/** The filters of a convolution: `weights{1}`, in the first releases `filters`. */
export function filtersOf({ fields }: MatLayer): MatNumbers | undefined {
  return weight(fields, 0, 'filters')
}

function weight(fields: MatFields, index: number, oldName: string): MatNumbers | undefined {
  const weights = fields.get('weights')
  const value = weights?.kind === 'cell' ? weights.items[index] : fields.get(oldName)
  return isNumbers(value) ? value : undefined
}

/** `[height, width, channels of a group, filters]`; MATLAB drops sizes of 1 at the end. */
function sizesOf(filters: MatNumbers): Four {
  const [height = 1, width = 1, channels = 1, count = 1] = filters.dims
  return [height, width, channels, count]
}

function coversAll(layer: MatLayer, below: LayerOutput): boolean {
  const filters = filtersOf(layer)
  if (filters === undefined) return false
  const [height, width, channels] = sizesOf(filters)
  const [rows = 1, columns = 1, depth = 1] = below.shape.length === 3 ? below.shape : [1, 1, below.shape[0]]
  const { padding } = windowOf(layer)
  return height === rows && width === columns && channels === depth && padding.every((amount) => amount === 0)
}

function dense(assembly: NetworkAssembly, layer: MatLayer, below: LayerOutput): LayerOutput {
  const filters = need(assembly, layer, filtersOf(layer), 'weights')
  const [height, width, channels, units] = sizesOf(filters)
  const flat = assembly.flatten(`${layer.name}-flatten`, below, 'hwc')
  const biases = weight(layer.fields, 1, 'biases')
  const kernel = rearranged(filters.values, [units, channels, width, height], [3, 2, 1, 0])
  return assembly.add(layer.name, { type: 'dense', units, bias: biases !== undefined }, [flat], {
    kernel: { ...kernel, shape: [height * width * channels, units] },
    ...(biases ? { bias: vector(biases) } : {}),
  })
}

function convolution(assembly: NetworkAssembly, layer: MatLayer, below: LayerOutput): LayerOutput {
  const filters = need(assembly, layer, filtersOf(layer), 'weights')
  const [height, width, channels, count] = sizesOf(filters)
  const [, , depth] = below.shape
  if (depth === undefined) throw new UnsupportedOperator('it looks for a picture where one place is left')
  const groups = depth / channels
  if (!Number.isInteger(groups)) {
    throw assembly.damaged(layer.name, `its filters take ${channels} channels and the layer below gives ${depth}`)
  }
  const biases = weight(layer.fields, 1, 'biases')
  const { stride, padding, dilation } = windowOf(layer)
  return assembly.add(
    layer.name,
    {
      type: 'conv2d',
      filters: count,
      kernel: [height, width],
      stride,
      padding,
      dilation,
      groups,
      bias: biases !== undefined,
    },
    [below],
    {
      kernel: rearranged(filters.values, [count, channels, width, height], [3, 2, 1, 0]),
      ...(biases ? { bias: vector(biases) } : {}),
    },
  )
}

function transposedConvolution(assembly: NetworkAssembly, layer: MatLayer, below: LayerOutput): LayerOutput {
  const filters = need(assembly, layer, filtersOf(layer), 'weights')
  const [height, width, count, depth] = sizesOf(filters)
  const [groups = 1] = settingsOf(layer.fields.get('numGroups'))
  if (groups !== 1) throw new UnsupportedOperator('a transposed convolution with groups')
  const biases = weight(layer.fields, 1, 'biases')
  const stride = pair(settingsOf(layer.fields.get('upsample')), 1)
  const padding = four(settingsOf(layer.fields.get('crop')))
  return assembly.add(
    layer.name,
    { type: 'conv2d-transpose', filters: count, kernel: [height, width], stride, padding, bias: biases !== undefined },
    [below],
    {
      kernel: rearranged(filters.values, [depth, count, width, height], [3, 2, 1, 0]),
      ...(biases ? { bias: vector(biases) } : {}),
    },
  )
}

function pooling(assembly: NetworkAssembly, layer: MatLayer, below: LayerOutput): LayerOutput {
  const kernel = pair(settingsOf(layer.fields.get('pool')), 1)
  const { stride, padding } = windowOf(layer)
  const method = textOf(layer.fields.get('method')) ?? 'max'
  if (method !== 'max' && method !== 'avg') throw new UnsupportedOperator(`pooling of the kind ${method}`)
  const windows = { kernel, stride, padding }
  // Averages are taken over the pixels inside the picture.
  const draft: LayerDraft =
    method === 'max' ? { type: 'max-pool', ...windows } : { type: 'avg-pool', ...windows, divisor: 'valid' }
  return assembly.add(layer.name, draft, [below])
}

function normalisation(assembly: NetworkAssembly, layer: MatLayer, below: LayerOutput): LayerOutput {
  const [size = 5, k = 1, alpha = 1e-4, beta = 0.75] = settingsOf(layer.fields.get('param'))
  return assembly.add(layer.name, { type: 'lrn', size, k, alpha, beta, convention: 'krizhevsky' }, [below])
}

function batchNormalisation(assembly: NetworkAssembly, layer: MatLayer, below: LayerOutput): LayerOutput {
  const part = (index: number, oldName: string): MatNumbers => {
    return need(assembly, layer, weight(layer.fields, index, oldName), oldName)
  }
  const moments = part(2, 'moments')
  const channels = moments.values.count / 2
  return assembly.add(layer.name, { type: 'batch-norm', epsilon: 1e-12 }, [below], {
    scale: vector(part(0, 'filters')),
    shift: vector(part(1, 'biases')),
    mean: { shape: [channels], values: () => moments.values.read(0, channels).slice() },
    // The second column is the standard deviation, with epsilon in it.
    variance: {
      shape: [channels],
      values: () => moments.values.read(channels, channels).map((value) => value * value),
    },
  })
}

function windowOf({ fields }: MatLayer): { stride: Pair; padding: Four; dilation: Pair } {
  return {
    stride: pair(settingsOf(fields.get('stride')), 1),
    padding: four(settingsOf(fields.get('pad'))),
    dilation: pair(settingsOf(fields.get('dilate')), 1),
  }
}

function pair([down, right]: readonly number[], otherwise: number): Pair {
  return [down ?? otherwise, right ?? down ?? otherwise]
}

/** One amount for all sides, or top, bottom, left, right. */
function four([top = 0, bottom = top, left = top, right = left]: readonly number[]): Four {
  return [top, bottom, left, right]
}

function vector(numbers: MatNumbers): ImportedTensor {
  return rearranged(numbers.values, [numbers.values.count])
}

function need<T>(assembly: NetworkAssembly, layer: MatLayer, value: T | undefined, what: string): T {
  if (value === undefined) throw assembly.damaged(layer.name, `it has no ${what}`)
  return value
}
