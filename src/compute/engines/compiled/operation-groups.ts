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
  /** Those of several operations. What lies between their first and their last need not belong to them. */
  readonly #merged = new Set<OperationGroup>()

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
    this.#merged.delete(b)
    this.#merged.add(a)
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
    const bound = this.#reachOf(to)
    const waiting = neededBy(from).filter((needed) => needed !== to)
    for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
      if (group === to) return true
      if (seen.has(group) || group.last < bound) continue
      seen.add(group)
      waiting.push(...neededBy(group))
    }
    return false
  }

  /** The place before which no group ends that needs `to`, be it through merged groups that begin before `to` and end behind it. */
  #reachOf(to: OperationGroup): number {
    let bound = to.first
    for (;;) {
      const earlier = [...this.#merged].filter(({ first, last }) => first < bound && bound <= last)
      if (earlier.length === 0) return bound
      bound = Math.min(...earlier.map(({ first }) => first))
    }
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
