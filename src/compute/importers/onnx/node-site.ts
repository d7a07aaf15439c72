/** What a node of an ONNX graph works on: its settings, and its inputs as activations, constants or sizes. */
import type { ConvScopeError } from '../../../shared/errors.ts'
import {
  UnsupportedOperator,
  type LayerDraft,
  type LayerOutput,
  type NetworkAssembly,
} from '../assembly/network-assembly.ts'
import type { ImportedTensor } from '../imported-network.ts'
import type { AttributeProto, NodeProto, TensorProto } from './schema.ts'
import { settingsOf, type Constant } from './tensor.ts'

/** The output of a layer as the graph sees it. */
export interface Activation {
  readonly kind: 'activation'
  readonly output: LayerOutput
  /** With the batch as NaN; may have sizes of 1 that the layer's shape does not have. */
  readonly dims: readonly number[]
  /** Where the channels stand in four sizes: second (ONNX's own order) or last (after a transposition). */
  readonly layout: 'chw' | 'hwc'
}
/** Sizes computed from shapes; the batch is NaN. */
export interface Sizes {
  readonly kind: 'sizes'
  readonly values: readonly number[]
}
export type Value = Activation | Constant | Sizes

export class NodeSite {
  readonly assembly: NetworkAssembly
  readonly node: NodeProto
  readonly name: string
  readonly opset: number
  readonly inputs: readonly (Value | undefined)[]
  readonly #attributes: ReadonlyMap<string, AttributeProto>
  readonly #constant: (tensor: TensorProto) => Constant

  constructor(options: {
    assembly: NetworkAssembly
    node: NodeProto
    name: string
    opset: number
    inputs: readonly (Value | undefined)[]
    constant: (tensor: TensorProto) => Constant
  }) {
    this.assembly = options.assembly
    this.node = options.node
    this.name = options.name
    this.opset = options.opset
    this.inputs = options.inputs
    this.#constant = options.constant
    this.#attributes = new Map(options.node.attribute.map((attribute) => [attribute.name ?? '', attribute]))
  }

  has(attribute: string): boolean {
    return this.#attributes.has(attribute)
  }

  float(attribute: string, otherwise: number): number {
    return this.#attributes.get(attribute)?.f ?? otherwise
  }

  integer(attribute: string, otherwise: number): number {
    return this.#attributes.get(attribute)?.i ?? otherwise
  }

  text(attribute: string, otherwise: string): string {
    return this.#attributes.get(attribute)?.s ?? otherwise
  }

  integers(attribute: string): readonly number[] | undefined {
    return this.#attributes.get(attribute)?.ints
  }

  floats(attribute: string): readonly number[] | undefined {
    return this.#attributes.get(attribute)?.floats
  }

  tensor(attribute: string): Constant | undefined {
    const tensor = this.#attributes.get(attribute)?.t
    return tensor === undefined ? undefined : this.#constant(tensor)
  }

  /** @throws UnsupportedOperator where the input is not computed from the picture */
  activation(index = 0): Activation {
    const value = this.inputs[index]
    if (value === undefined) throw this.damaged(`its input ${index + 1} is missing`)
    if (value.kind !== 'activation') throw new UnsupportedOperator('it does not work on the picture')
    return value
  }

  /** Undefined where the optional input is left out. @throws UnsupportedOperator where it is computed from the picture */
  constant(index: number): Constant | undefined {
    const value = this.inputs[index]
    if (value === undefined || value.kind === 'constant') return value
    throw new UnsupportedOperator(`its input ${index + 1} is computed instead of constant`)
  }

  requiredConstant(index: number): Constant {
    const constant = this.constant(index)
    if (constant === undefined) throw this.damaged(`its input ${index + 1} is missing`)
    return constant
  }

  /** A short list from an attribute (older operator sets) or an input (newer ones); undefined where both are left out. */
  settings(attribute: string, index: number): readonly number[] | undefined {
    const value = this.inputs[index]
    if (value === undefined) return this.integers(attribute)
    return listOf(value)
  }

  damaged(reason: string): ConvScopeError {
    return this.assembly.damaged(this.name, reason)
  }

  /** Adds a layer above the first input; its layout stays. */
  layer(draft: LayerDraft, tensors: Readonly<Record<string, ImportedTensor>> = {}): Activation {
    const below = this.activation()
    const output = this.assembly.add(this.name, draft, [below.output], tensors)
    return activationOf(output, below.layout, below.dims.length)
  }
}

/** @param rank number of sizes in the graph, the batch included */
export function activationOf(output: LayerOutput, layout: Activation['layout'] = 'chw', rank = 4): Activation {
  const { shape } = output
  const [height = 1, width = 1, channels = 1] = shape.length === 3 ? shape : [1, 1, shape[0]]
  if (shape.length === 1 && rank === 2) return { kind: 'activation', output, dims: [NaN, channels], layout }
  const dims = layout === 'chw' ? [NaN, channels, height, width] : [NaN, height, width, channels]
  return { kind: 'activation', output, dims, layout }
}

/** The axis of the channels. */
export function channelAxis({ dims, layout }: Activation): number {
  return layout === 'hwc' && dims.length === 4 ? 3 : 1
}

/** @throws UnsupportedOperator for an activation */
export function listOf(value: Value): readonly number[] {
  if (value.kind === 'sizes') return value.values
  if (value.kind === 'constant') return settingsOf(value)
  throw new UnsupportedOperator('its settings are computed from the picture')
}

/** A negative axis counts from the end. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}
