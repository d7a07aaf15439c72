/**
 * The messages of `onnx.proto3` as far as networks for inference need them; names and numbers are ONNX's. The exporter writes by the
 * same table: `NodeProto.fields.op_type.number` is the number of a field.
 */
import type { ElementType } from '../../files/element-types.ts'
import {
  bytes,
  embedded,
  float,
  integer,
  MessageType,
  optional,
  repeated,
  stored,
  text,
  type Decoded,
} from '../protobuf/message.ts'

/** `TensorProto.DataType`. */
export const DATA_TYPES: Readonly<Record<number, ElementType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
}
/** `TensorProto.DataLocation.EXTERNAL`. */
export const EXTERNAL = 1

/** `StringStringEntryProto`. */
export const StringEntryProto = new MessageType({ key: optional(1, text), value: optional(2, text) })

export const TensorProto = new MessageType({
  dims: repeated(1, integer),
  data_type: optional(2, integer),
  float_data: stored(4, 'float32'),
  int32_data: repeated(5, integer),
  int64_data: repeated(7, integer),
  name: optional(8, text),
  raw_data: optional(9, bytes),
  double_data: stored(10, 'float64'),
  external_data: repeated(13, embedded(StringEntryProto)),
  data_location: optional(14, integer),
})
export type TensorProto = Decoded<typeof TensorProto>

export const AttributeProto = new MessageType({
  name: optional(1, text),
  f: optional(2, float),
  i: optional(3, integer),
  s: optional(4, text),
  t: optional(5, embedded(TensorProto)),
  floats: repeated(7, float),
  ints: repeated(8, integer),
  strings: repeated(9, text),
  type: optional(20, integer),
})
export type AttributeProto = Decoded<typeof AttributeProto>

export const NodeProto = new MessageType({
  input: repeated(1, text),
  output: repeated(2, text),
  name: optional(3, text),
  op_type: optional(4, text),
  attribute: repeated(5, embedded(AttributeProto)),
  domain: optional(7, text),
})
export type NodeProto = Decoded<typeof NodeProto>

export const DimensionProto = new MessageType({ dim_value: optional(1, integer), dim_param: optional(2, text) })
export const TensorShapeProto = new MessageType({ dim: repeated(1, embedded(DimensionProto)) })
export const TensorTypeProto = new MessageType({
  elem_type: optional(1, integer),
  shape: optional(2, embedded(TensorShapeProto)),
})
export const TypeProto = new MessageType({ tensor_type: optional(1, embedded(TensorTypeProto)) })
export const ValueInfoProto = new MessageType({ name: optional(1, text), type: optional(2, embedded(TypeProto)) })
export type ValueInfoProto = Decoded<typeof ValueInfoProto>

export const GraphProto = new MessageType({
  node: repeated(1, embedded(NodeProto)),
  name: optional(2, text),
  initializer: repeated(5, embedded(TensorProto)),
  input: repeated(11, embedded(ValueInfoProto)),
  output: repeated(12, embedded(ValueInfoProto)),
})
export type GraphProto = Decoded<typeof GraphProto>

export const OperatorSetIdProto = new MessageType({ domain: optional(1, text), version: optional(2, integer) })

export const ModelProto = new MessageType({
  ir_version: optional(1, integer),
  producer_name: optional(2, text),
  producer_version: optional(3, text),
  graph: optional(7, embedded(GraphProto)),
  opset_import: repeated(8, embedded(OperatorSetIdProto)),
  metadata_props: repeated(14, embedded(StringEntryProto)),
})
export type ModelProto = Decoded<typeof ModelProto>
