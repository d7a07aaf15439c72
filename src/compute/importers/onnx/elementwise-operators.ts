/** ONNX's operators that work on every value alone, or join activations of one shape. */
import { UnsupportedOperator, type LayerDraft } from '../assembly/network-assembly.ts'
import type { ImportedTensor } from '../imported-network.ts'
import { spread, type Operator } from './layer-operators.ts'
import { activationOf, axisOf, channelAxis, listOf, type Activation, type NodeSite, type Value } from './node-site.ts'
import { dimsOf, numbersOf, type Constant } from './tensor.ts'

/** ONNX's largest float32 stands for no bound. */
const UNBOUNDED = 3e38

export const elementwiseOperators: Readonly<Record<string, Operator>> = {
  Relu: (site) => site.layer({ type: 'relu' }),
  LeakyRelu: (site) => site.layer({ type: 'leaky-relu', slope: site.float('alpha', 0.01) }),
  PRelu: (site) => {
    const slopes = numbersOf(site.requiredConstant(1))
    const [slope = 0] = slopes
    if (slopes.some((other) => other !== slope) || slope < 0) {
      throw new UnsupportedOperator('slopes that differ from channel to channel or are negative')
    }
    return site.layer({ type: 'leaky-relu', slope })
  },
  Elu: (site) => site.layer({ type: 'elu', alpha: site.float('alpha', 1) }),
  Sigmoid: (site) => site.layer({ type: 'sigmoid' }),
  Tanh: (site) => site.layer({ type: 'tanh' }),
  Gelu: (site) => {
    const approximation = site.text('approximate', 'none')
    return site.layer({ type: 'gelu', approximation: approximation === 'tanh' ? 'tanh' : 'none' })
  },
  Clip: clip,
  Softmax: (site) => {
    const below = site.activation()
    const axis = axisOf(site.integer('axis', site.opset < 13 ? 1 : -1), below.dims.length)
    // Before version 13 all axes from there on were one.
    const places = below.output.shape.length === 3 && site.opset < 13 && axis === 1
    if (axis !== channelAxis(below) || places) throw new UnsupportedOperator(`it works along axis ${axis}`)
    return site.layer({ type: 'softmax' })
  },
  Dropout: (site) => {
    const ratio = site.opset < 12 ? undefined : site.constant(1)
    const rate = ratio === undefined ? site.float('ratio', 0.5) : (numbersOf(ratio)[0] ?? 0.5)
    return site.layer({ type: 'dropout', rate })
  },
  Add: sum,
  Sum: sum,
  Sub: difference,
  Mul: product,
  Div: quotient,
  Concat: concatenation,
}

/** Adds one layer for x·sigmoid(x) or the like, found as a pattern of nodes. */
export function patternLayer(site: NodeSite, below: Activation, draft: LayerDraft): Activation {
  const output = site.assembly.add(site.name, draft, [below.output])
  return activationOf(output, below.layout, below.dims.length)
}

function clip(site: NodeSite): Value {
  const bound = (attribute: 'min' | 'max', index: number): number | undefined => {
    const constant = site.constant(index)
    if (constant !== undefined) return numbersOf(constant)[0]
    return site.has(attribute) ? site.float(attribute, 0) : undefined
  }
  const low = bound('min', 1) ?? -Infinity
  const high = bound('max', 2) ?? Infinity
  if (low === 0 && high === 6) return site.layer({ type: 'relu6' })
  if (low === 0 && high >= UNBOUNDED) return site.layer({ type: 'relu' })
  throw new UnsupportedOperator(`it clips to ${low}…${high}`)
}

function sum(site: NodeSite): Value {
  const sizes = folded(site, (a, b) => a + b)
  if (sizes !== undefined) return sizes
  const parts = partsOf(site)
  if (parts === undefined) return join(site, { type: 'add' })
  return affine(site, parts.below, { shift: perChannel(site, parts.below, parts.constant) })
}

function difference(site: NodeSite): Value {
  const sizes = folded(site, (a, b) => a - b)
  if (sizes !== undefined) return sizes
  const parts = partsOf(site)
  if (parts === undefined) throw new UnsupportedOperator('the difference of two activations')
  const { below, constant, constantFirst } = parts
  if (!constantFirst) return affine(site, below, { shift: perChannel(site, below, constant, (value) => -value) })
  return affine(site, below, {
    scale: perChannel(site, below, constant, () => -1),
    shift: perChannel(site, below, constant),
  })
}

function product(site: NodeSite): Value {
  const sizes = folded(site, (a, b) => a * b)
  if (sizes !== undefined) return sizes
  const parts = partsOf(site)
  if (parts === undefined) throw new UnsupportedOperator('the product of two activations')
  return affine(site, parts.below, { scale: perChannel(site, parts.below, parts.constant) })
}

function quotient(site: NodeSite): Value {
  const sizes = folded(site, (a, b) => Math.trunc(a / b))
  if (sizes !== undefined) return sizes
  const parts = partsOf(site)
  if (parts === undefined || parts.constantFirst) throw new UnsupportedOperator('a division by an activation')
  return affine(site, parts.below, { scale: perChannel(site, parts.below, parts.constant, (value) => 1 / value) })
}

function concatenation(site: NodeSite): Value {
  const present = site.inputs.filter((value) => value !== undefined)
  if (present.every((value) => value.kind !== 'activation')) {
    return { kind: 'sizes', values: present.flatMap((value) => [...listOf(value)]) }
  }
  const below = site.activation()
  const axis = axisOf(site.integer('axis', 1), below.dims.length)
  if (axis !== channelAxis(below)) throw new UnsupportedOperator(`it joins axis ${axis} and not the channels`)
  return present.length === 1 ? below : join(site, { type: 'concat' })
}

/** A layer above all inputs, which must be activations of one layout. */
function join(site: NodeSite, draft: LayerDraft): Value {
  const below = site.inputs.map((_, index) => site.activation(index))
  const [first] = below
  if (first === undefined) throw site.damaged('it has no input')
  if (below.length === 1) return first
  if (below.some(({ layout, dims }) => layout !== first.layout || dims.length !== first.dims.length)) {
    throw new UnsupportedOperator('its inputs have their channels in different places')
  }
  const { type } = draft
  if (type === 'add' && below.some(({ output }) => output.shape.join() !== first.output.shape.join())) {
    throw new UnsupportedOperator('the sum of activations of different shapes')
  }
  const output = site.assembly.add(
    site.name,
    draft,
    below.map((value) => value.output),
  )
  return activationOf(output, first.layout, first.dims.length)
}

/** Sizes computed from sizes. */
function folded(site: NodeSite, combine: (a: number, b: number) => number): Value | undefined {
  const [a, b] = site.inputs
  if (a === undefined || b === undefined || a.kind === 'activation' || b.kind === 'activation') return undefined
  const left = listOf(a)
  const right = listOf(b)
  const length = Math.max(left.length, right.length)
  const at = (list: readonly number[], index: number): number => list[list.length === 1 ? 0 : index] ?? NaN
  return { kind: 'sizes', values: Array.from({ length }, (_, index) => combine(at(left, index), at(right, index))) }
}

interface Parts {
  readonly below: Activation
  readonly constant: Constant
  readonly constantFirst: boolean
}

/** An activation and a constant; undefined for two activations. */
function partsOf(site: NodeSite): Parts | undefined {
  const [a, b] = site.inputs
  if (site.inputs.length !== 2 || a === undefined || b === undefined) return undefined
  if (a.kind === 'activation' && b.kind === 'constant') return { below: a, constant: b, constantFirst: false }
  if (a.kind === 'constant' && b.kind === 'activation') return { below: b, constant: a, constantFirst: true }
  return undefined
}

/** @throws UnsupportedOperator for a constant that differs from place to place */
function perChannel(
  site: NodeSite,
  below: Activation,
  constant: Constant,
  change?: (value: number) => number,
): ImportedTensor {
  const channels = below.output.shape.at(-1) ?? 0
  const dims = dimsOf(constant)
  const rank = below.dims.length
  // Broadcasting aligns the last axes.
  const fromEnd = rank - channelAxis(below)
  const fits =
    dims.length <= rank &&
    dims.every((size, axis) => size === 1 || (dims.length - axis === fromEnd && size === channels))
  if (!fits)
    throw new UnsupportedOperator(`a constant of shape [${dims.join(', ')}], which is not one value for each channel`)
  if (constant.values.count === 0) throw site.damaged('its constant is empty')
  return spread(constant, channels, change)
}

function affine(
  site: NodeSite,
  below: Activation,
  factors: { readonly scale?: ImportedTensor; readonly shift?: ImportedTensor },
): Activation {
  return activationOf(site.assembly.affine(site.name, below.output, factors), below.layout, below.dims.length)
}
