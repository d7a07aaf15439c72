/** An ONNX model as it is put together: nodes, constants and parameters, by the field numbers of the importer's table. */
import {
  AttributeProto,
  DimensionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
  StringEntryProto,
  TensorProto,
  TensorShapeProto,
  TensorTypeProto,
  TypeProto,
  ValueInfoProto,
} from '../importers/onnx/schema.ts'
import type { Part } from './parts.ts'
import { floatField, messageField, textField, varintField } from './protobuf-writer.ts'
import { sizeOf } from '../../shared/size-of.ts'

export const OPSET = 17
const IR_VERSION = 8
const FLOAT = 1
const INT64 = 7
/** `AttributeProto.AttributeType`. */
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const

export type Attribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string }

export class OnnxModel {
  readonly #nodes: Part[] = []
  readonly #tensors: Part[] = []

  /** One operation; its first output is called `output`. */
  node(
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const { input, output: outputField, name, op_type, attribute } = NodeProto.fields
    this.#nodes.push(
      ...messageField(GraphProto.fields.node.number, [
        ...inputs.flatMap((value) => textField(input.number, value)),
        ...textField(outputField.number, output),
        ...textField(name.number, output),
        ...textField(op_type.number, operator),
        ...Object.entries(attributes).flatMap(([key, value]) =>
          messageField(attribute.number, attributeParts(key, value)),
        ),
      ]),
    )
    return output
  }

  /** Float32 values; made when they are written. */
  tensor(name: string, shape: readonly number[], values: () => Float32Array): string {
    const count = sizeOf(shape)
    return this.#tensor(name, shape, FLOAT, {
      byteLength: count * 4,
      make: () => {
        const data = values()
        return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      },
    })
  }

  /** Whole numbers, such as paddings. */
  integers(name: string, values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt)
    return this.#tensor(name, [values.length], INT64, new Uint8Array(data.buffer))
  }

  /**
   * The whole file.
   * @param metadata entries beside the graph, which other programs keep or leave alone
   */
  parts(
    name: string,
    input: { readonly name: string; readonly shape: readonly number[] },
    output: { readonly name: string; readonly shape: readonly number[] },
    metadata: readonly (readonly [key: string, value: string])[],
  ): Part[] {
    const { ir_version, producer_name, graph, opset_import, metadata_props } = ModelProto.fields
    const { key: keyField, value: valueField } = StringEntryProto.fields
    return [
      ...varintField(ir_version.number, IR_VERSION),
      ...textField(producer_name.number, 'ConvScope'),
      ...metadata.flatMap(([key, value]) =>
        messageField(metadata_props.number, [
          ...textField(keyField.number, key),
          ...textField(valueField.number, value),
        ]),
      ),
      ...messageField(graph.number, [
        ...this.#nodes,
        ...textField(GraphProto.fields.name.number, name),
        ...this.#tensors,
        ...messageField(GraphProto.fields.input.number, valueParts(input)),
        ...messageField(GraphProto.fields.output.number, valueParts(output)),
      ]),
      ...messageField(opset_import.number, varintField(OperatorSetIdProto.fields.version.number, OPSET)),
    ]
  }

  #tensor(name: string, shape: readonly number[], type: number, data: Part): string {
    const { dims, data_type, name: nameField, raw_data } = TensorProto.fields
    this.#tensors.push(
      ...messageField(GraphProto.fields.initializer.number, [
        ...shape.flatMap((extent) => varintField(dims.number, extent)),
        ...varintField(data_type.number, type),
        ...textField(nameField.number, name),
        ...messageField(raw_data.number, [data]),
      ]),
    )
    return name
  }
}

function attributeParts(key: string, value: Attribute): Part[] {
  const { name, f, i, s, ints, type } = AttributeProto.fields
  const title = textField(name.number, key)
  if ('float' in value)
    return [...title, ...floatField(f.number, value.float), ...varintField(type.number, ATTRIBUTE.float)]
  if ('int' in value) return [...title, ...varintField(i.number, value.int), ...varintField(type.number, ATTRIBUTE.int)]
  if ('text' in value)
    return [...title, ...textField(s.number, value.text), ...varintField(type.number, ATTRIBUTE.string)]
  const list = value.ints.flatMap((item) => varintField(ints.number, item))
  return [...title, ...list, ...varintField(type.number, ATTRIBUTE.ints)]
}

/** A float32 tensor whose first axis is the batch, of any size. */
function valueParts({ name, shape }: { readonly name: string; readonly shape: readonly number[] }): Part[] {
  const { dim } = TensorShapeProto.fields
  const sizes = [
    ...messageField(dim.number, textField(DimensionProto.fields.dim_param.number, 'batch')),
    ...shape.flatMap((extent) => messageField(dim.number, varintField(DimensionProto.fields.dim_value.number, extent))),
  ]
  const { elem_type, shape: shapeField } = TensorTypeProto.fields
  const tensor = [...varintField(elem_type.number, FLOAT), ...messageField(shapeField.number, sizes)]
  const { name: nameField, type } = ValueInfoProto.fields
  return [
    ...textField(nameField.number, name),
    ...messageField(type.number, messageField(TypeProto.fields.tensor_type.number, tensor)),
  ]
}
