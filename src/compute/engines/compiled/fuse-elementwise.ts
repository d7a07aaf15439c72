/** Chains of elementwise operations become one operation of the addon, which goes through memory once. */
import { ELEMENTWISE, ownAttributes } from '../tensorflow-own-operations.ts'
import type { NodeBinding } from '../tensorflow-kernels.ts'
import { commonSpace, elementwiseProgram, elementwiseSpace, type ElementwiseSpace } from './elementwise-program.ts'
import { OperationGroups, type OperationGroup } from './operation-groups.ts'
import { rewrite, type Rewritten } from './rewrite.ts'
import type { RecordedNode, Recording } from './recording.ts'

const MOST_MEMBERS = 200

/** The same step with fewer operations. */
export function fuseElementwise(recording: Recording, binding: Pick<NodeBinding, 'TF_ATTR_INT'>): Recording {
  const groups = new OperationGroups(recording)
  const spaces = new Map<OperationGroup, ElementwiseSpace>()
  for (const node of recording.nodes) {
    const space = elementwiseSpace(node)
    if (space === undefined) continue
    spaces.set(groups.of(node), space)
    for (const value of node.inputs) if (value.kind === 'result') join(groups, spaces, node, value.node)
  }
  const used = usedOutside(recording, groups)
  return rewrite(recording, groups.inOrder(), (group): Rewritten | undefined => {
    const space = spaces.get(group)
    const last = group.members.at(-1)
    // A lone operation gains where it repeats a short operand, which TensorFlow does slowly.
    if (space === undefined || last === undefined || (group.members.length === 1 && space.columns === undefined))
      return undefined
    const members = group.members.toSorted((a, b) => a.index - b.index)
    const { numbers, inputs, outputs } = elementwiseProgram(space, members, (member) => used.has(member))
    const attributes = [
      ...ownAttributes(binding, inputs.length, numbers),
      { name: 'M', type: binding.TF_ATTR_INT, value: outputs.length },
    ]
    const node: RecordedNode = {
      index: last.index,
      operation: ELEMENTWISE,
      attributes,
      inputs,
      outputs: outputs.flatMap((member) => member.outputs),
      origin: last.origin,
    }
    return { node, outputs }
  })
}

function join(
  groups: OperationGroups,
  spaces: Map<OperationGroup, ElementwiseSpace>,
  node: RecordedNode,
  source: RecordedNode,
): void {
  const [one, other] = [groups.of(node), groups.of(source)]
  const [ownSpace, otherSpace] = [spaces.get(one), spaces.get(other)]
  if (one === other || ownSpace === undefined || otherSpace === undefined) return
  const space = commonSpace(ownSpace, otherSpace)
  if (space === undefined || one.members.length + other.members.length > MOST_MEMBERS) return
  if (groups.merge(one, other)) spaces.set(one, space)
}

/** Members whose results something outside their group needs. */
function usedOutside(recording: Recording, groups: OperationGroups): ReadonlySet<RecordedNode> {
  const used = new Set<RecordedNode>()
  for (const node of recording.nodes) {
    for (const value of node.inputs)
      if (value.kind === 'result' && groups.of(value.node) !== groups.of(node)) used.add(value.node)
  }
  for (const value of [...recording.results, ...recording.writes.map((write) => write.value)])
    if (value.kind === 'result') used.add(value.node)
  return used
}
