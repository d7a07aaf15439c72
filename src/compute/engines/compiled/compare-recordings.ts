/** Two runs of a step on the same inputs must have done the same: what differs would be frozen as it was in the first run. */
import type { ConstantValue, RecordedNode, Recording, Value } from './recording.ts'
import { describeOperation, stepRefused } from './refusal.ts'

const OUTSIDE = 'it depends on something besides its inputs'
const REMEDY =
  'Pass what varies (random numbers, counters, schedules, choices) as input tensors, or compile a step for each choice.'

/** Throws a ConvScopeError that names the first operation or constant that differs and its line. */
export function requireSameRecording(step: string, first: Recording, second: Recording): void {
  for (const [index, node] of first.nodes.entries()) {
    const again = second.nodes[index]
    if (again?.operation !== node.operation) {
      throw stepRefused(step, `${OUTSIDE}: a second run went another way at ${describeNode(node)}`, REMEDY)
    }
    requireSameAttributes(step, node, again)
    requireSameInputs(step, node, again, first, second)
  }
  const more = second.nodes[first.nodes.length]
  if (more !== undefined) {
    throw stepRefused(step, `${OUTSIDE}: a second run went on with ${describeNode(more)}`, REMEDY)
  }
  const results = [...first.results, ...first.writes.map(({ value }) => value)]
  const resultsAgain = [...second.results, ...second.writes.map(({ value }) => value)]
  const sameResults =
    results.length === resultsAgain.length &&
    results.every((value, index) => sameValue(value, resultsAgain[index])) &&
    first.writes.every(({ variable }, index) => variable === second.writes[index]?.variable)
  if (!sameResults) throw stepRefused(step, `${OUTSIDE}: a second run returned other tensors`, REMEDY)
}

function describeNode({ operation, origin }: RecordedNode): string {
  return describeOperation(operation, origin)
}

function requireSameAttributes(step: string, node: RecordedNode, again: RecordedNode): void {
  const others = new Map(again.attributes.map(({ name, value }) => [name, value]))
  for (const { name, value } of node.attributes) {
    if (!sameAttribute(value, others.get(name))) {
      const values = `${show(value)} and ${show(others.get(name))}`
      throw stepRefused(step, `${OUTSIDE}: ${name} of ${describeNode(node)} was ${values} in two runs`, REMEDY)
    }
  }
  if (others.size !== new Map(node.attributes.map(({ name }) => [name, 0])).size) {
    throw stepRefused(step, `${OUTSIDE}: the attributes of ${describeNode(node)} differ in two runs`, REMEDY)
  }
}

function sameAttribute(value: unknown, other: unknown): boolean {
  if (Array.isArray(value) && Array.isArray(other)) {
    return value.length === other.length && value.every((item, index) => sameAttribute(item, other[index]))
  }
  return Object.is(value, other)
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}

function requireSameInputs(
  step: string,
  node: RecordedNode,
  again: RecordedNode,
  first: Recording,
  second: Recording,
): void {
  if (node.inputs.length !== again.inputs.length) {
    throw stepRefused(step, `${OUTSIDE}: ${describeNode(node)} has other inputs in a second run`, REMEDY)
  }
  for (const [index, value] of node.inputs.entries()) {
    const other = again.inputs[index]
    if (sameValue(value, other)) continue
    if (value.kind === 'constant' && other?.kind === 'constant') {
      throw stepRefused(step, `${OUTSIDE}: ${describeConstants(value, other, node)}`, REMEDY)
    }
    if (value.kind === 'captured' || other?.kind === 'captured') {
      const changing = 'a tensor made outside the step was replaced by another one between two runs'
      throw stepRefused(step, `${OUTSIDE}: ${changing}, for ${describeNode(node)}`, REMEDY)
    }
    throw stepRefused(
      step,
      `${OUTSIDE}: input ${index} of ${describeNode(node)} came from elsewhere in a second run`,
      REMEDY,
    )
  }
  // Constants that no operation uses do not matter, but a different number of them shows a different way through the step.
  if (first.captured.length !== second.captured.length && node.index === first.nodes.length - 1) {
    throw stepRefused(step, `${OUTSIDE}: it used other tensors of its surroundings in a second run`, REMEDY)
  }
}

function describeConstants(value: ConstantValue, other: ConstantValue, node: RecordedNode): string {
  const shape = `[${value.shape.join(', ')}]`
  if (value.shape.join() !== other.shape.join())
    return `a tensor made from JavaScript values has the shapes ${shape} and [${other.shape.join(', ')}] in two runs, for ${describeNode(node)}`
  const at = value.data.findIndex((item, index) => !Object.is(item, other.data[index]))
  const values = at < 0 ? '' : ` (${value.data[at]} and ${other.data[at]})`
  return `a tensor of shape ${shape} made from JavaScript values differs in two runs${values}, for ${describeNode(node)}`
}

function sameValue(value: Value, other: Value | undefined): boolean {
  if (other === undefined) return false
  if (value.kind === 'constant') return other.kind === 'constant' && sameConstant(value, other)
  if (value.kind === 'captured') {
    if (other.kind !== 'captured') return false
    return value.variable === undefined ? value.dataId === other.dataId : value.variable === other.variable
  }
  if (value.kind === 'input') return other.kind === 'input' && value.index === other.index
  if (value.kind === 'folded') return other.kind === 'folded' && value.key === other.key
  return other.kind === 'result' && value.node.index === other.node.index && value.output === other.output
}

/** Same type, shape and bytes: NaN equals NaN, and 0 differs from -0. */
export function sameConstant(a: ConstantValue, b: ConstantValue): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0
}

export function bytesOf({ data }: ConstantValue): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
