/** Writes a recording as a FunctionDef: inputs first, then captured tensors, large constants and folded results; results first, then assigned variables. */
import { createHash } from 'node:crypto'
import { bytesOf } from './compare-recordings.ts'
import { neededFor } from './needed-values.ts'
import type { Operation, OperationArgument, OperationList } from './operation-list.ts'
import { ProtobufWriter, floatBytes } from './protobuf.ts'
import {
  TENSORFLOW_TYPES,
  type CapturedValue,
  type ConstantValue,
  type FoldedValue,
  type InputValue,
  type RecordedNode,
  type Recording,
  type Value,
} from './recording.ts'

/** Larger constants become hidden inputs, so that the definition stays small. */
const LARGEST_CONSTANT_BYTES = 64 * 1024

export interface FunctionDefinition {
  readonly bytes: Uint8Array
  /** Hidden inputs in the order in which they follow the step's own. */
  readonly captured: readonly CapturedValue[]
  readonly largeConstants: readonly ConstantValue[]
  readonly folded: readonly FoldedValue[]
  /** Nodes by the names that TensorFlow's messages show. */
  readonly nodes: ReadonlyMap<string, RecordedNode>
  readonly constants: number
}

/** Throws an Error for an operation whose attributes TensorFlow would not know. */
export function defineFunction(
  name: string,
  inputs: readonly InputValue[],
  recording: Recording,
  operations: OperationList,
): FunctionDefinition {
  const outputs = [...recording.results, ...recording.writes.map(({ value }) => value)]
  const needed = neededFor(outputs)
  const captured = recording.captured.filter((value) => needed.has(value))
  const constants = recording.constants.filter((value) => needed.has(value))
  const large = constants.filter((value) => value.data.byteLength > LARGEST_CONSTANT_BYTES && !isUniform(value))
  const folded = [...needed].filter((value): value is FoldedValue => 'kind' in value && value.kind === 'folded')
  const signature = new ProtobufWriter().string(1, name)
  const argumentAttributes = new ProtobufWriter()
  const references = new Map<Value, string>()
  for (const [index, value] of [...inputs, ...captured, ...large, ...folded].entries()) {
    const argument = `input_${index}`
    signature.message(2, new ProtobufWriter().string(1, argument).integer(3, value.dtype))
    argumentAttributes.message(7, new ProtobufWriter().integer(1, index).message(2, outputShape(value.shape)))
    references.set(value, argument)
  }
  const inputNames = inputs.map((_, index) => `input_${index}`)

  const body = new ProtobufWriter()
  const shared = new Map<string, string>()
  for (const value of constants) {
    if (references.has(value)) continue
    const key = `${value.dtype}|${value.shape.join()}|${createHash('sha256').update(bytesOf(value)).digest('base64')}`
    const known = shared.get(key)
    const reference = known ?? `constant_${value.index}:output:0`
    references.set(value, reference)
    if (known !== undefined) continue
    shared.set(key, reference)
    body.message(3, constantNode(`constant_${value.index}`, value))
  }

  const nodes = new Map<string, RecordedNode>()
  const referenceOf = (value: Value): string => {
    if (value.kind === 'input') return inputNames[value.index] ?? ''
    if (value.kind === 'result')
      return `${nodeName(value.node)}:${resultName(operationOf(operations, value.node), value.node, value.output)}`
    return references.get(value) ?? ''
  }
  for (const node of recording.nodes) {
    if (!needed.has(node)) continue
    nodes.set(nodeName(node), node)
    body.message(3, operationNode(node, operationOf(operations, node), referenceOf))
  }
  for (const [index, value] of outputs.entries()) {
    signature.message(3, new ProtobufWriter().string(1, `output_${index}`).integer(3, value.dtype))
    body.message(4, new ProtobufWriter().string(1, `output_${index}`).string(2, referenceOf(value)))
  }
  const bytes = new ProtobufWriter().message(1, signature).append(body).append(argumentAttributes).finish()
  return { bytes, captured, largeConstants: large, folded, nodes, constants: shared.size }
}

function operationOf(operations: OperationList, node: RecordedNode): Operation {
  const operation = operations.get(node.operation)
  if (operation === undefined) throw new Error(`TensorFlow's library has no operation ${node.operation}`)
  return operation
}

function nodeName({ operation, index }: RecordedNode): string {
  return `${operation.replaceAll(/[^A-Za-z0-9]/g, '')}_${index}`
}

/** `argument:index` of the `output`-th result: operations may have several named results, some of them lists. */
function resultName(operation: Operation, node: RecordedNode, output: number): string {
  let index = output
  for (const argument of operation.outputs) {
    const length = argumentLength(argument, node, node.outputs.length - operation.outputs.length + 1)
    if (index < length) return `${argument.name}:${index}`
    index -= length
  }
  throw new Error(`${node.operation} has no result ${output}`)
}

function argumentLength(argument: OperationArgument, node: RecordedNode, rest: number): number {
  if (argument.typeListAttribute !== '') return rest
  if (argument.numberAttribute === '') return 1
  const given = node.attributes.find(({ name }) => name === argument.numberAttribute)?.value
  return given === undefined ? rest : Number(given)
}

/** NodeDef: name = 1, op = 2, input = 3, attr = 5. */
function operationNode(
  node: RecordedNode,
  operation: Operation,
  referenceOf: (value: Value) => string,
): ProtobufWriter {
  const writer = new ProtobufWriter().string(1, nodeName(node)).string(2, node.operation)
  for (const value of node.inputs) writer.string(3, referenceOf(value))
  for (const [name, value] of allAttributes(node, operation)) {
    const attribute = operation.attributes.get(name)
    // Eager execution ignores attributes that an operation does not have.
    if (attribute !== undefined) writer.entry(5, name, attributeValue(attribute.type, value))
  }
  return writer
}

/** The attributes that the kernel gave, and those that eager execution infers from the inputs. */
function allAttributes(node: RecordedNode, operation: Operation): Map<string, unknown> {
  const attributes = new Map(node.attributes.map(({ name, value }) => [name, value]))
  let first = 0
  for (const argument of operation.inputs) {
    const length = argumentLength(argument, node, node.inputs.length - operation.inputs.length + 1)
    if (argument.numberAttribute !== '') attributes.set(argument.numberAttribute, length)
    const types = node.inputs.slice(first, first + length).map(({ dtype }) => dtype)
    if (argument.typeAttribute !== '' && types[0] !== undefined) attributes.set(argument.typeAttribute, types[0])
    if (argument.typeListAttribute !== '') attributes.set(argument.typeListAttribute, types)
    first += length
  }
  for (const [name, { type, hasDefault }] of operation.attributes) {
    if (!hasDefault && !attributes.has(name)) throw new Error(`${node.operation} needs the attribute ${name} (${type})`)
  }
  return attributes
}

function constantNode(name: string, value: ConstantValue): ProtobufWriter {
  return new ProtobufWriter()
    .string(1, name)
    .string(2, 'Const')
    .entry(5, 'dtype', attributeValue('type', value.dtype))
    .entry(5, 'value', new ProtobufWriter().message(8, tensor(value)))
}

/** TensorProto: dtype = 1, tensor_shape = 2, tensor_content = 4; one value in float_val = 5, int_val = 7 or bool_val = 11 fills the shape. */
function tensor(value: ConstantValue): ProtobufWriter {
  const writer = new ProtobufWriter().integer(1, value.dtype).message(2, shape(value.shape))
  const [first] = value.data
  if (first === undefined || !isUniform(value)) return writer.bytes(4, bytesOf(value))
  if (value.dtype === TENSORFLOW_TYPES.float32) return writer.float(5, first)
  return writer.integer(value.dtype === TENSORFLOW_TYPES.int32 ? 7 : 11, first)
}

/** Whether one number can stand for all; only for types that tfjs makes from JavaScript values. */
function isUniform({ data, dtype }: ConstantValue): boolean {
  const { float32, int32, bool } = TENSORFLOW_TYPES
  if (dtype !== float32 && dtype !== int32 && dtype !== bool) return false
  return data.every((value) => Object.is(value, data[0]))
}

/** TensorShapeProto: dim = 2, its size = 1. */
function shape(sizes: readonly number[]): ProtobufWriter {
  const writer = new ProtobufWriter()
  for (const size of sizes) writer.message(2, new ProtobufWriter().integer(1, size))
  return writer
}

/** ArgAttrs with the attribute `_output_shapes`, from which TensorFlow knows the shapes of arguments. */
function outputShape(sizes: readonly number[]): ProtobufWriter {
  const list = new ProtobufWriter().message(7, shape(sizes))
  return new ProtobufWriter().entry(1, '_output_shapes', new ProtobufWriter().message(1, list))
}

/** AttrValue: list = 1, s = 2, i = 3, f = 4, b = 5, type = 6, shape = 7. */
function attributeValue(type: string, value: unknown): ProtobufWriter {
  const list = /^list\((.*)\)$/.exec(type)?.[1]
  if (list !== undefined)
    return new ProtobufWriter().message(1, listValue(list, Array.isArray(value) ? value : [value]))
  const writer = new ProtobufWriter()
  switch (type) {
    case 'string':
      return writer.string(2, String(value))
    case 'int':
      return writer.integer(3, Number(value))
    case 'float':
      return writer.float(4, Number(value))
    case 'bool':
      return writer.integer(5, value ? 1 : 0)
    case 'type':
      return writer.integer(6, Number(value))
    case 'shape':
      return writer.message(7, shape(value as number[]))
    default:
      throw new Error(`attributes of the type ${type} cannot be written`)
  }
}

/** AttrValue.ListValue: s = 2, i = 3, f = 4, b = 5, type = 6, shape = 7; numbers are packed. */
function listValue(type: string, values: readonly unknown[]): ProtobufWriter {
  const writer = new ProtobufWriter()
  const packed = new ProtobufWriter()
  switch (type) {
    case 'string':
      for (const value of values) writer.string(2, String(value))
      return writer
    case 'shape':
      for (const value of values) writer.message(7, shape(value as number[]))
      return writer
    case 'float':
      return writer.bytes(4, floatBytes(Float32Array.from(values, Number)))
    case 'int':
    case 'bool':
    case 'type':
      if (values.length === 0) return writer
      for (const value of values) packed.varint(Number(value))
      return writer.message(type === 'int' ? 3 : type === 'bool' ? 5 : 6, packed)
    default:
      throw new Error(`lists of the type ${type} cannot be written`)
  }
}
