/** What TensorFlow's library says about its operations: arguments, results, attributes, whether they keep state. */
import { protobufFields, protobufText } from './protobuf.ts'

export interface OperationArgument {
  readonly name: string
  /** Names of the attributes that say how many tensors there are and of what types; empty where it is fixed. */
  readonly typeAttribute: string
  readonly numberAttribute: string
  readonly typeListAttribute: string
}

export interface OperationAttribute {
  /** `int`, `float`, `bool`, `string`, `type`, `shape`, `tensor`, or `list(...)` of one of them. */
  readonly type: string
  readonly hasDefault: boolean
}

export interface Operation {
  readonly name: string
  readonly inputs: readonly OperationArgument[]
  readonly outputs: readonly OperationArgument[]
  readonly attributes: ReadonlyMap<string, OperationAttribute>
  /** Random, or with effects besides its results. */
  readonly stateful: boolean
}

/** The operations of a serialised OpList, each parsed when it is first asked for (there are about 1,500). */
export class OperationList {
  readonly #serialised = new Map<string, Uint8Array>()
  readonly #parsed = new Map<string, Operation>()

  constructor(list: Uint8Array) {
    for (const { field, bytes } of protobufFields(list)) {
      if (field !== 1) continue
      for (const member of protobufFields(bytes)) {
        if (member.field !== 1) continue
        this.#serialised.set(protobufText(member.bytes), bytes)
        break
      }
    }
  }

  get(name: string): Operation | undefined {
    const known = this.#parsed.get(name)
    if (known !== undefined) return known
    const bytes = this.#serialised.get(name)
    if (bytes === undefined) return undefined
    const operation = parseOperation(name, bytes)
    this.#parsed.set(name, operation)
    return operation
  }
}

/** OpDef: input_arg = 2, output_arg = 3, attr = 4, is_stateful = 17. */
function parseOperation(name: string, message: Uint8Array): Operation {
  const inputs: OperationArgument[] = []
  const outputs: OperationArgument[] = []
  const attributes = new Map<string, OperationAttribute>()
  let stateful = false
  for (const { field, value, bytes } of protobufFields(message)) {
    if (field === 2) inputs.push(parseArgument(bytes))
    else if (field === 3) outputs.push(parseArgument(bytes))
    else if (field === 4) attributes.set(...parseAttribute(bytes))
    else if (field === 17) stateful = value !== 0
  }
  return { name, inputs, outputs, attributes, stateful }
}

/** ArgDef: name = 1, type_attr = 4, number_attr = 5, type_list_attr = 6. */
function parseArgument(message: Uint8Array): OperationArgument {
  const texts = new Map<number, string>()
  for (const { field, bytes } of protobufFields(message)) {
    if (field === 1 || (field >= 4 && field <= 6)) texts.set(field, protobufText(bytes))
  }
  return {
    name: texts.get(1) ?? '',
    typeAttribute: texts.get(4) ?? '',
    numberAttribute: texts.get(5) ?? '',
    typeListAttribute: texts.get(6) ?? '',
  }
}

/** AttrDef: name = 1, type = 2, default_value = 3. */
function parseAttribute(message: Uint8Array): [string, OperationAttribute] {
  let name = ''
  let type = ''
  let hasDefault = false
  for (const { field, bytes } of protobufFields(message)) {
    if (field === 1) name = protobufText(bytes)
    else if (field === 2) type = protobufText(bytes)
    else if (field === 3) hasDefault = true
  }
  return [name, { type, hasDefault }]
}
