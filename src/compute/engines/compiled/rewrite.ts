/** Putting other operations in the place of groups of operations of a recording. */
import type { OperationGroup } from './operation-groups.ts'
import type { RecordedNode, Recording, Value } from './recording.ts'

export interface Rewritten {
  /** Its inputs are values of the old recording. */
  readonly node: RecordedNode
  /** Members of the group (with one result each), in the order of the node's results. */
  readonly outputs: readonly RecordedNode[]
}

/**
 * Calls `rewriteGroup` for each group, which come in an order of computation; undefined leaves the group's members as they are. Results of
 * members that are not among `outputs` must not be used outside their group.
 */
export function rewrite(
  recording: Recording,
  groups: readonly OperationGroup[],
  rewriteGroup: (group: OperationGroup) => Rewritten | undefined,
): Recording {
  const replacements = new Map<RecordedNode, { readonly node: RecordedNode; readonly output: number | undefined }>()
  const resolve = (value: Value): Value => {
    if (value.kind !== 'result') return value
    const replacement = replacements.get(value.node)
    if (replacement === undefined) throw new Error(`a result of ${value.node.operation} was lost`)
    return { ...value, node: replacement.node, output: replacement.output ?? value.output }
  }
  const nodes: RecordedNode[] = []
  const add = (node: RecordedNode): RecordedNode => {
    const resolved = { ...node, inputs: node.inputs.map(resolve) }
    nodes.push(resolved)
    return resolved
  }
  for (const group of groups) {
    const rewritten = rewriteGroup(group)
    if (rewritten === undefined) {
      for (const member of group.members) replacements.set(member, { node: add(member), output: undefined })
      continue
    }
    const node = add(rewritten.node)
    for (const [output, member] of rewritten.outputs.entries()) replacements.set(member, { node, output })
  }
  return {
    ...recording,
    nodes,
    results: recording.results.map(resolve),
    writes: recording.writes.map(({ variable, value }) => ({ variable, value: resolve(value) })),
  }
}
