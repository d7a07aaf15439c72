/** An ONNX graph, node by node. */
import type { SourceFile } from '../../files/source-file.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import { UnsupportedOperator, type LayerOutput, type NetworkAssembly } from '../assembly/network-assembly.ts'
import { elementwiseOperators, patternLayer } from './elementwise-operators.ts'
import { dense, layerOperators, type Operator } from './layer-operators.ts'
import { activationOf, NodeSite, type Activation, type Value } from './node-site.ts'
import { findPatterns } from './patterns.ts'
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from './schema.ts'
import { shapeOperators } from './shape-operators.ts'
import { constantOf, numbersOf } from './tensor.ts'

const operators: Readonly<Record<string, Operator>> = { ...layerOperators, ...elementwiseOperators, ...shapeOperators }
const MAX_NODES = 50_000
const OWN_DOMAINS = new Set(['', 'ai.onnx'])

export interface GraphContext {
  readonly file: SourceFile
  /** All files given, among them those of external weights. */
  readonly files: readonly SourceFile[]
  readonly opset: number
  readonly assembly: NetworkAssembly
}

/**
 * Adds all nodes to the assembly.
 * @returns the layer that the graph's first output comes from, where it could be computed
 */
export function assembleGraph(graph: GraphProto, context: GraphContext): LayerOutput | undefined {
  const { assembly, file, files } = context
  if (graph.node.length > MAX_NODES) {
    throw new ConvScopeError(
      'too-large',
      `${file.name} has ${graph.node.length} nodes; ${MAX_NODES} are the most that are read.`,
      {
        remedy: 'Import the file of a network with convolutions.',
      },
    )
  }
  const values = new Map<string, Value | 'left out'>()
  for (const tensor of graph.initializer) {
    const name = tensor.name ?? ''
    values.set(name, constantOf(tensor, name, file, files))
  }
  for (const [name, value] of inputsOf(graph, context, values)) values.set(name, value)

  const constants = new Map(
    graph.node.filter((node) => node.op_type === 'Constant').map((node) => [node.output[0], node]),
  )
  const patterns = findPatterns(graph, (name) => singleNumber(constants.get(name), values.get(name), name, context))
  for (const [index, node] of graph.node.entries()) {
    if (patterns.absorbed.has(node)) continue
    const name = node.name || node.output[0] || `node ${index + 1}`
    try {
      const output = convert(node, name)
      values.set(node.output[0] ?? '', output)
      const sum = patterns.sums.get(node)
      if (sum !== undefined) values.set(sum.sum.output[0] ?? '', output)
      for (const further of node.output.slice(1)) values.set(further, 'left out')
    } catch (error) {
      if (!(error instanceof UnsupportedOperator || error instanceof LeftOut || error instanceof RangeError))
        throw error
      if (!(error instanceof LeftOut)) assembly.unsupported(name, operatorTitle(node), error.message)
      for (const left of node.output) values.set(left, 'left out')
      const sum = patterns.sums.get(node)
      for (const left of sum?.sum.output ?? []) values.set(left, 'left out')
    }
  }
  return outputOf(graph, assembly, values)

  function convert(node: NodeProto, name: string): Value {
    const valueOf = (input: string): Value => {
      const value = values.get(input)
      if (value === undefined) throw assembly.damaged(name, `it reads ${input}, which no node before it gives`)
      if (value === 'left out') throw new LeftOut()
      return value
    }
    const pattern = patterns.layers.get(node)
    const inputs = (pattern ? [pattern.from] : node.input).map((input) => (input === '' ? undefined : valueOf(input)))
    const constant = (tensor: TensorProto) => constantOf(tensor, `the value of ${name}`, file, files)
    const site = new NodeSite({ assembly, node, name, opset: context.opset, inputs, constant })
    if (pattern !== undefined) return patternLayer(site, site.activation(), pattern.draft)
    if (node.op_type === 'MatMul' && OWN_DOMAINS.has(node.domain ?? '')) {
      const bias = patterns.sums.get(node)?.bias
      const term = bias === undefined ? undefined : valueOf(bias)
      if (term !== undefined && term.kind !== 'constant') throw new UnsupportedOperator('its sum is with no constant')
      return dense(site, term)
    }
    const type = node.op_type ?? ''
    const operator = OWN_DOMAINS.has(node.domain ?? '') && Object.hasOwn(operators, type) ? operators[type] : undefined
    if (operator === undefined) throw new UnsupportedOperator()
    return operator(site)
  }
}

/** Thrown for a node above one that was left out. */
class LeftOut extends Error {}

function operatorTitle({ op_type: type = 'an unnamed operator', domain = '' }: NodeProto): string {
  return OWN_DOMAINS.has(domain) ? type : `${domain}.${type}`
}

/** The graph's inputs that are no constants: one picture, and others that nothing can be computed from. */
function inputsOf(
  graph: GraphProto,
  { assembly, file }: GraphContext,
  constants: ReadonlyMap<string, unknown>,
): [string, Activation | 'left out'][] {
  const inputs = graph.input.filter(({ name = '' }) => !constants.has(name))
  const picture =
    inputs.find((input) => sizesOf(input).length === 4) ?? inputs.find((input) => sizesOf(input).length === 2)
  if (picture === undefined) {
    throw new ConvScopeError('unsupported', `${file.name} has no input of pictures.`, {
      remedy: 'Export a network that takes [batch, channels, height, width].',
    })
  }
  const others = inputs
    .filter((input) => input !== picture)
    .map(({ name = '' }): [string, 'left out'] => [name, 'left out'])
  return [[picture.name ?? '', pictureOf(picture, assembly, file)], ...others]
}

function pictureOf(input: ValueInfoProto, assembly: NetworkAssembly, file: SourceFile): Activation {
  const name = input.name || 'input'
  const [, ...sizes] = sizesOf(input)
  if (sizes.some((size) => size === undefined || size < 1)) {
    throw new ConvScopeError(
      'invalid-input',
      `${file.name} leaves open how large its input ${name} is: [${sizes.map((size) => size ?? '?').join(', ')}].`,
      {
        remedy: 'Export it with a fixed height and width; only the batch may be open.',
      },
    )
  }
  const [first = 1, second = 1, third = 1] = sizes.map((size) => size ?? 1)
  if (sizes.length === 1) {
    const side = Math.sqrt(first)
    if (!Number.isInteger(side)) {
      throw new ConvScopeError('unsupported', `${file.name} takes ${first} values that are no square picture.`, {
        remedy: 'Export a network that takes [batch, channels, height, width].',
      })
    }
    assembly.note({
      code: 'vector-input',
      severity: 'note',
      message: `The ${first} values that the network takes are read as a grey picture of ${side}×${side}.`,
    })
    const picture = assembly.input(name, [side, side, 1])
    return activationOf(assembly.flatten(`${name}-flatten`, picture, 'chw'), 'chw', 2)
  }
  const isPicture = (channels: number): boolean => channels === 1 || channels === 3
  if (!isPicture(first) && isPicture(third)) {
    return activationOf(assembly.input(name, [first, second, third]), 'hwc', 4)
  }
  return activationOf(assembly.input(name, [second, third, first]), 'chw', 4)
}

/** Undefined for what is left open. */
function sizesOf({ type }: ValueInfoProto): (number | undefined)[] {
  return type?.tensor_type?.shape?.dim.map(({ dim_value: size }) => size) ?? []
}

/** The value of a constant of one element, an initialiser or a node of type Constant. */
function singleNumber(
  node: NodeProto | undefined,
  value: Value | 'left out' | undefined,
  name: string,
  { file, files }: GraphContext,
): number | undefined {
  if (value !== undefined && value !== 'left out') {
    return value.kind === 'constant' && value.values.count === 1 ? numbersOf(value)[0] : undefined
  }
  const tensor = node?.attribute.find((attribute) => attribute.name === 'value')?.t
  if (tensor === undefined) return node?.attribute.find((attribute) => attribute.name === 'value_float')?.f
  const constant = constantOf(tensor, name, file, files)
  return constant.values.count === 1 ? numbersOf(constant)[0] : undefined
}

function outputOf(
  graph: GraphProto,
  assembly: NetworkAssembly,
  values: ReadonlyMap<string, Value | 'left out'>,
): LayerOutput | undefined {
  const [first, ...others] = graph.output
  if (others.length > 0) {
    assembly.note({
      code: 'several-outputs',
      severity: 'note',
      message: `The network has ${graph.output.length} outputs; ${first?.name ?? 'the first'} is taken as its output, the others are layers.`,
    })
  }
  const value = values.get(first?.name ?? '')
  return value === undefined || value === 'left out' || value.kind !== 'activation' ? undefined : value.output
}
