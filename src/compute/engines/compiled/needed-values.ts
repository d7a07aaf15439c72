import type { RecordedNode, Value } from './recording.ts'

/** Every value and node that the outputs depend on. */
export function neededFor(outputs: readonly Value[]): ReadonlySet<Value | RecordedNode> {
  const needed = new Set<Value | RecordedNode>()
  const waiting = [...outputs]
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (needed.has(value)) continue
    needed.add(value)
    if (value.kind !== 'result' || needed.has(value.node)) continue
    needed.add(value.node)
    waiting.push(...value.node.inputs)
  }
  return needed
}
