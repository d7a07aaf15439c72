/** Groups of operations of a recording, merged without ever making two groups need one another. */
import type { RecordedNode, Recording } from './recording.ts'

export class OperationGroup {
  members: RecordedNode[]
  /** Places of the first and the last member in the recording, which is in an order of computation. */
  first: number
  last: number
  /** Groups whose results are used directly; merged ones stand for what they became. */
  readonly needs = new Set<OperationGroup>()
  mergedInto: OperationGroup | undefined

  constructor(node: RecordedNode, place: number) {
    this.members = [node]
    this.first = place
    this.last = place
  }
}

export class OperationGroups {
  readonly #groups = new Map<RecordedNode, OperationGroup>()

  /** Each operation is a group of its own. */
  constructor({ nodes }: Recording) {
    for (const [place, node] of nodes.entries()) {
      const group = new OperationGroup(node, place)
      for (const value of node.inputs) {
        const needed = value.kind === 'result' ? this.#groups.get(value.node) : undefined
        if (needed !== undefined) group.needs.add(needed)
      }
      this.#groups.set(node, group)
    }
  }

  of(node: RecordedNode): OperationGroup {
    const group = this.#groups.get(node)
    if (group === undefined) throw new Error(`${node.operation} is not part of the recording`)
    return current(group)
  }

  /** Makes one group of two. Returns false where one needs the other through a third. */
  merge(a: OperationGroup, b: OperationGroup): boolean {
    if (a === b) return true
    if (this.#needsThroughOthers(a, b) || this.#needsThroughOthers(b, a)) return false
    for (const needed of b.needs) a.needs.add(needed)
    a.needs.delete(a)
    a.needs.delete(b)
    a.members = [...a.members, ...b.members]
    a.first = Math.min(a.first, b.first)
    a.last = Math.max(a.last, b.last)
    b.mergedInto = a
    return true
  }

  /** Every group after those that it needs. */
  inOrder(): OperationGroup[] {
    const done = new Set<OperationGroup>()
    const order: OperationGroup[] = []
    const visit = (group: OperationGroup): void => {
      if (done.has(group)) return
      done.add(group)
      for (const needed of neededBy(group)) visit(needed)
      order.push(group)
    }
    for (const group of this.#groups.values()) visit(current(group))
    return order
  }

  #needsThroughOthers(from: OperationGroup, to: OperationGroup): boolean {
    const seen = new Set([from])
    const waiting = neededBy(from).filter((needed) => needed !== to)
    for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
      if (group === to) return true
      // What ends before `to` begins cannot need it.
      if (seen.has(group) || group.last < to.first) continue
      seen.add(group)
      waiting.push(...neededBy(group))
    }
    return false
  }
}

function current(group: OperationGroup): OperationGroup {
  let result = group
  while (result.mergedInto !== undefined) result = result.mergedInto
  return result
}

function neededBy(group: OperationGroup): OperationGroup[] {
  return [...new Set([...group.needs].map(current))].filter((needed) => needed !== group)
}
