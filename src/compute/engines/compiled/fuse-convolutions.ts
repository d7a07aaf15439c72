/** A bias and an activation behind one of the addon's convolutions become part of its kernel. */
import { ACTIVATIONS, CONVOLUTION, CONVOLUTION_INPUT_GRADIENT, ownAttributes } from '../tensorflow-own-operations.ts'
import type { NodeBinding } from '../tensorflow-kernels.ts'
import { OperationGroups } from './operation-groups.ts'
import { rewrite, type Rewritten } from './rewrite.ts'
import type { RecordedNode, Recording, Value } from './recording.ts'

/** The same step with fewer operations. */
export function fuseConvolutions(recording: Recording, binding: Pick<NodeBinding, 'TF_ATTR_INT'>): Recording {
  const onlyUser = onlyUsers(recording)
  const groups = new OperationGroups(recording)
  const biases = new Map<RecordedNode, Value>()
  const extra = new Map<RecordedNode, readonly Value[]>()
  const take = (node: RecordedNode, next: RecordedNode): boolean =>
    groups.of(next).members.length === 1 && groups.merge(groups.of(node), groups.of(next))
  for (const node of recording.nodes) {
    if (node.operation !== CONVOLUTION && node.operation !== CONVOLUTION_INPUT_GRADIENT) continue
    let last = node
    const user = onlyUser.get(node)
    const bias = user === undefined ? undefined : biasOf(user, node)
    if (user !== undefined && bias !== undefined && take(node, user)) {
      biases.set(node, bias)
      last = user
    }
    const after = onlyUser.get(last)
    const others = after === undefined ? undefined : besidesSignal(after, last)
    if (after !== undefined && others !== undefined && take(node, after)) extra.set(node, others)
  }
  return rewrite(recording, groups.inOrder(), (group): Rewritten | undefined => {
    const [node] = group.members
    const last = group.members.at(-1)
    if (node === undefined || last === undefined || group.members.length === 1) return undefined
    const bias = biases.get(node)
    const inputs = [...node.inputs, ...(bias === undefined ? [] : [bias]), ...(extra.get(node) ?? [])]
    const [, ...numbers] = node.attributes.find(({ name }) => name === 'numbers')?.value as number[]
    const activation = Math.max(0, ACTIVATIONS.indexOf(last.operation))
    const attributes = ownAttributes(binding, inputs.length, [activation, ...numbers])
    return { node: { ...node, index: last.index, attributes, inputs, origin: last.origin }, outputs: [last] }
  })
}

/** Operations whose result is used once, and by what. */
export function onlyUsers(recording: Recording): ReadonlyMap<RecordedNode, RecordedNode> {
  const users = new Map<RecordedNode, (RecordedNode | undefined)[]>()
  const add = (value: Value, user: RecordedNode | undefined): void => {
    if (value.kind === 'result') users.set(value.node, [...(users.get(value.node) ?? []), user])
  }
  for (const node of recording.nodes) for (const value of node.inputs) add(value, node)
  for (const value of [...recording.results, ...recording.writes.map((write) => write.value)]) add(value, undefined)
  const only = new Map<RecordedNode, RecordedNode>()
  for (const [node, [user, ...others]] of users) if (user !== undefined && others.length === 0) only.set(node, user)
  return only
}

/** The inputs of an activation or its gradient besides the result of `source`; undefined for other operations, and where `source` is not the signal. */
function besidesSignal({ operation, inputs }: RecordedNode, source: RecordedNode): readonly Value[] | undefined {
  if (!ACTIVATIONS.includes(operation)) return undefined
  const signal = operation === 'SigmoidGrad' ? 1 : 0
  const value = inputs[signal]
  return value?.kind === 'result' && value.node === source ? inputs.filter((_, index) => index !== signal) : undefined
}

/** What `sum` adds to each channel of the result of `node`; undefined where it does something else. */
function biasOf(sum: RecordedNode, node: RecordedNode): Value | undefined {
  const shape = node.outputs[0]?.shape ?? []
  const [first, second] = sum.inputs
  if (!['Add', 'AddV2'].includes(sum.operation) || first === undefined || second === undefined) return undefined
  const other = first.kind === 'result' && first.node === node ? second : first
  const ones = other.shape.slice(0, -1).every((size) => size === 1)
  const channels = other.shape.at(-1)
  const same = sum.outputs[0]?.shape.join() === shape.join() && other.dtype === node.outputs[0]?.dtype
  return same && ones && channels === shape.at(-1) && other.shape.length <= shape.length ? other : undefined
}
